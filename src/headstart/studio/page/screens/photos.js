// The collection: classes at the side, photos in a grid, what is selected below.

import { api } from "../api.js";
import { cellSize, crops, GridView } from "../components/grid-view.js";
import { Icon } from "../components/icon.js";
import { SelectionBar } from "../components/selection-bar.js";
import { Sidebar } from "../components/sidebar.js";
import { Toolbar } from "../components/toolbar.js";
import { openViewer } from "../components/viewer.js";
import { t } from "../i18n.js";
import { useKeys } from "../keyboard.js";
import { moveTo, newClass, setLabel } from "../labelling.js";
import { queryOf } from "../query.js";
import { go, href } from "../router.js";
import { clearSelection, selected } from "../selection.js";
import { answers, classes, collection, features, generation, photosChanged, reading, report } from "../store.js";
import { html, useEffect, useRef, useState } from "../ui.js";

/** @import { Grid } from "../grid/grid.js" */
/** @import { Section } from "../grid/layout.js" */
/** @typedef {{ ids: Int32Array, sections: Section[] | null, of: string }} Found */

const CAPTIONED = ["doubt", "unsure", "sure", "novelty"]; // orders in which the class is of interest
let returning = /** @type {{ of: string, top: number, active: number } | null} */ (null); // to where the user was

/** @param {{ params: URLSearchParams }} props */
export default function Photos({ params }) {
  const [found, setFound] = useState(/** @type {Found | null} */ (null));
  const [isSidebarOpen, setSidebarOpen] = useState(false);
  const grid = useRef(/** @type {Grid | null} */ (null));
  const of = `${generation.value} ${params.toString()}`;
  const changes = photosChanged.value;

  useEffect(() => {
    const giving = new AbortController();
    api.query(queryOf(params), giving.signal).then(({ ids, sections }) => {
      const named = sections?.length ? sections.map(([name, count]) => ({ name, count })) : null;
      setFound({ ids, sections: named && queryOf(params).sort === "class" ? named : null, of });
      keepSelection(ids);
    }, report);
    return () => giving.abort();
  }, [of, changes]);
  useEffect(() => setSidebarOpen(false), [of]);
  useEffect(() => {
    if (found && returning?.of === found.of && grid.current) {
      grid.current.moveTo(returning.active, { keep: true });
      grid.current.element.scrollTop = returning.top;
    }
    if (document.activeElement === document.body) grid.current?.element.focus({ preventScroll: true });
  }, [found?.of]);
  useEffect(() => () => {
    if (grid.current) returning = { of, top: grid.current.element.scrollTop, active: grid.current.active };
  }, [of]);

  const ids = () => {
    if (selected.value.size) return [...selected.value];
    return grid.current?.ids.length ? [grid.current.ids[grid.current.active]] : [];
  };
  const after = () => grid.current?.element.focus({ preventScroll: true });
  const label = async (/** @type {string | null} */ name) => (await setLabel(ids(), name)) && after();
  useKeys({
    ...Object.fromEntries(classes.value.slice(0, 9).map((each, index) => [String(index + 1), () => void label(each.name)])),
    l: () => void moveTo(ids()).then(after),
    n: () => void newClass([...selected.value]).then(after),
    x: () => void label(null),
    delete: () => void label(null),
    m: () => ids().length === 1 && go("photos", { like: ids()[0] }),
    "/": () => document.getElementById("search")?.focus(),
    escape: () => (isSidebarOpen ? setSidebarOpen(false) : void clearSelection()),
  });
  const drop = async (/** @type {number[]} */ dropped, /** @type {HTMLElement} */ target) => {
    const name = target.dataset.drop ?? "";
    if (await setLabel(dropped, name.startsWith("class:") ? name.slice(6) : null)) after();
  };
  const captions = CAPTIONED.includes(params.get("sort") ?? "") || ["like", "finding", "right", "cell", "confidence", "changed", "excluded", "ids"].some((name) => params.has(name));
  return html`<div class=${`photos ${isSidebarOpen ? "sidebar-open" : ""}`}>
    <${Sidebar} params=${params} />
    <div class="scrim" onClick=${() => setSidebarOpen(false)} />
    <section class="stage" aria-label=${t("nav.photos")}>
      <h1 class="sr-only">${collection.value?.name}</h1>
      <${Toolbar} params=${params} total=${found?.of === of ? found.ids.length : null} onSidebar=${() => setSidebarOpen(!isSidebarOpen)} />
      ${found && !found.ids.length ? html`<${Nothing} params=${params} />` : found && html`<${GridView} ids=${found.ids} sections=${found.sections} of=${found.of} cell=${cellSize.value} captions=${captions} crop=${crops.value}
        label=${t("grid")} open=${(/** @type {number} */ index) => openViewer(found.ids, index, { onMove: (at) => grid.current?.moveTo(at, { keep: true }) })} drop=${drop} onReady=${(/** @type {Grid} */ made) => (grid.current = made)} />`}
      <${SelectionBar} after=${after} />
    </section>
  </div>`;
}

/** What left the view is no longer selected. @param {Int32Array} ids */
function keepSelection(ids) {
  if (!selected.value.size) return;
  const shown = new Set(ids);
  const kept = [...selected.value].filter((id) => shown.has(id));
  if (kept.length !== selected.value.size) selected.value = new Set(kept);
}

/** @param {{ params: URLSearchParams }} props */
function Nothing({ params }) {
  const isWaiting = (params.has("right") || params.has("cell") || params.has("confidence")) && !answers.value;
  if (!collection.value?.photos && !reading.value)
    return html`<div class="empty"><${Icon} name="photos" size=${40} /><h2>${t("photos.none")}</h2><p>${t("photos.noneText")}</p><a class="button primary" href=${href("add")}>${t("collection.add")}</a></div>`;
  return html`<div class="empty"><${Icon} name="search" size=${32} /><h2>${t(isWaiting ? "photos.notYet" : "photos.noMatch")}</h2>
    <p>${t(isWaiting ? (features.value ? "photos.notYetText" : "photos.noAnswersText") : "photos.noMatchText")}</p><a class="button" href=${href("photos")}>${t("photos.showAll")}</a></div>`;
}
