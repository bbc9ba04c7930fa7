// What can be done with the photos that are selected. It is there while some are.

import { html } from "../ui.js";
import { t } from "../i18n.js";
import { moveTo, newClass, setLabel } from "../labelling.js";
import { go } from "../router.js";
import { clearSelection, selected, selectedCount } from "../selection.js";
import { classes } from "../store.js";
import { Icon } from "./icon.js";

const OFFERED = 5; // classes that have a button

/** @param {{ after?: () => void, view?: boolean }} props after: a label was set. view: offer to show them in the grid */
export function SelectionBar({ after, view }) {
  const count = selectedCount.value;
  if (!count) return null;
  const ids = () => [...selected.value];
  const label = async (/** @type {string | null} */ name) => (await setLabel(ids(), name)) && after?.();
  return html`<div class="selection-bar" role="toolbar" aria-label=${t("selection", { count })}>
    <button class="icon-button" aria-label=${t("selection.none")} title=${`${t("selection.none")} (Esc)`} onClick=${clearSelection}><${Icon} name="close" /></button>
    <strong class="number" role="status">${t("selection", { count })}</strong>
    <span class="line" />
    <div class="offered">${classes.value.slice(0, OFFERED).map((each, index) => html`<button key=${each.name} onClick=${() => label(each.name)} title=${t("selection.moveTo", { name: each.name })}>
      <kbd>${index + 1}</kbd><span class="ellipsis">${each.name}</span></button>`)}</div>
    <button class="move" onClick=${() => moveTo(ids()).then((name) => name && after?.())} title=${t("labels.moveTitle", { count })}><${Icon} name="tag" size=${18} /><span>${t(classes.value.length > OFFERED ? "selection.other" : "selection.move")}</span> <kbd>L</kbd></button>
    <button class="icon-button" aria-label=${t("class.new")} title=${`${t("class.new")} (N)`} onClick=${() => newClass(ids()).then((name) => name && after?.())}><${Icon} name="add" /></button>
    <button class="icon-button" aria-label=${t("exclude")} title=${`${t("exclude")} (X)`} onClick=${() => label(null)}><${Icon} name="exclude" /></button>
    ${count === 1 && html`<button class="icon-button" aria-label=${t("like")} title=${`${t("like")} (M)`} onClick=${() => go("photos", { like: ids()[0] })}><${Icon} name="like" /></button>`}
    ${view && html`<button onClick=${() => go("photos", { ids: ids().slice(0, 2000).join(",") })}><${Icon} name="photos" size=${18} />${t("selection.view")}</button>`}
  </div>`;
}
