// One photo, large: zoom it, see what is known of it, what the classifier looked at and what resembles it, label it, go on.

import { api, photoUrl, thumbnailUrl } from "../api.js";
import { baseName, detail, detailsChanged, want } from "../details.js";
import { number, percent, size, t } from "../i18n.js";
import { useKeys } from "../keyboard.js";
import { moveTo, setLabel } from "../labelling.js";
import { findingTitle } from "../query.js";
import { go } from "../router.js";
import { classes, generation, photosChanged, report } from "../store.js";
import { computed, html, signal, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import { Icon } from "./icon.js";
import { Bar } from "./meter.js";
import { Toasts } from "./toast.js";
import { Zoom } from "./zoom.js";

/** @import { Photo } from "../api.js" */
/** @typedef {{ ids: ArrayLike<number>, at: number, onMove?: (at: number) => void }} Viewing */

const viewing = signal(/** @type {Viewing | null} */ (null));
const showsMap = signal(false);

/** @param {ArrayLike<number>} ids in order @param {number} at position of the photo that is shown first @param {{ onMove?: (at: number) => void }} [more] */
export const openViewer = (ids, at, more = {}) => (viewing.value = { ids, at, ...more });
export const isViewing = computed(() => viewing.value !== null);
const close = () => (viewing.value = null);

export const Viewer = () => viewing.value && html`<${Open} ...${viewing.value} />`;

/** @param {Viewing} props */
function Open({ ids, at, onMove }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = ids[at];
  void detailsChanged.value;
  const photo = detail(id);
  useLayoutEffect(() => {
    const [opener, shown] = [document.activeElement, /** @type {HTMLDialogElement} */ (dialog.current)];
    shown.showModal();
    return () => {
      shown.close(); // what is outside can have the focus again
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    want([at - 1, at, at + 1].filter((each) => each >= 0 && each < ids.length).map((each) => ids[each]));
    for (const beside of [at + 1, at - 1])
      if (beside >= 0 && beside < ids.length) new Image().src = photoUrl(generation.value, ids[beside]); // it is there when it is asked for
  }, [id, photosChanged.value]);
  const move = (/** @type {number} */ step) => {
    const to = at + step;
    if (to < 0 || to >= ids.length) return;
    viewing.value = { ids, at: to, onMove };
    onMove?.(to);
  };
  const label = (/** @type {string | null} */ name) => void setLabel([id], name);
  useKeys({
    arrowleft: () => move(-1), arrowright: () => move(1), arrowup: () => move(-1), arrowdown: () => move(1), escape: close, enter: close, space: close,
    l: () => void moveTo([id]), x: () => label(null), delete: () => label(null), e: () => void (showsMap.value = !showsMap.value), m: () => (close(), go("photos", { like: id })),
    ...Object.fromEntries(classes.value.slice(0, 9).map((each, index) => [String(index + 1), () => label(each.name)])),
  });
  const about = useAbout(id);
  const places = showsMap.value ? about?.map : null;
  return html`<dialog class="viewer" ref=${dialog} aria-label=${photo ? baseName(photo.path) : t("photo")} onCancel=${(/** @type {Event} */ event) => (event.preventDefault(), close())}>
    <div class="picture">
      <${Zoom} key=${id} src=${photoUrl(generation.value, id)} small=${thumbnailUrl(generation.value, id)} places=${places} alt=${photo ? baseName(photo.path) : ""} />
      <p class="place number">${number(at + 1)} / ${number(ids.length)}</p>
      <button class="icon-button previous" disabled=${at === 0} aria-label=${t("photo.previous")} onClick=${() => move(-1)}><${Icon} name="left" size=${26} /></button>
      <button class="icon-button next" disabled=${at === ids.length - 1} aria-label=${t("photo.next")} onClick=${() => move(1)}><${Icon} name="right" size=${26} /></button>
      <button class="icon-button leave" aria-label=${t("close")} title=${`${t("close")} (Esc)`} autofocus onClick=${close}><${Icon} name="close" /></button>
    </div>
    <aside class="facts">${photo && html`<${Facts} photo=${photo} about=${about} label=${label} />`}</aside>
    <${Toasts} />
  </dialog>`;
}

/** The map and the nearest photos, as soon as the user stays. @param {number} id @returns {any} */
function useAbout(id) {
  const [about, setAbout] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const giving = new AbortController();
    setAbout(null);
    const timer = setTimeout(() => {
      api.activation(id, giving.signal).then(setAbout, (error) => (error.status >= 500 || !error.status ? report(error) : setAbout({})));
    }, 150);
    return () => (clearTimeout(timer), giving.abort());
  }, [id, photosChanged.value]);
  return about;
}

/** @param {{ photo: Photo, about: any, label: (name: string | null) => void }} props */
function Facts({ photo, about, label }) {
  // also of photos that are not counted, such as those of the test set
  const isWrong = !photo.excluded && photo.label !== null && photo.answer !== photo.label;
  const nearest = (about?.nearest ?? []).slice(0, 6);
  return html`
    <h2 class="file" title=${photo.path}>${baseName(photo.path)}</h2>
    <section><h3>${t("photo.label")}</h3>
      <div class="label-line"><strong>${photo.excluded ? t("filter.excluded") : (photo.label ?? t("noClass"))}</strong>
        ${photo.changed && html`<span class="tag accent">${t("photo.was", { name: photo.was ?? t("noClass") })}</span>`}</div>
      <div class="choices">${classes.value.slice(0, 9).map((each, index) => html`<button key=${each.name} aria-pressed=${!photo.excluded && each.name === photo.label} onClick=${() => label(each.name)}><kbd>${index + 1}</kbd><span class="ellipsis">${each.name}</span></button>`)}
        <button onClick=${() => moveTo([photo.id])}><kbd>L</kbd>${t("selection.other")}</button>
        ${photo.excluded ? photo.label !== null && html`<button onClick=${() => label(photo.label)}>${t("include")}</button>` : html`<button onClick=${() => label(null)}><kbd>X</kbd>${t("exclude")}</button>`}</div>
    </section>
    <section><h3>${t("photo.answer")}</h3>
      ${photo.answer ? html`<div class="label-line"><strong>${photo.answer}</strong>${photo.label !== null && !photo.excluded && html`<span class=${`tag ${isWrong ? "bad" : "good"}`}>${isWrong ? t("photo.otherThanLabel") : t("photo.asLabel")}</span>`}</div>
        <${Bar} value=${photo.confidence ?? 0} label=${t("photo.confidence")} kind=${isWrong ? "bad" : ""} />
        <p class="hint">${t("photo.sure", { confidence: percent(photo.confidence ?? 0) })}${photo.second && ` · ${t("photo.second", { name: photo.second })}`}</p>` : html`<p class="hint">${t("photo.noAnswer")}</p>`}
      ${about?.map && html`<button aria-pressed=${showsMap.value} onClick=${() => (showsMap.value = !showsMap.value)}><kbd>E</kbd>${t("photo.why")}</button>`}
    </section>
    ${nearest.length > 0 && html`<section><h3>${t("photo.nearest")}</h3><ul class="plain nearest">${nearest.map((/** @type {any} */ each) => html`<li key=${each.id}>
      <button title=${percent(each.similarity)} onClick=${() => openViewer([photo.id, ...nearest.map((/** @type {any} */ one) => one.id)], 1 + nearest.indexOf(each))}><img src=${thumbnailUrl(generation.value, each.id)} alt=${detail(each.id)?.label ?? String(each.id)} /></button></li>`)}</ul>
      <button class="link" onClick=${() => (close(), go("photos", { like: photo.id }))}>${t("like")}</button></section>`}
    <section><h3>${t("photo.file")}</h3><dl class="file-facts">
      <div><dt>${t("photo.path")}</dt><dd>${photo.path}</dd></div>
      ${photo.width > 0 && html`<div><dt>${t("photo.size")}</dt><dd class="number">${photo.width} × ${photo.height} · ${size(photo.bytes)}</dd></div>`}
      ${photo.split && html`<div><dt>${t("filter.split")}</dt><dd>${t(`split.${photo.split}`)}</dd></div>`}
      ${photo.findings?.length ? html`<div><dt>${t("findings")}</dt><dd>${photo.findings.map((kind) => findingTitle(kind)).join(", ")}</dd></div>` : null}
    </dl></section>`;
}
