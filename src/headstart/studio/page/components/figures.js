// A share with its interval, drawn on a line, and beside it in words. Drawings are decoration: the words say it all.

import { percent, t } from "../i18n.js";
import { html } from "../ui.js";

/** @import { Share } from "../api.js" */

const at = (/** @type {number} */ value) => `${100 * Math.min(1, Math.max(0, value))}%`;

/** Where a line begins that shows a share and its baseline. @param {Share} share @param {number} [baseline] */
export const lineStart = (share, baseline = 1) => Math.max(0, Math.floor(10 * (Math.min(share.low, baseline) - 0.05)) / 10);

/**
 * From 0 to 100%: the interval as a band, the value as a dot, and a mark for what guessing would score.
 * @param {{ share: Share, baseline?: { class: string, value: number } | null, from?: number }} props from: where the line begins
 */
export function Scale({ share, baseline = null, from = 0 }) {
  const place = (/** @type {number} */ value) => at((value - from) / (1 - from));
  const step = from < 0.5 ? 0.2 : from < 0.8 ? 0.1 : 0.05;
  const ticks = [...Array(6).keys()].map((count) => 1 - count * step).filter((tick) => tick >= from - 1e-9);
  return html`<div class="scale" aria-hidden="true">
    <div class="scale-line">
      ${baseline && html`<span class="scale-baseline" style=${{ left: place(baseline.value) }} />`}
      <span class="scale-band" style=${{ left: place(share.low), right: `calc(100% - ${place(share.high)})` }} />
      <span class="scale-dot" style=${{ left: place(share.value) }} />
    </div>
    <div class="scale-ticks">${ticks.map((tick) => html`<span key=${tick} style=${{ left: place(tick) }}>${percent(tick, 0)}</span>`)}</div>
  </div>`;
}

/** The same, small, for the row of a table. @param {{ share: Share }} props */
export const Whisker = ({ share }) => html`<span class="whisker" aria-hidden="true">
  <span class="whisker-band" style=${{ left: at(share.low), right: `calc(100% - ${at(share.high)})` }} />
  <span class="whisker-dot" style=${{ left: at(share.value) }} /></span>`;

/** @param {{ share: Share | null }} props */
export const ShareText = ({ share }) =>
  share
    ? html`<span class="number">${percent(share.value)} <span class="between">${t("share.between", { low: percent(share.low), high: percent(share.high) })}</span></span>`
    : html`<span class="hint">${t("share.none")}</span>`;

/** Probabilities of classes, the most probable first. @param {{ rows: [string, number][], kind?: string }} props */
export const Probabilities = ({ rows, kind = "" }) => html`<ul class=${`probabilities plain ${kind}`}>
  ${rows.map(([name, value]) => html`<li key=${name}><span class="ellipsis">${name}</span><span class="number">${percent(value)}</span>
    <span class="meter"><span style=${{ width: at(value) }} /></span></li>`)}
</ul>`;
