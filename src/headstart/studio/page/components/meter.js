// How far something is, or how much of it: a ring and a bar. The number is said in words beside them.

import { html } from "../ui.js";

/** @param {{ value: number, size?: number }} props value: 0 to 1 */
export function Ring({ value, size = 18 }) {
  const round = 2 * Math.PI * 7;
  return html`<svg class="ring" width=${size} height=${size} viewBox="0 0 18 18" aria-hidden="true">
    <circle cx="9" cy="9" r="7" /><circle class="done" cx="9" cy="9" r="7" stroke-dasharray=${`${round * Math.min(1, Math.max(0, value))} ${round}`} transform="rotate(-90 9 9)" /></svg>`;
}

/** @param {{ value: number, label: string, kind?: string }} props value: 0 to 1 */
export function Bar({ value, label, kind = "" }) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, value)));
  return html`<div class=${`meter ${kind}`} role="progressbar" aria-label=${label} aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100"><span style=${{ width: `${percent}%` }} /></div>`;
}
