// From "answer always" to "only when sure": how many photos are answered then, and how many of these correctly.

import { percent, t } from "../../i18n.js";
import { placeOfLevel, splitBySureness } from "../../results.js";
import { href } from "../../router.js";
import { html, useState } from "../../ui.js";

/** @import { SurePoint } from "../../api.js" */

const LEVELS = [0.9, 0.95, 0.98, 0.99];
const WIDTH = 320;
const HEIGHT = 150;

/** @param {{ answers: import("../../api.js").Counted }} props */
export function Sureness({ answers }) {
  const curve = /** @type {SurePoint[]} */ (answers.sure_curve);
  const total = answers.accuracy.count;
  const [chosen, setChosen] = useState(0);
  if (!curve.length) return null;
  const place = Math.min(chosen, curve.length - 1);
  const { point, answered, right, wrong, silent } = splitBySureness(curve, place, total);
  const between = point.low !== undefined && point.high !== undefined ? t("share.between", { low: percent(point.low), high: percent(point.high) }) : "";
  return html`<h2>${t("understand.sureness")}</h2>
    <p class="quiet">${t("sureness.lead")}</p>
    <div class="sureness card">
      <div class="sureness-control">
        <label for="sureness-range" class="sr-only">${t("sureness.label")}</label>
        <input id="sureness-range" type="range" min="0" max=${curve.length - 1} value=${place}
          aria-valuetext=${t("sureness.valueText", { answered: percent(point.answered, 0), right: percent(point.right ?? 0) })}
          onInput=${(/** @type {any} */ event) => setChosen(Number(event.target.value))} />
        <div class="ends hint" aria-hidden="true"><span>${t("sureness.always")}</span><span>${t("sureness.onlySure")}</span></div>
        <div class="levels">${LEVELS.map((level) => {
          const at = placeOfLevel(curve, level);
          return html`<button key=${level} type="button" disabled=${at === null} aria-pressed=${at !== null && at === place} onClick=${() => at !== null && setChosen(at)}>${t("sureness.level", { level: percent(level, 0) })}</button>`;
        })}</div>
      </div>
      <div class="sureness-result">
        <p class="pair-of-figures">
          <span><strong class="number">${percent(point.answered, 0)}</strong> ${t("sureness.answered")}</span>
          <span><strong class="number">${percent(point.right ?? 0)}</strong> ${t("sureness.right")} <span class="between number">${between}</span></span>
        </p>
        <div class="stack" aria-hidden="true"><span class="right" style=${{ flexGrow: right }} /><span class="is-wrong" style=${{ flexGrow: wrong }} /><span class="silent" style=${{ flexGrow: silent }} /></div>
        <p class="keys hint"><span class="swatch right" /> ${t("sureness.countRight", { count: right })} <span class="swatch is-wrong" /> ${t("sureness.countWrong", { count: wrong })}
          <span class="swatch silent" /> ${t("sureness.countSilent", { count: silent })}</p>
        <p class="quiet">${point.threshold > 0 ? t("sureness.threshold", { threshold: percent(point.threshold) }) : t("sureness.noThreshold")}
          ${wrong > 0 && html` <a href=${href("photos", { right: false, confidence: [point.threshold, 1], sort: "confidence", descending: true })}>${t("sureness.show", { count: wrong })}</a>`}</p>
      </div>
      <${Curve} curve=${curve} place=${place} set=${setChosen} />
      <p class="hint">${t("sureness.caution")}</p>
    </div>`;
}

/** Accuracy of the answers over how many are given. @param {{ curve: SurePoint[], place: number, set: (place: number) => void }} props */
function Curve({ curve, place, set }) {
  const lowest = Math.min(curve[0].low ?? 1, ...curve.map((each) => each.right ?? 1));
  const from = Math.max(0, Math.floor(lowest * 10 - 0.5) / 10);
  const x = (/** @type {number} */ answered) => WIDTH * (1 - answered);
  const y = (/** @type {number} */ right) => HEIGHT * (1 - (Math.max(right, from) - from) / (1 - from || 1));
  const line = curve.map((each) => `${x(each.answered).toFixed(1)},${y(each.right ?? 0).toFixed(1)}`).join(" ");
  const band = curve.every((each) => each.low !== undefined)
    ? `${curve.map((each) => `${x(each.answered).toFixed(1)},${y(each.high ?? 1).toFixed(1)}`).join(" ")} ${[...curve].reverse().map((each) => `${x(each.answered).toFixed(1)},${y(each.low ?? 0).toFixed(1)}`).join(" ")}`
    : null;
  const point = curve[place];
  const choose = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {SVGElement} */ (event.currentTarget).getBoundingClientRect();
    const answered = 1 - (event.clientX - box.left) / box.width;
    let nearest = 0;
    for (const [at, each] of curve.entries()) if (Math.abs(each.answered - answered) < Math.abs(curve[nearest].answered - answered)) nearest = at;
    set(nearest);
  };
  return html`<figure class="curve" aria-hidden="true">
    <svg viewBox=${`-42 -10 ${WIDTH + 58} ${HEIGHT + 36}`} onPointerDown=${choose} onPointerMove=${(/** @type {PointerEvent} */ event) => event.buttons && choose(event)}>
      ${[from, (from + 1) / 2, 1].map((tick) => html`<g key=${tick} class="gridline"><line x1="0" x2=${WIDTH} y1=${y(tick)} y2=${y(tick)} /><text x="-6" y=${y(tick)} text-anchor="end" dominant-baseline="middle">${percent(tick, 0)}</text></g>`)}
      ${[1, 0.5, 0].map((tick) => html`<text key=${tick} x=${x(tick)} y=${HEIGHT + 18} text-anchor="middle">${percent(tick, 0)}</text>`)}
      ${band && html`<polygon class="band" points=${band} />`}
      <polyline class="trace" points=${line} />
      <line class="now" x1=${x(point.answered)} x2=${x(point.answered)} y1="0" y2=${HEIGHT} /><circle class="now" r="5" cx=${x(point.answered)} cy=${y(point.right ?? 0)} />
    </svg><figcaption class="hint">${t("sureness.axis")}</figcaption></figure>`;
}
