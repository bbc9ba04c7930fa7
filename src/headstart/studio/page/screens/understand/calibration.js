// Whether probabilities mean what they say: of answers with 80%, are 80% right?

import { percent, t } from "../../i18n.js";
import { html } from "../../ui.js";

const SIDE = 220;
/** @typedef {{ low: number, high: number, confidence: number, accuracy: number, count: number, accuracy_low?: number, accuracy_high?: number }} Bin */

/** @param {{ answers: import("../../api.js").Counted }} props */
export function Calibration({ answers }) {
  const bins = /** @type {Bin[]} */ (answers.calibration);
  if (!bins.length) return null;
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  const gap = bins.reduce((sum, bin) => sum + (bin.count / total) * Math.abs(bin.accuracy - bin.confidence), 0);
  return html`<h2>${t("understand.calibration")}</h2>
    <div class="calibration">
      <${Diagram} bins=${bins} total=${total} />
      <div><p>${t("calibration.gap", { gap: percent(gap) })}</p><p class="quiet">${t("calibration.lead")}</p>
        <details><summary>${t("calibration.table")}</summary><table>
          <thead><tr><th scope="col">${t("calibration.said")}</th><th scope="col">${t("calibration.was")}</th><th scope="col">${t("classes.photos")}</th></tr></thead>
          <tbody>${bins.map((bin) => html`<tr key=${bin.low}><td>${percent(bin.low, 0)}–${percent(bin.high, 0)}</td><td>${percent(bin.accuracy)}</td><td>${bin.count}</td></tr>`)}</tbody></table></details></div>
    </div>`;
}

/** @param {{ bins: Bin[], total: number }} props */
function Diagram({ bins, total }) {
  const x = (/** @type {number} */ value) => SIDE * value;
  const y = (/** @type {number} */ value) => SIDE * (1 - value);
  return html`<figure class="curve reliability" aria-hidden="true"><svg viewBox=${`-42 -12 ${SIDE + 62} ${SIDE + 40}`}>
    ${[0, 0.5, 1].map((tick) => html`<g key=${tick} class="gridline"><line x1="0" x2=${SIDE} y1=${y(tick)} y2=${y(tick)} /><text x="-6" y=${y(tick)} text-anchor="end" dominant-baseline="middle">${percent(tick, 0)}</text>
      <text x=${x(tick)} y=${SIDE + 18} text-anchor="middle">${percent(tick, 0)}</text></g>`)}
    <line class="ideal" x1="0" y1=${SIDE} x2=${SIDE} y2="0" />
    ${bins.map((bin) => {
      const { low, high } = interval(bin);
      return html`<line key=${`w${bin.low}`} class="whisker-line" x1=${x(bin.confidence)} x2=${x(bin.confidence)} y1=${y(low)} y2=${y(high)} />`;
    })}
    ${bins.map((bin) => html`<circle key=${bin.low} class="bin" cx=${x(bin.confidence)} cy=${y(bin.accuracy)} r=${3 + 7 * Math.sqrt(bin.count / total)} />`)}
  </svg><figcaption class="hint">${t("calibration.axis")}</figcaption></figure>`;
}

/** The server's interval. @param {any} bin */
const interval = (bin) => (typeof bin.accuracy_low === "number" ? { low: bin.accuracy_low, high: bin.accuracy_high } : { low: bin.accuracy, high: bin.accuracy });
