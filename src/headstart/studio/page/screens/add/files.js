// Files and folders that are dropped or chosen -> into the collection, some at a time; what is skipped, and why.

import { api } from "../../api.js";
import { Icon } from "../../components/icon.js";
import { Bar } from "../../components/meter.js";
import { parts, photosIn, photosOf } from "../../dropping.js";
import { has, number, t } from "../../i18n.js";
import { href } from "../../router.js";
import { report } from "../../store.js";
import { listenToDrops } from "../../listening.js";
import { html, useEffect, useRef, useState } from "../../ui.js";

/** @import { Named, Skipped } from "../../dropping.js" */

const LIMITS = { files: 40, bytes: 48e6 }; // of a request
const SHOWN = 20;

/** @param {{ into: string }} props into: a class; "": by the names of their folders */
export function Files({ into }) {
  const [isOver, setOver] = useState(false);
  const [state, setState] = useState({ done: 0, total: 0, added: 0, isRunning: false, skipped: /** @type {Skipped[]} */ ([]) });
  const files = useRef(/** @type {HTMLInputElement | null} */ (null));
  const folder = useRef(/** @type {HTMLInputElement | null} */ (null));
  const target = useRef(into);
  target.current = into;
  const add = async (/** @type {Named[]} */ photos, /** @type {Skipped[]} */ skipped = []) => {
    const kind = target.current;
    setState((known) => ({ done: 0, total: photos.length, added: 0, isRunning: photos.length > 0, skipped: known.isRunning ? [...known.skipped, ...skipped] : skipped }));
    for (const part of parts(photos, LIMITS)) {
      try {
        const found = await api.addPhotos(part, kind);
        const added = Array.isArray(found.added) ? found.added.length : Number(found.added);
        setState((known) => ({ ...known, done: known.done + part.length, added: known.added + added, skipped: [...known.skipped, ...found.skipped] }));
      } catch (error) {
        report(error);
        setState((known) => ({ ...known, done: known.done + part.length, skipped: [...known.skipped, ...part.map(({ name }) => ({ name, reason: error instanceof Error ? error.message : String(error) }))] }));
      }
    }
    setState((known) => ({ ...known, isRunning: false }));
  };
  useEffect(() => {
    return listenToDrops(setOver, async (dropped) => {
      const { photos, skipped } = await photosIn(dropped);
      add(photos, skipped);
    });
  }, []);
  const take = (/** @type {any} */ event) => {
    add(photosOf(event.target.files));
    event.target.value = ""; // so that the same ones can be chosen again
  };
  return html`<div class=${`drop-zone ${isOver ? "over" : ""}`}><${Icon} name="folder" size=${28} />
      <p>${into ? t("add.drop", { name: into }) : t("add.dropFolders")}</p>
      <div class="actions"><button type="button" class="primary" onClick=${() => files.current?.click()}>${t("add.chooseFiles")}</button><button type="button" onClick=${() => folder.current?.click()}>${t("add.chooseFolder")}</button></div>
      <input ref=${files} type="file" accept="image/*" multiple hidden onChange=${take} /><input ref=${folder} type="file" webkitdirectory multiple hidden onChange=${take} />
      <p class="hint">${into ? t("add.copied") : t("add.folderText")}</p></div>
    ${state.total > 0 && html`<section class="card adding" aria-live="polite">
      <p><strong class="number">${state.isRunning ? t("train.of", { done: state.done, total: state.total }) : t("add.added", { count: state.added })}</strong></p>
      ${state.isRunning ? html`<${Bar} value=${state.done / state.total} label=${t("add.files")} />` : state.added > 0 && html`<p><a href=${href("photos", into ? { class: into } : {})}>${t("add.show")}</a></p>`}</section>`}
    ${state.skipped.length > 0 && html`<${LeftOut} skipped=${state.skipped} />`}`;
}

/** @param {{ skipped: Skipped[] }} props */
const LeftOut = ({ skipped }) => html`<details class="skipped" open=${skipped.length < 6}><summary>${t("add.skipped", { count: skipped.length })}</summary>
  <ul>${skipped.slice(0, SHOWN).map(({ name, reason, code, path = "" }) => html`<li key=${name}><span class="path">${name}</span> <span class="quiet">${has(`add.reason.${code}`) ? t(`add.reason.${code}`, { reason, path }) : reason}</span></li>`)}</ul>
  ${skipped.length > SHOWN && html`<p class="hint">${t("add.andMore", { count: number(skipped.length - SHOWN) })}</p>`}</details>`;
