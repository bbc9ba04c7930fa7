// Short messages at the lower edge, perhaps with one thing to do about them. Read aloud by screen readers.

import { html, signal } from "../ui.js";
import { t } from "../i18n.js";
import { Icon } from "./icon.js";

/** @typedef {{ label: string, do: () => void }} Action */
/** @typedef {{ id: number, text: string, kind: "" | "good" | "bad", action: Action | null }} Toast */

export const toasts = signal(/** @type {Toast[]} */ ([]));
let last = 0;

/** @param {string} text @param {{ kind?: "" | "good" | "bad", action?: Action | null, seconds?: number }} [how] */
export function toast(text, { kind = "", action = null, seconds = kind === "bad" ? 12 : 6 } = {}) {
  const id = ++last;
  // what can be done about the one before, such as undo, would be done to this one now
  const kept = toasts.value.filter((each) => each.text !== text && !(action && each.action));
  toasts.value = [...kept, { id, text, kind, action }].slice(-3);
  setTimeout(() => dismiss(id), 1000 * seconds);
}
/** @param {number} id */
const dismiss = (id) => (toasts.value = toasts.value.filter((each) => each.id !== id));

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
    ${toasts.value.map(
      (each) => html`<div class=${`toast ${each.kind}`} key=${each.id}>
        ${each.kind && html`<${Icon} name=${each.kind === "bad" ? "alert" : "check"} />`}
        <span>${each.text}</span>
        ${each.action &&
        html`<button class="link" onClick=${() => (dismiss(each.id), each.action?.do())}>${each.action.label}</button>`}
        <button class="icon-button small" aria-label=${t("close")} onClick=${() => dismiss(each.id)}><${Icon} name="close" /></button>
      </div>`,
    )}
  </div>`;
}
