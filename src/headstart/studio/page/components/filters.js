// The panel of filters that have no row at the side: splits, right or wrong, confidence.

import { listenOutside } from "../listening.js";
import { html, useEffect, useId, useRef, useState } from "../ui.js";
import { t } from "../i18n.js";
import { answers, collection } from "../store.js";
import { Icon } from "./icon.js";

/** @param {{ params: URLSearchParams, put: (changes: Record<string, unknown>) => void }} props */
export function Filters({ params, put }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    if (!isOpen) return;
    /** @type {HTMLElement | null} */ (root.current?.querySelector(".panel input, .panel button"))?.focus();
    return listenOutside(root, () => setOpen(false));
  }, [isOpen]);
  const count = ["split", "right", "confidence"].filter((name) => params.has(name)).length;
  const splits = Object.entries(collection.value?.splits ?? {}).filter(([, photos]) => photos);
  const chosen = params.getAll("split");
  const right = params.get("right");
  const [low, high] = (params.get("confidence") ?? "0-1").split("-").map(Number);
  const setConfidence = (/** @type {number} */ from, /** @type {number} */ to) =>
    put({ confidence: from <= 0 && to >= 1 ? null : `${Math.min(from, to)}-${Math.max(from, to)}` });
  return html`<div class="menu-root" ref=${root} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  }}>
    <button aria-expanded=${isOpen} aria-controls=${isOpen ? id : undefined} title=${t("filter")} aria-pressed=${count > 0 ? "true" : undefined} onClick=${() => setOpen(!isOpen)}><${Icon} name="filter" size=${18} />
      <span class="wide-words">${t("filter")}</span>${count > 0 && html`<span class="number">${count}</span>`}</button>
    ${isOpen && html`<div class="panel" id=${id} role="group" aria-label=${t("filter")}>
      ${splits.length > 1 && html`<fieldset><legend>${t("filter.split")}</legend>${splits.map(([name]) => html`<label class="check" key=${name}><input type="checkbox" checked=${chosen.includes(name)}
        onChange=${() => put({ split: chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name] })} />${t(`split.${name}`)}</label>`)}</fieldset>`}
      <fieldset disabled=${!answers.value}><legend>${t("filter.answer")}</legend>
        ${[[null, "filter.any"], ["true", "filter.right"], ["false", "filter.wrong"]].map(([value, key]) => html`<label class="check" key=${key}><input type="radio" name=${`${id}-right`} checked=${right === value} onChange=${() => put({ right: value })} />${t(/** @type {string} */ (key))}</label>`)}
      </fieldset>
      <fieldset disabled=${!answers.value}><legend>${t("filter.confidenceOf", { low: Math.round(100 * low), high: Math.round(100 * high) })}</legend>
        <label class="range"><span>${t("filter.from")}</span><input type="range" min="0" max="100" step="5" value=${Math.round(100 * low)} onChange=${(/** @type {any} */ event) => setConfidence(event.target.value / 100, high)} /></label>
        <label class="range"><span>${t("filter.to")}</span><input type="range" min="0" max="100" step="5" value=${Math.round(100 * high)} onChange=${(/** @type {any} */ event) => setConfidence(low, event.target.value / 100)} /></label>
      </fieldset>
      ${!answers.value && html`<p class="hint">${t("filter.noAnswers")}</p>`}
    </div>`}
  </div>`;
}
