// The bar at the top: the collection, the screens, how good the classifier is, undo and redo, what runs, the settings.

import { api } from "../api.js";
import { duration, LANGUAGES, language, number, percent, setLanguage, t } from "../i18n.js";
import { redo, undo } from "../labelling.js";
import { written } from "../keyboard.js";
import { go, href } from "../router.js";
import { SCREENS } from "../screens.js";
import { answers, attempt, collection, computing, features, labels, loadState, reading, setTheme, theme, version } from "../store.js";
import { html } from "../ui.js";
import { Icon } from "./icon.js";
import { JobsTray } from "./jobs-tray.js";
import { Menu } from "./menu.js";
import { Ring } from "./meter.js";
import { showShortcuts } from "./shortcuts.js";

/** @param {{ current: string }} props */
export function Header({ current }) {
  const open = collection.value;
  return html`<header class="bar">
    <a class="brand" href=${href(open ? "photos" : "open")} aria-label="headstart"><img src="icon.svg" alt="" width="26" height="26" /></a>
    ${open && html`<${Menu} label=${t("collection.menu", { name: open.name })} button="collection-name" align="start" entries=${collectionMenu}>
      <span class="name">${open.name}</span><${Icon} name="down" size=${16} /><//>`}
    ${open ? html`<nav class="tabs" aria-label=${t("nav")}>
      ${SCREENS.filter((screen) => screen.tab).map((screen) => html`<a key=${screen.name} href=${href(screen.name)} aria-current=${screen.name === current ? "page" : undefined}>
        <${Icon} name=${screen.icon} /><span>${t(`nav.${screen.name}`)}</span></a>`)}
    </nav>` : html`<span class="wordmark">headstart <span>studio</span></span>`}
    <div class="end">
      ${open && html`<${Status} /><${Steps} />`}
      <${JobsTray} />
      <${Menu} label=${t("menu")} entries=${menu} />
    </div>
  </header>`;
}

function Steps() {
  const { undo: canUndo, redo: canRedo } = labels.value ?? {};
  return html`<div class="steps">
    <button class="icon-button" disabled=${!canUndo} aria-label=${t("undo")} title=${`${t("undo")} (${written("ctrl+z")})`} onClick=${undo}><${Icon} name="undo" /></button>
    <button class="icon-button" disabled=${!canRedo} aria-label=${t("redo")} title=${`${t("redo")} (${written("ctrl+shift+z")})`} onClick=${redo}><${Icon} name="redo" /></button>
  </div>`;
}

/** How far the photos are looked at; then how good the classifier is. */
function Status() {
  const progress = features.value;
  if (progress) {
    const text = t("status.features", { done: progress.done, total: progress.total });
    const left = progress.seconds_left ? t("status.left", { time: duration(progress.seconds_left) }) : "";
    return html`<a class="status" href=${href("train")} title=${left}><${Ring} value=${progress.done / Math.max(1, progress.total)} /><span class="text">${text}</span></a>`;
  }
  if (reading.value) {
    const { done, total } = reading.value;
    return html`<span class="status"><${Ring} value=${done / Math.max(1, total)} /><span class="text">${t("status.reading", { done, total })}</span></span>`;
  }
  const found = answers.value;
  const stages = computing.value.map((stage) => t(`stage.${stage}`)).join(", ");
  const still = stages && t("status.computing", { stages });
  if (!found?.accuracy) return still && html`<span class="status" title=${still}><span class="spinner small" /><span class="text">${t("status.working")}</span></span>`;
  const { value, low, high } = found.accuracy;
  return html`<a class=${`status accuracy ${found.stale ? "stale" : ""}`} href=${href("understand")} title=${[t("status.accuracyHint"), still].filter(Boolean).join("\n")}>
    ${(found.stale || still) && html`<span class="spinner small" />`}
    <span class="sr-only">${t("status.accuracy")}</span><strong>${percent(value)}</strong>
    <span class="interval">${percent(low, 0)}–${percent(high, 0)}</span></a>`;
}

function collectionMenu() {
  const open = collection.value;
  return [
    { heading: open?.path ?? "" },
    { label: t("collection.add"), icon: "add", do: () => go("add") },
    { label: t("collection.other"), icon: "folder", do: () => go("open") },
    /** @type {const} */ ("line"),
    { label: t("collection.close"), icon: "close", do: () => attempt(async () => (await api.close(), await loadState(), go("open"))) },
  ];
}

function menu() {
  return [
    { heading: t("theme") },
    ...["auto", "light", "dark"].map((name) => ({ label: t(`theme.${name}`), checked: theme.value === name, do: () => setTheme(/** @type {any} */ (name)) })),
    /** @type {const} */ ("line"),
    { heading: t("language") },
    ...Object.entries(LANGUAGES).map(([name, label]) => ({ label, checked: language.value === name, do: () => setLanguage(/** @type {any} */ (name)) })),
    /** @type {const} */ ("line"),
    { label: t("keys.title"), icon: "keyboard", hint: "?", do: showShortcuts },
    { heading: `headstart ${version.value}` },
  ];
}
