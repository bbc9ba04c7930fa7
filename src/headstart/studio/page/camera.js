// The camera: its picture, and JPEGs of it. The browser asks the user for leave; pictures stay on this computer.

import { useCallback, useEffect, useRef, useState } from "./ui.js";

/** @typedef {"off" | "asking" | "on" | "refused" | "none"} CameraState */

/**
 * @param {{ width?: number, isOn: boolean, device?: string }} wanted
 * @returns {{ video: { current: HTMLVideoElement | null }, state: CameraState, devices: MediaDeviceInfo[] }}
 */
export function useCamera({ width = 640, isOn, device = "" }) {
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const [state, setState] = useState(/** @type {CameraState} */ ("off"));
  const [devices, setDevices] = useState(/** @type {MediaDeviceInfo[]} */ ([]));
  useEffect(() => {
    if (!isOn) return;
    let stream = /** @type {MediaStream | null} */ (null);
    let isGone = false;
    setState("asking");
    const start = async () => {
      if (!navigator.mediaDevices) return setState("none"); // not localhost, and not encrypted
      try {
        const which = device ? { deviceId: { exact: device } } : { facingMode: "environment" };
        stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, width: { ideal: width } }, audio: false });
      } catch (error) {
        return setState(error instanceof DOMException && error.name === "NotAllowedError" ? "refused" : "none");
      }
      if (isGone) return stream.getTracks().forEach((track) => track.stop());
      if (video.current) {
        video.current.srcObject = stream;
        await video.current.play().catch(() => {}); // the element went away
      }
      setState("on");
      setDevices((await navigator.mediaDevices.enumerateDevices()).filter((each) => each.kind === "videoinput"));
    };
    start();
    return () => {
      isGone = true;
      stream?.getTracks().forEach((track) => track.stop());
      setState("off");
    };
  }, [isOn, device]);
  return { video, state, devices };
}

/** Draws the picture of a video and gives it as JPEG, at most so wide. */
export function useShot() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  return useCallback((/** @type {HTMLVideoElement} */ video, /** @type {number} */ width, /** @type {number} */ quality) => {
    canvas.current ??= document.createElement("canvas");
    const scale = Math.min(1, width / video.videoWidth);
    canvas.current.width = Math.round(video.videoWidth * scale);
    canvas.current.height = Math.round(video.videoHeight * scale);
    canvas.current.getContext("2d", { alpha: false })?.drawImage(video, 0, 0, canvas.current.width, canvas.current.height);
    return /** @type {Promise<Blob | null>} */ (new Promise((done) => canvas.current?.toBlob(done, "image/jpeg", quality)));
  }, []);
}
