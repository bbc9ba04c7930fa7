// Above the grid: how many photos, what restricts them, their order, their size.

import { html, useEffect, useRef } from "../ui.js";
import { t } from "../i18n.js";
import { changed, chips, OF_ANSWERS, SORTS } from "../query.js";
import { go, href } from "../router.js";
import { answers, collection } from "../store.js";
import { thumbnailUrl } from "../api.js";
import { cellSize, crops, setCellSize, setCrops } from "./grid-view.js";
import { Filters } from "./filters.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";

/** @param {{ params: URLSearchParams, total: number | null, onSidebar: () => void }} props total: null while it is not known */
export function Toolbar({ params, total, onSidebar }) {
  const put = (/** @type {Record<string, unknown>} */ changes, replace = false) => go("photos", changed(params, changes), { replace });
  const found = collection.value;
  const like = params.get("like");
  const active = chips(params);
  const sort = like !== null ? "likeness" : (params.get("sort") ?? "class");
  return html`<div class="toolbar" role="toolbar" aria-label=${t("toolbar")}>
    <button class="icon-button only-narrow" aria-label=${t("sidebar")} title=${t("sidebar")} onClick=${onSidebar}><${Icon} name="sidebar" /></button>
    <p class="total number" role="status">${total === null ? "" : t("photos.count", { count: total })}</p>
    ${like !== null && html`<span class="chip like"><img src=${thumbnailUrl(found?.generation ?? 0, Number(like))} alt="" />${t("like.this")}
      <button aria-label=${t("filter.remove", { name: t("like.this") })} onClick=${() => put({ like: null })}><${Icon} name="close" size=${14} /></button></span>`}
    ${active.map((chip) => html`<span class="chip" key=${chip.key}><span class="ellipsis">${chip.text}</span>
      <button aria-label=${t("filter.remove", { name: chip.text })} onClick=${() => put(chip.changes)}><${Icon} name="close" size=${14} /></button></span>`)}
    ${active.length > 1 && html`<button class="link" onClick=${() => go("photos", params.has("sort") ? { sort: params.get("sort") } : {})}>${t("filter.clear")}</button>`}
    ${found && found.unlabelled > 0 && !answers.value?.accuracy && html`<a class="button primary" href=${href("queue")}><${Icon} name="queue" size=${18} />${t("photos.label")}</a>`}
    <span class="spacer" />
    <${Search} value=${params.get("text") ?? ""} onInput=${(/** @type {string} */ text) => put({ text: text || null }, true)} />
    <${Filters} params=${params} put=${put} />
    <label class="sort"><span class="sr-only">${t("sort")}</span>
      <select value=${sort} onChange=${(/** @type {any} */ event) => put({ sort: event.target.value === "class" ? null : event.target.value, like: null })}>
        ${like !== null && html`<option value="likeness">${t("sort.likeness")}</option>`}
        ${Object.keys(SORTS).map((name) => html`<option key=${name} value=${name} disabled=${OF_ANSWERS.includes(name) && !answers.value}>${t(`sort.${name}`)}</option>`)}
      </select></label>
    <${Menu} label=${t("view")} entries=${() => [
      { heading: t("view.size") },
      ...[72, 104, 132, 176, 240].map((size) => ({ label: t(`view.size.${size}`), checked: cellSize.value === size, do: () => setCellSize(size) })),
      /** @type {const} */ ("line"),
      { heading: t("view.crop") },
      { label: t("view.whole"), checked: !crops.value, do: () => setCrops(false) },
      { label: t("view.square"), checked: crops.value, do: () => setCrops(true) },
    ]}><${Icon} name="sliders" /><//>
  </div>`;
}

/** @param {{ value: string, onInput: (text: string) => void }} props */
function Search({ value, onInput }) {
  const timer = useRef(0);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = value;
  }, [value]);
  return html`<div class="search-box"><${Icon} name="search" size=${16} />
    <input id="search" ref=${input} type="search" placeholder=${t("search")} aria-label=${t("search.label")} autocomplete="off" spellcheck="false" defaultValue=${value}
      onInput=${(/** @type {any} */ event) => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onInput(event.target.value.trim()), 200);
      }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape" && event.key !== "Enter") return;
        if (event.key === "Escape" && input.current) onInput((input.current.value = ""));
        /** @type {HTMLElement | null} */ (document.querySelector(".grid"))?.focus();
      }} /></div>`;
}
