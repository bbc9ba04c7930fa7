// The live camera: a frame is answered as soon as the last one was, always the newest; others are dropped, not queued.

import { Unusable } from "./network.js";

const WIDTH = 640; // of the pictures that the camera is asked for: more than the network sees

/**
 * @param {HTMLVideoElement} video @param {"environment" | "user"} side of a phone
 * @returns {Promise<() => void>} the camera is on; ends it
 */
export async function startCamera(video, side) {
  if (!navigator.mediaDevices) throw new Unusable("live.insecure");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: side, width: { ideal: WIDTH } }, audio: false });
  } catch (error) {
    throw new Unusable(error instanceof DOMException && error.name === "NotAllowedError" ? "live.refused" : "live.none");
  }
  video.srcObject = stream;
  await video.play();
  return () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
}

export async function hasOtherCamera() {
  return (await navigator.mediaDevices.enumerateDevices()).filter((each) => each.kind === "videoinput").length > 1;
}

/**
 * Answers the pictures of a camera until `isOver`.
 * @template T
 * @param {HTMLVideoElement} video @param {(frame: ImageBitmap) => Promise<T>} ask
 * @param {(answer: T, rate: number) => void} show rate: answers a second @param {() => boolean} isOver
 */
export async function answerFrames(video, ask, show, isOver) {
  /** @type {number[]} */
  let times = [];
  while (!isOver()) {
    await new Promise(requestAnimationFrame); // a page that nobody looks at answers nothing
    if (isOver() || !video.videoWidth) continue;
    const answer = await ask(await createImageBitmap(video));
    if (isOver()) return;
    const now = performance.now();
    times = [...times.filter((time) => time > now - 2000), now];
    show(answer, times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0);
  }
}
