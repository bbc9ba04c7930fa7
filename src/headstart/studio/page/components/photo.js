// A photo, with where its answer comes from laid over it.

import { photoUrl } from "../api.js";
import { t } from "../i18n.js";
import { html, useEffect, useRef } from "../ui.js";

/**
 * @typedef {{ width: number, height: number, values: number[], resizing?: string }} Places
 * @param {{ src: string, alt: string, overlay?: string | null, places?: Places | null, isOn: boolean }} props
 * overlay: the address of a picture that is laid over; places: how much each place supports the answer, row by row.
 */
export const PhotoWithMap = ({ src, alt, overlay = null, places = null, isOn }) => html`<div class="with-map">
  <img src=${src} alt=${alt} />
  ${isOn && overlay && html`<img class="map" src=${overlay} alt="" />`}
  ${isOn && places && html`<${Shadow} places=${places} />`}
</div>`;

/** The photo is darker at places that do not support the answer. @param {{ places: Places }} props */
export function Shadow({ places }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    if (!canvas.current) return;
    const most = Math.max(1e-6, ...places.values);
    const pixels = new ImageData(places.width, places.height);
    places.values.forEach((value, place) => (pixels.data[4 * place + 3] = 190 * (1 - Math.max(0, value) / most)));
    canvas.current.getContext("2d")?.putImageData(pixels, 0, 0);
    layOver(canvas.current, places.resizing ?? "stretch");
  }, [places]);
  return html`<canvas class="map" ref=${canvas} width=${places.width} height=${places.height} aria-hidden="true" />`;
}

/** On the square that the network sees. @param {HTMLCanvasElement} canvas @param {string} resizing */
function layOver(canvas, resizing) {
  const image = canvas.parentElement?.querySelector("img");
  if (!image) return;
  if (!image.naturalWidth) return void image.addEventListener("load", () => layOver(canvas, resizing), { once: true });
  const { naturalWidth: width, naturalHeight: height } = image;
  const shorter = Math.min(width, height);
  const side = { crop: shorter, pad: Math.max(width, height), "resize-crop": (shorter * 7) / 8 }[resizing];
  const [across, down] = side ? [side / width, side / height] : [1, 1];
  Object.assign(canvas.style, { width: `${100 * across}%`, height: `${100 * down}%`, left: `${50 * (1 - across)}%`, top: `${50 * (1 - down)}%` });
}

/** A button for the map. @param {{ isOn: boolean, set: (value: boolean) => void }} props */
export const MapToggle = ({ isOn, set }) => html`<button type="button" class="quiet" aria-pressed=${isOn} onClick=${() => set(!isOn)}>${t("map.toggle")}</button>
  ${isOn && html`<p class="hint">${t("map.on")}</p>`}`;

/** @param {{ generation: number, id: number, alt: string }} props */
export const FullPhoto = ({ generation, id, alt }) => html`<img src=${photoUrl(generation, id)} alt=${alt} />`;
