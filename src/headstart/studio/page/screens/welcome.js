// Opening a collection: by a picker of folders, by its path, one of the last ones, or a new one that is yet to be filled.

import { api } from "../api.js";
import { chooseFolder } from "../components/folder-picker.js";
import { Dialog, open } from "../components/dialog.js";
import { Icon } from "../components/icon.js";
import { number, t } from "../i18n.js";
import { go } from "../router.js";
import { inWords } from "../problems.js";
import { attempt, collection, loadState, opening, reading } from "../store.js";
import { html, useEffect, useId, useRef, useState } from "../ui.js";

const KEY = "headstart-recent";
const KEPT = 6;
/** @returns {string[]} */
function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    return []; // somebody else's
  }
}
/** @param {string} path */
const remember = (path) => localStorage.setItem(KEY, JSON.stringify([path, ...recent().filter((each) => each !== path)].slice(0, KEPT)));

export default function Welcome() {
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const path = useRef(/** @type {HTMLInputElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    if (collection.value) remember(collection.value.path);
  }, [collection.value?.path]);
  const openPath = async (/** @type {string} */ wanted) => {
    const given = wanted.trim().replace(/^["']|["']$/g, "");
    if (!given || busy) return;
    setBusy(given);
    setProblem("");
    try {
      await api.open(given);
      remember(given);
      await loadState();
      go("photos");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy("");
    }
  };
  const pick = async () => {
    const found = await chooseFolder({ title: t("open.pick"), choose: t("open.choose") });
    if (found) openPath(found);
  };
  const create = async () => {
    const made = /** @type {{ folder: string, classes: string[] } | null} */ (await open(NewCollection));
    if (!made) return;
    const found = await attempt(() => api.create(made.folder, made.classes));
    if (!found) return;
    remember(made.folder);
    await loadState();
    go("add");
  };
  const isOpening = busy || (opening.value && !opening.value.problem ? opening.value.path : "");
  const last = recent().filter((each) => each !== collection.value?.path);
  return html`<div class="welcome">
    <div><h1>${t("open.title")}</h1><p class="lead">${t("open.lead")}</p></div>
    <div class="ways">
      <button class="way" onClick=${pick} disabled=${!!busy}><span class="badge"><${Icon} name="folder" size=${26} /></span><span><strong>${t("open.folder")}</strong><span class="hint">${t("open.folderHint")}</span></span><${Icon} name="right" /></button>
      <button class="way" onClick=${create} disabled=${!!busy}><span class="badge"><${Icon} name="camera" size=${26} /></span><span><strong>${t("open.new")}</strong><span class="hint">${t("open.newHint")}</span></span><${Icon} name="right" /></button>
    </div>
    <form class="by-path" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), openPath(path.current?.value ?? ""))}>
      <label for=${id}>${t("open.path")}</label>
      <div><input id=${id} ref=${path} type="text" placeholder=${t("open.pathExample")} spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby=${`${id}-problem`} /><button disabled=${!!busy}>${busy ? html`<span class="spinner small" />` : null}${t("nav.open")}</button></div>
      <p class="problem" id=${`${id}-problem`} role="alert">${problem || (!collection.value && opening.value?.problem ? inWords(opening.value.problem) : "")}</p>
      ${isOpening && html`<p class="hint" role="status">${reading.value ? t("status.reading", reading.value) : t("open.opening", { path: isOpening })}</p>`}
    </form>
    ${last.length > 0 && html`<section><h2 class="small">${t("open.recent")}</h2><ul class="plain recent">${last.map((each) => html`<li key=${each}><button class="quiet" onClick=${() => openPath(each)} disabled=${!!busy}><${Icon} name="folder" size=${18} /><span class="ellipsis"><strong>${each.split(/[/\\]/).filter(Boolean).pop()}</strong> <span class="hint">${each}</span></span></button></li>`)}</ul></section>`}
    <section class="how"><h2 class="small">${t("open.how")}</h2><ol>${[1, 2, 3, 4].map((step) => html`<li key=${step}><span class="step">${number(step)}</span><span>${t(`open.how.${step}`)}</span></li>`)}</ol><p class="hint">${t("open.private")}</p></section>
  </div>`;
}

/** @param {{ done: (made?: { folder: string, classes: string[] }) => void }} props */
function NewCollection({ done }) {
  const [folder, setFolder] = useState("");
  const [names, setNames] = useState("");
  const id = useId();
  const classes = [...new Set(names.split(/[\n,;]/).map((each) => each.trim()).filter(Boolean))];
  return html`<${Dialog} title=${t("open.new")} done=${done} onSubmit=${() => folder.trim() && done({ folder: folder.trim(), classes })}
    actions=${html`<button type="button" onClick=${() => done()}>${t("cancel")}</button><button class="primary" disabled=${!folder.trim()}>${t("class.create")}</button>`}>
    <label for=${`${id}f`}>${t("open.newFolder")}</label>
    <input id=${`${id}f`} class="wide" value=${folder} placeholder=${t("open.pathExample")} spellcheck="false" autocomplete="off" autofocus onInput=${(/** @type {any} */ event) => setFolder(event.target.value)} />
    <label for=${`${id}c`}>${t("classes")}</label>
    <textarea id=${`${id}c`} class="wide" rows="3" placeholder=${t("open.newClasses")} value=${names} onInput=${(/** @type {any} */ event) => setNames(event.target.value)} />
    <p class="hint">${classes.length ? classes.join(" · ") : t("open.newClassesHint")}</p>
  <//>`;
}
