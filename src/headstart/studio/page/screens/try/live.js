// The live camera: a frame is sent as soon as the last one is answered, always the newest; others are dropped, not queued.

import { Probabilities } from "../../components/figures.js";
import { Icon } from "../../components/icon.js";
import { useCamera, useShot } from "../../camera.js";
import { number, percent, t } from "../../i18n.js";
import { inWords } from "../../problems.js";
import { classNames } from "../../store.js";
import { html, useEffect, useRef, useState } from "../../ui.js";
import { answerOf, kindOf, noteOf, rowsOf, titleOf } from "./said.js";

/** @import { Said } from "./said.js" */

const WIDTH = 320; // more than the network sees
const QUALITY = 0.85;
const CLASSES = 4;
const PATIENCE = 3000; // milliseconds without an answer, after which a new frame is sent

/** @param {{ run: { name: string } | null }} props */
export function Live({ run }) {
  const [isOn, setOn] = useState(false);
  const [device, setDevice] = useState("");
  const { video, state, devices } = useCamera({ isOn, device });
  const { said, rate, answered, problem } = useLive(video, state === "on", run?.name);
  const [isMirrored, setMirrored] = useState(true);
  const kind = said ? kindOf(said) : "";
  return html`<div class="live">
    <div class=${`viewfinder ${isMirrored ? "mirrored" : ""}`}>
      <video ref=${video} playsinline muted aria-label=${t("live.video")} hidden=${!isOn} />
      ${!isOn && html`<div class="viewfinder-off"><${Icon} name="camera" size=${36} /><p>${t("live.lead")}</p><button type="button" class="primary large" onClick=${() => setOn(true)}>${t("live.start")}</button></div>`}
      ${isOn && (state === "refused" || state === "none") && html`<div class="viewfinder-off" role="alert"><${Icon} name="alert" size=${28} /><p>${t(`live.${state}`)}</p><button type="button" onClick=${() => (setOn(false), setTimeout(() => setOn(true)))}>${t("add.again")}</button></div>`}
      ${said && state === "on" && html`<p class=${`live-answer ${kind}`}>${kind === "sure" ? answerOf(said)[0] : titleOf(said)} ${kind === "sure" && html`<span class="number">${percent(answerOf(said)[1], 0)}</span>`}</p>`}
    </div>
    ${isOn && state !== "refused" && state !== "none" && html`<div class="live-side">
      <div class="live-controls"><button type="button" onClick=${() => setOn(false)}>${t("live.stop")}</button>
        <label class="check"><input type="checkbox" checked=${isMirrored} onChange=${(/** @type {any} */ event) => setMirrored(event.target.checked)} /> ${t("live.mirror")}</label>
        ${devices.length > 1 && html`<select aria-label=${t("live.device")} value=${device} onChange=${(/** @type {any} */ event) => setDevice(event.target.value)}><option value="">${t("live.device")}</option>
          ${devices.map((each, place) => html`<option key=${each.deviceId} value=${each.deviceId}>${each.label || place + 1}</option>`)}</select>`}</div>
      ${said && html`<div><p class="quiet">${noteOf(said)}</p><${Probabilities} rows=${rowsOf(said, classNames.value, CLASSES)} kind=${kind} /></div>`}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <p class="hint number" data-answered=${answered}>${rate > 0 ? t("live.rate", { rate: number(rate) }) : ""}</p>
      <p class="hint">${t("live.private")}</p></div>`}
  </div>`;
}

/**
 * @param {{ current: HTMLVideoElement | null }} video @param {boolean} isOn @param {string | undefined} run
 * @returns {{ said: Said | null, rate: number, answered: number, problem: string | null }} rate: answers a second
 */
function useLive(video, isOn, run) {
  const [found, setFound] = useState({ said: /** @type {Said | null} */ (null), rate: 0, answered: 0, problem: /** @type {string | null} */ (null) });
  const shot = useShot();
  const count = useRef(0);
  useEffect(() => {
    if (!isOn) return;
    const socket = new WebSocket(new URL(`api/live${run ? `?${new URLSearchParams({ run })}` : ""}`, location.href.replace(/^http/, "ws").split("#")[0]));
    socket.binaryType = "arraybuffer";
    let isGone = false;
    let timer = 0;
    /** @type {number[]} */
    let times = [];
    const send = async () => {
      clearTimeout(timer);
      timer = setTimeout(send, PATIENCE);
      if (isGone || socket.readyState !== WebSocket.OPEN || !video.current?.videoWidth) return;
      const jpeg = await shot(video.current, WIDTH, QUALITY);
      if (jpeg && !isGone && socket.readyState === WebSocket.OPEN) socket.send(jpeg);
    };
    socket.onopen = send;
    socket.onmessage = (message) => {
      const said = JSON.parse(message.data);
      if (said.detail) {
        setFound((known) => ({ ...known, problem: inWords(said) }));
        return;
      }
      const now = performance.now();
      times = [...times.filter((time) => time > now - 2000), now];
      const rate = times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0;
      count.current++;
      setFound({ said, rate, answered: count.current, problem: null });
      send();
    };
    socket.onclose = (event) => isGone || setFound((known) => ({ ...known, problem: event.reason || t("live.closed") }));
    return () => {
      isGone = true;
      clearTimeout(timer);
      socket.close();
      setFound((known) => ({ ...known, said: null, rate: 0, problem: null }));
    };
  }, [isOn, run]);
  return found;
}
