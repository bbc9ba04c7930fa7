// The map of the collection: photos that look alike lie close together. The legend hides and shows; a lasso selects.

import { api, thumbnailUrl } from "../api.js";
import { Icon } from "../components/icon.js";
import { SelectionBar } from "../components/selection-bar.js";
import { openViewer } from "../components/viewer.js";
import { baseName, detail, detailsChanged, want } from "../details.js";
import { number, t } from "../i18n.js";
import { useKeys } from "../keyboard.js";
import { moveTo, newClass, setLabel } from "../labelling.js";
import { colourOf, MapCanvas } from "../map/canvas.js";
import { SHAPES } from "../map/points.js";
import { go } from "../router.js";
import { clearSelection, select, selected } from "../selection.js";
import { answers, classes, computing, features, generation, mapChanged, photosChanged, report, theme } from "../store.js";
import { html, signal, useEffect, useLayoutEffect, useMemo, useRef, useSignalEffect, useState } from "../ui.js";

/** @import { Look } from "../map/points.js" */
/** @typedef {{ name: string, key: string, count: number, look: Look }} Group what has one look */
/** @typedef {{ groups: Group[], lookOf: Uint8Array }} Grouped */

const COLOURS = 8; // of classes; the ninth has the first colour again, and another shape
const MANY = 250; // classes that can look different: a number of 8 bits, less one for what is not shown
const by = signal(/** @type {"class" | "answer" | "change"} */ ("class"));
const off = signal(/** @type {ReadonlySet<string>} */ (new Set()));

export default function MapScreen() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const map = useRef(/** @type {MapCanvas | null} */ (null));
  const [places, setPlaces] = useState(/** @type {Float32Array | null} */ (null));
  const [groups, setGroups] = useState(/** @type {Grouped | null} */ (null));
  const [isLassoing, setLassoing] = useState(false);
  const [tip, setTip] = useState(/** @type {{ id: number, x: number, y: number } | null} */ (null));
  const lassoing = useRef(false);
  lassoing.current = isLassoing;

  useEffect(() => {
    let isLatest = true;
    api.map().then((found) => isLatest && setPlaces(found), (error) => (isLatest && setPlaces(new Float32Array()), report(error)));
    return () => void (isLatest = false);
  }, [generation.value, mapChanged.value]);
  const count = places ? places.length >> 1 : 0;
  const hasPlaces = useMemo(() => places?.some((each) => !Number.isNaN(each)) ?? false, [places]);
  useEffect(() => {
    let isLatest = true;
    if (count) group(by.value, count).then((found) => isLatest && setGroups(found), report);
    return () => void (isLatest = false);
  }, [by.value, count, photosChanged.value]);
  useLayoutEffect(() => {
    if (!hasPlaces) return;
    const made = new MapCanvas(/** @type {HTMLCanvasElement} */ (canvas.current), {
      selected: () => selected.peek(),
      select: (ids, add) => select(add ? [...selected.peek(), ...ids] : ids),
      open: (id) => openViewer([id], 0),
      hover: (id, x, y) => (id >= 0 && want([id]), setTip(id >= 0 ? { id, x, y } : null)),
      isLassoing: () => lassoing.current,
    });
    map.current = made;
    return () => made.end();
  }, [hasPlaces]);
  useLayoutEffect(() => {
    if (places && map.current) map.current.show(places, generation.value);
  }, [places, hasPlaces]);
  useLayoutEffect(() => {
    if (!map.current || !groups) return;
    const looks = groups.groups.map(({ look, key }) => ({ ...look, isDim: off.value.has(key) }));
    map.current.looks = { looks, lookOf: groups.lookOf };
    map.current.ask();
  }, [groups, off.value, hasPlaces]);
  useSignalEffect(() => {
    void selected.value, theme.value;
    map.current?.ask();
  });
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const again = () => group(by.value, count).then(setGroups, report);
    dark.addEventListener("change", again);
    return () => dark.removeEventListener("change", again);
  }, [count]);
  useEffect(() => void (count && group(by.value, count).then(setGroups, report)), [theme.value]);

  const ids = () => [...selected.value];
  const label = (/** @type {string | null} */ name) => void (selected.value.size && setLabel(ids(), name));
  const step = 80;
  useKeys({
    arrowleft: () => map.current?.move(step, 0), arrowright: () => map.current?.move(-step, 0), arrowup: () => map.current?.move(0, step), arrowdown: () => map.current?.move(0, -step),
    "+": () => map.current?.zoom(1.5), "=": () => map.current?.zoom(1.5), "-": () => map.current?.zoom(1 / 1.5), "0": () => map.current?.fit(),
    escape: () => void clearSelection(), x: () => label(null), l: () => void moveTo(ids()), n: () => void newClass(ids()), m: () => selected.value.size === 1 && go("photos", { like: ids()[0] }),
    ...Object.fromEntries(classes.value.slice(0, 9).map((each, index) => [String(index + 1), () => label(each.name)])),
  });
  if (!places) return html`<div class="empty"><span class="spinner" /></div>`;
  if (!hasPlaces) return html`<div class="empty">${(features.value || computing.value.includes("map")) && html`<span class="spinner" />`}<${Icon} name="map" size=${40} /><h1>${t("map.none")}</h1><p>${t("map.noneText")}</p></div>`;
  return html`<div class=${`map-screen ${isLassoing ? "lassoing" : ""}`}>
    <h1 class="sr-only">${t("nav.map")}</h1>
    <canvas ref=${canvas} tabindex="0" role="img" aria-label=${t("map.label")} />
    ${groups && html`<${Legend} groups=${groups.groups} />`}
    <div class="map-tools"><div>
      <button class="icon-button" aria-label=${t("map.zoomIn")} title=${`${t("map.zoomIn")} (+)`} onClick=${() => map.current?.zoom(1.6)}><${Icon} name="add" /></button>
      <button class="icon-button" aria-label=${t("map.zoomOut")} title=${`${t("map.zoomOut")} (−)`} onClick=${() => map.current?.zoom(1 / 1.6)}><${Icon} name="minus" /></button>
      <button class="icon-button" aria-label=${t("map.fit")} title=${`${t("map.fit")} (0)`} onClick=${() => map.current?.fit()}><${Icon} name="fit" /></button></div>
      <div><button class="icon-button" aria-pressed=${isLassoing} aria-label=${t("map.lasso")} title=${t("map.lasso")} onClick=${() => setLassoing(!isLassoing)}><${Icon} name="lasso" /></button></div></div>
    ${tip && html`<${Tip} ...${tip} />`}
    <p class="map-hint">${t("map.hint")}</p>
    <${SelectionBar} view=${true} />
  </div>`;
}

/** Which photos look alike on the map. @param {"class" | "answer" | "change"} how @param {number} count @returns {Promise<Grouped>} */
async function group(how, count) {
  const lookOf = new Uint8Array(count).fill(255);
  /** @type {Group[]} */
  const groups = [];
  const add = (/** @type {string} */ key, /** @type {string} */ name, /** @type {Int32Array} */ ids, /** @type {Look} */ look) => {
    for (const id of ids) if (id < count) lookOf[id] = groups.length;
    groups.push({ key, name, count: ids.length, look });
  };
  if (how === "class") {
    const { ids, sections } = await api.query({ sort: "class" });
    let from = 0;
    for (const [index, [name, size]] of (sections ?? [[null, ids.length]]).entries()) {
      const look = name === null ? { colour: colourOf("--ink-3"), shape: 0 } : { colour: colourOf(`--class-${(index % COLOURS) + 1}`), shape: Math.floor(index / COLOURS) % SHAPES };
      if (groups.length < MANY) add(`class:${name ?? ""}`, name ?? t("noClass"), ids.subarray(from, from + size), look);
      from += size;
    }
    return { groups, lookOf };
  }
  const plain = { colour: colourOf("--ink-3"), shape: 0 };
  const all = await api.query({ sort: "name" });
  add(how, t(how === "answer" ? "map.agree" : "map.unchanged"), all.ids, plain);
  const some = await api.query(how === "answer" ? { right: false, sort: "name" } : { changed: true, sort: "name" });
  groups[0].count -= some.ids.length;
  add(`${how}:some`, t(how === "answer" ? "map.differ" : "map.changed"), some.ids, { colour: colourOf(how === "answer" ? "--bad" : "--accent"), shape: 3 });
  return { groups, lookOf };
}

/** @param {{ groups: Group[] }} props */
function Legend({ groups }) {
  const toggle = (/** @type {string} */ key, /** @type {boolean} */ alone) => {
    const others = groups.map((each) => each.key).filter((each) => each !== key);
    const isAlone = others.every((each) => off.value.has(each)) && !off.value.has(key);
    if (alone) off.value = new Set(isAlone ? [] : others);
    else off.value = off.value.has(key) ? new Set([...off.value].filter((each) => each !== key)) : new Set([...off.value, key]);
  };
  return html`<div class="legend" role="group" aria-label=${t("map.legend")}>
    <select aria-label=${t("map.colour")} value=${by.value} onChange=${(/** @type {any} */ event) => ((by.value = event.target.value), (off.value = new Set()))}>
      <option value="class">${t("map.byClass")}</option><option value="answer" disabled=${!answers.value}>${t("map.byAnswer")}</option><option value="change">${t("map.byChange")}</option></select>
    ${groups.map(({ key, name, count, look }) => html`<button key=${key} aria-pressed=${!off.value.has(key)} onClick=${(/** @type {MouseEvent} */ event) => toggle(key, !event.ctrlKey && !event.metaKey)}>
      <${Mark} look=${look} /><span class="ellipsis">${name}</span><span class="count">${number(count)}</span></button>`)}
  </div>`;
}

/** @param {{ look: Look }} props */
function Mark({ look }) {
  const fill = `rgb(${look.colour.join(" ")})`;
  const shape = [html`<circle cx="7" cy="7" r="5" />`, html`<rect x="2.5" y="2.5" width="9" height="9" />`, html`<path d="M7 1.5l5.5 10h-11z" />`, html`<path d="M7 1l6 6-6 6-6-6z" />`][look.shape];
  return html`<svg width="14" height="14" viewBox="0 0 14 14" fill=${fill} aria-hidden="true">${shape}</svg>`;
}

/** @param {{ id: number, x: number, y: number }} props */
function Tip({ id, x, y }) {
  void detailsChanged.value;
  const photo = detail(id);
  const left = x + 190 > innerWidth ? x - 182 : x + 14;
  const top = y + 260 > innerHeight ? y - 190 : y + 14;
  return html`<div class="tip" style=${{ transform: `translate(${left}px, ${top}px)` }}><img src=${thumbnailUrl(generation.value, id)} alt="" />
    <p class="ellipsis"><strong>${photo?.label ?? t("noClass")}</strong>${photo?.right === false && ` → ${photo.answer}?`}</p><p class="hint ellipsis">${photo ? baseName(photo.path) : ""}</p></div>`;
}
