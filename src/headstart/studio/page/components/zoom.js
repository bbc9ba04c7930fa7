// A photo that can be zoomed and moved: wheel, pinch, double click, + and -, drag. The thumbnail is there at once.

import { html, useEffect, useRef, useState } from "../ui.js";
import { useKeys } from "../keyboard.js";
import { Shadow } from "./photo.js";

const MOST = 12;

/** @import { Places } from "./photo.js" */

/** @param {{ src: string, small: string, places?: Places | null, alt: string }} props places: of what supports the answer */
export function Zoom({ src, small, places, alt }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [isLoaded, setLoaded] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const [ratio, setRatio] = useState(1);
  const fit = (/** @type {any} */ event) => setRatio(event.target.naturalWidth / Math.max(1, event.target.naturalHeight));
  const view = useRef({ scale: 1, x: 0, y: 0 });
  const apply = () => {
    const inner = /** @type {HTMLElement | null} */ (frame.current?.firstElementChild);
    if (!inner) return;
    const { scale } = view.current;
    const limit = (/** @type {number} */ value, /** @type {number} */ extent) => Math.max(-(scale - 1) * extent, Math.min(0, value));
    view.current.x = limit(view.current.x, inner.offsetWidth);
    view.current.y = limit(view.current.y, inner.offsetHeight);
    inner.style.transform = `translate(${view.current.x}px, ${view.current.y}px) scale(${scale})`;
    frame.current?.classList.toggle("zoomed", scale > 1);
  };
  const zoom = (/** @type {number} */ factor, /** @type {{ clientX: number, clientY: number } | null} */ at = null) => {
    const box = /** @type {HTMLElement} */ (frame.current).getBoundingClientRect();
    const [px, py] = at ? [at.clientX - box.left, at.clientY - box.top] : [box.width / 2, box.height / 2];
    const { scale, x, y } = view.current;
    const next = Math.max(1, Math.min(MOST, scale * factor));
    view.current = { scale: next, x: px - ((px - x) * next) / scale, y: py - ((py - y) * next) / scale };
    apply();
  };
  useKeys({ "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), "0": () => zoom(0) });
  useEffect(() => {
    const element = /** @type {HTMLElement} */ (frame.current);
    const ending = new AbortController();
    const { signal } = ending;
    /** @type {Map<number, PointerEvent>} */
    const fingers = new Map();
    element.addEventListener("wheel", (event) => (event.preventDefault(), zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 300)), event)), { signal, passive: false });
    element.addEventListener("dblclick", (event) => zoom(view.current.scale > 1 ? 0 : 3, event), { signal });
    element.addEventListener("pointerdown", (event) => (fingers.set(event.pointerId, event), element.setPointerCapture(event.pointerId)), { signal });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) element.addEventListener(name, (event) => void fingers.delete(event.pointerId), { signal });
    element.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
      if (other) {
        const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        zoom(apart(event) / Math.max(1, apart(before)), { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 });
      } else {
        view.current.x += event.clientX - before.clientX;
        view.current.y += event.clientY - before.clientY;
        apply();
      }
      fingers.set(event.pointerId, event);
    }, { signal });
    return () => ending.abort();
  }, []);
  return html`<div class="zoom" ref=${frame}><div class="inner"><div class="fitted" style=${{ "--ratio": ratio }}>
    ${!isLoaded && html`<img class="small" src=${small} alt="" onLoad=${fit} />`}
    ${!isBroken && html`<img class=${`full ${isLoaded ? "" : "loading"}`} src=${src} alt=${alt} draggable=${false} onLoad=${(/** @type {Event} */ event) => (fit(event), setLoaded(true))} onError=${() => setBroken(true)} />`}
    ${places && html`<${Shadow} places=${places} />`}
  </div></div></div>`;
}
