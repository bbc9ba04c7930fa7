// A picker of this machine's folders: places, the way to where one is, folders and collections in it.

import { api } from "../api.js";
import { has, t } from "../i18n.js";
import { report } from "../store.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { Dialog, open } from "./dialog.js";
import { Icon } from "./icon.js";

/** @import { Places } from "../api.js" */

/** @param {{ title: string, from: string, files: boolean, choose: string, done: (path?: string) => void }} props */
function FolderPicker({ title, from, files, choose, done }) {
  const [found, setFound] = useState(/** @type {Places | null} */ (null));
  const [text, setText] = useState("");
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const look = (/** @type {string} */ path) => api.places(path).then((places) => {
    setFound(places);
    setText("");
    list.current?.scrollTo(0, 0);
  }, report);
  useEffect(() => void look(from), []);
  const parts = found ? trail(found.path) : [];
  const wanted = text.toLocaleLowerCase();
  const rows = found ? [...found.folders.map((each) => ({ ...each, kind: "folder" })), ...(files ? found.files : [])].filter((each) => each.name.toLocaleLowerCase().includes(wanted)) : [];
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const buttons = /** @type {HTMLElement[]} */ ([...(list.current?.querySelectorAll("button") ?? [])]);
    const now = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: now + 1, ArrowUp: now - 1 }[event.key];
    if (to !== undefined && buttons.length) (event.preventDefault(), buttons[Math.max(0, Math.min(to, buttons.length - 1))].focus());
    if (event.key === "Backspace" && event.target !== document.activeElement?.closest("input") && found?.parent) (event.preventDefault(), look(found.parent));
  };
  return html`<${Dialog} title=${title} done=${done} width="wide" onSubmit=${() => found && done(found.path)}
    actions=${html`<span class="hint ellipsis chosen">${found?.path}</span><button type="button" onClick=${() => done()}>${t("cancel")}</button><button class="primary" disabled=${!found}>${choose}</button>`}>
    <div class="picker" onKeyDown=${onKeyDown}>
      <ul class="plain places" aria-label=${t("picker.places")}>${found?.places.map((each) => html`<li key=${each.path}><button type="button" class="quiet" aria-current=${each.path === found.path ? "true" : undefined} onClick=${() => look(each.path)}><${Icon} name="folder" size=${18} /><span class="ellipsis">${has(`place.${each.name}`) ? t(`place.${each.name}`) : each.name}</span></button></li>`)}</ul>
      <div class="inside">
        <nav class="trail" aria-label=${t("picker.trail")}>${parts.map((part, index) => html`${index > 0 && html`<${Icon} name="right" size=${14} />`}<button type="button" class="link" aria-current=${index === parts.length - 1 ? "true" : undefined} onClick=${() => look(part.path)}>${part.name}</button>`)}</nav>
        <input class="wide" type="search" placeholder=${t("picker.filter")} aria-label=${t("picker.filter")} value=${text} autofocus onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
        <ul class="plain rows" ref=${list}>
          ${rows.map((row) => html`<li key=${row.path}><button type="button" class="quiet" onClick=${() => (row.kind === "folder" ? look(row.path) : done(row.path))}><${Icon} name=${row.kind === "folder" ? "folder" : "file"} size=${18} /><span class="ellipsis">${row.name}</span>${row.kind === "folder" ? html`<${Icon} name="right" size=${16} />` : html`<span class="tag">${row.kind}</span>`}</button></li>`)}
          ${found && !rows.length && html`<li class="hint nothing">${t("picker.nothing")}</li>`}
        </ul>
      </div>
    </div>
  <//>`;
}

/** "/a/b" -> the folders on the way, each with its path. Of Windows too. @param {string} path */
function trail(path) {
  const separator = path.includes("\\") ? "\\" : "/";
  const names = path.split(separator).filter(Boolean);
  const root = separator === "/" ? [{ name: "/", path: "/" }] : [];
  return [...root, ...names.map((name, index) => ({ name, path: (separator === "/" ? "/" : "") + names.slice(0, index + 1).join(separator) + (separator === "\\" && !index ? "\\" : "") }))];
}

/** @param {{ title: string, choose: string, from?: string, files?: boolean }} question files: offer collections in a file too @returns {Promise<string | null>} a path */
export const chooseFolder = ({ title, choose, from = "", files = true }) => open(FolderPicker, { title, choose, from, files });
