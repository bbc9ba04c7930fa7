// The shell: the bar at the top, the screen that the address names, dialogs and messages.

import { Dialogs } from "./components/dialog.js";
import { Header } from "./components/header.js";
import { Icon } from "./components/icon.js";
import { showShortcuts } from "./components/shortcuts.js";
import { Toasts } from "./components/toast.js";
import { isViewing, Viewer } from "./components/viewer.js";
import { t } from "./i18n.js";
import { useKeys } from "./keyboard.js";
import { redo, undo } from "./labelling.js";
import { inWords } from "./problems.js";
import { go, route } from "./router.js";
import { loadOthers, SCREENS } from "./screens.js";
import { collection, connection, start, title } from "./store.js";
import { effect, html, render, useEffect, useErrorBoundary, useState } from "./ui.js";

/** @import { Screen } from "./screens.js" */

/** @returns {Screen} what the address names, as far as it can be shown */
function wanted() {
  const screen = SCREENS.find((each) => each.name === route.value.name);
  if (!collection.value && (!screen || screen.needs)) return /** @type {Screen} */ (SCREENS.find((each) => each.name === "open"));
  return screen ?? SCREENS[0];
}

/** @param {{ screen: Screen }} props */
function Shown({ screen }) {
  const [found, setFound] = useState(/** @type {{ component: any } | null} */ (null));
  const [error, reset] = useErrorBoundary((fault) => console.error(fault));
  const [loadFault, setLoadFault] = useState(/** @type {Error | null} */ (null));
  useEffect(() => {
    screen.load().then((module) => (setFound({ component: module.default }), loadOthersSoon()), setLoadFault);
  }, [screen]);
  const fault = error ?? loadFault;
  if (fault)
    return html`<div class="empty"><${Icon} name="alert" size=${32} /><h1>${t("fault.title")}</h1><p>${String(fault.message ?? fault)}</p>
      <button onClick=${() => (reset(), location.reload())}>${t("reload")}</button></div>`;
  if (!found) return null;
  return html`<${found.component} params=${route.value.params} rest=${route.value.rest} />`;
}

const BEFORE_OTHERS = 2000; // milliseconds: until then the first photos come
let areOthersAsked = false;
/** The other screens, once the first is there and the browser has nothing else to do. */
function loadOthersSoon() {
  if (areOthersAsked) return;
  areOthersAsked = true;
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(loadOthers), BEFORE_OTHERS);
}

function App() {
  const screen = wanted();
  useKeys({
    "ctrl+z": () => void undo(),
    "ctrl+shift+z": () => void redo(),
    "ctrl+y": () => void redo(),
    "?": () => void showShortcuts(),
    ...Object.fromEntries(SCREENS.filter((each) => each.tab).map((each, index) => [`alt+${index + 1}`, () => go(each.name)])),
  });
  useEffect(() => document.getElementById("main")?.scrollTo(0, 0), [screen.name]);
  if (connection.value === "starting") return html`<div class="starting" role="status" aria-label=${t("loading")}><span class="spinner" /></div>`;
  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => (event.preventDefault(), document.getElementById("main")?.focus())}>${t("skip")}</a>
    <${Header} current=${screen.name} />
    ${connection.value === "offline" && html`<p class="offline" role="alert">${t("offline")}</p>`}
    ${collection.value?.problem && html`<p class="offline" role="alert">${inWords(collection.value.problem)}</p>`}
    <main id="main" tabindex="-1" class=${screen.fills ? "fills" : ""}><${Shown} key=${screen.name} screen=${screen} /></main>
    <${Viewer} /><${Dialogs} />${!isViewing.value && html`<${Toasts} />`}`;
}

// The focus in a grid is drawn for those who use keys.
addEventListener("keydown", () => document.documentElement.classList.add("keyed"), { capture: true });
addEventListener("pointerdown", () => document.documentElement.classList.remove("keyed"), { capture: true });

effect(() => {
  document.title = title.value;
});
start();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
