// Hold to shoot: pictures of the camera into a class, some a second, as long as the button or the space bar is held.

import { api } from "../../api.js";
import { useCamera, useShot } from "../../camera.js";
import { Icon } from "../../components/icon.js";
import { number, t } from "../../i18n.js";
import { setLabel } from "../../labelling.js";
import { useKeys } from "../../keyboard.js";
import { report } from "../../store.js";
import { html, useEffect, useRef, useState } from "../../ui.js";

const WIDTH = 1280;
const QUALITY = 0.92;
const BETWEEN = 220; // milliseconds between the pictures of a burst: nearer ones are almost the same
const WAITING = 12; // pictures that are on their way at most; then the camera waits
const SHOWN = 30;

/** @typedef {{ key: number, url: string, id: number | null, into: string, isGone: boolean }} Shot */
let last = 0;

/** @param {{ into: string }} props */
export function Camera({ into }) {
  const [device, setDevice] = useState("");
  const [isOn, setOn] = useState(true);
  const { video, state, devices } = useCamera({ width: WIDTH, isOn, device });
  const { shots, isHeld, hold, release, discard } = useBurst(video, into);
  const isReady = state === "on" && into !== "";
  useKeys({ space: (event) => (isReady && !event.repeat ? hold() : undefined) });
  useEffect(() => {
    const up = (/** @type {KeyboardEvent} */ event) => event.key === " " && release();
    addEventListener("keyup", up);
    addEventListener("blur", release);
    return () => (removeEventListener("keyup", up), removeEventListener("blur", release));
  }, []);
  const count = shots.filter((shot) => !shot.isGone && shot.into === into).length;
  return html`<div class="burst"><div class="viewfinder mirrored">
      <video ref=${video} playsinline muted aria-label=${t("live.video")} />
      ${(state === "refused" || state === "none") && html`<div class="viewfinder-off" role="alert"><${Icon} name="alert" size=${28} /><p>${t(`live.${state}`)}</p><button type="button" onClick=${() => (setOn(false), setTimeout(() => setOn(true)))}>${t("add.again")}</button></div>`}
      ${isHeld && html`<span class="recording" aria-hidden="true" />`}</div>
    <div class="burst-side"><div class="shutter-row"><button type="button" class="shutter" aria-label=${t("add.hold", { name: into })} disabled=${!isReady} aria-pressed=${isHeld}
        onPointerDown=${(/** @type {PointerEvent} */ event) => (/** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId), hold())} onPointerUp=${release} onPointerCancel=${release}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => (event.key === " " || event.key === "Enter") && (event.preventDefault(), event.repeat || hold())} onKeyUp=${release} onContextMenu=${(/** @type {Event} */ event) => event.preventDefault()}><span /></button>
      <div><p><strong>${into ? t("add.hold", { name: into }) : t("add.needsClass")}</strong></p><p class="hint">${t("add.holdText")}</p></div>
</div>
    ${devices.length > 1 && html`<select aria-label=${t("live.device")} value=${device} onChange=${(/** @type {any} */ event) => setDevice(event.target.value)}><option value="">${t("live.device")}</option>
      ${devices.map((each, place) => html`<option key=${each.deviceId} value=${each.deviceId}>${each.label || place + 1}</option>`)}</select>`}
    <p class="number" role="status">${count > 0 ? t("add.taken", { count, name: into }) : ""}</p>
    <ul class="shots plain">${shots.filter((shot) => !shot.isGone).slice(-SHOWN).reverse().map((shot) => html`<li key=${shot.key}><img src=${shot.url} alt=${t("add.shot", { name: shot.into })} />
      ${shot.id !== null && html`<button type="button" class="icon-button small" aria-label=${t("add.discard")} title=${t("add.discard")} onClick=${() => discard(shot)}><${Icon} name="close" size=${14} /></button>`}</li>`)}</ul>
    ${shots.length > SHOWN && html`<p class="hint">${t("add.andMore", { count: number(shots.length - SHOWN) })}</p>`}</div></div>`;
}

/** @param {{ current: HTMLVideoElement | null }} video @param {string} into */
function useBurst(video, into) {
  const [shots, setShots] = useState(/** @type {Shot[]} */ ([]));
  const [isHeld, setHeld] = useState(false);
  const shot = useShot();
  const held = useRef(false);
  const waiting = useRef(0);
  const target = useRef(into);
  target.current = into;
  const take = async () => {
    if (!video.current?.videoWidth || waiting.current >= WAITING) return;
    const [key, name] = [++last, target.current];
    const jpeg = await shot(video.current, WIDTH, QUALITY);
    if (!jpeg) return;
    waiting.current++;
    const url = URL.createObjectURL(jpeg);
    setShots((known) => [...known, { key, url, id: null, into: name, isGone: false }]);
    try {
      const { id = null } = await api.addShot(jpeg, name);
      setShots((known) => known.map((each) => (each.key === key ? { ...each, id } : each)));
    } catch (error) {
      setShots((known) => known.filter((each) => each.key !== key));
      release();
      report(error);
    } finally {
      waiting.current--;
    }
  };
  const hold = async () => {
    if (held.current) return;
    held.current = true;
    setHeld(true);
    while (held.current) {
      await take();
      await new Promise((done) => setTimeout(done, BETWEEN));
    }
  };
  const release = () => {
    held.current = false;
    setHeld(false);
  };
  /** The file stays; the photo is excluded, which can be undone. @param {Shot} gone */
  const discard = async (gone) => {
    if (gone.id !== null && (await setLabel([gone.id], null))) setShots((known) => known.map((each) => (each.key === gone.key ? { ...each, isGone: true } : each)));
  };
  useEffect(() => release, []);
  return { shots, isHeld, hold: () => void hold(), release, discard };
}
