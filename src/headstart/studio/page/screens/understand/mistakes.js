// The mistakes, the surest first: each photo with where its answer comes from, the training photos that are most like it,
// and a button for the case that the label is what is wrong.

import { api, photoUrl, thumbnailUrl } from "../../api.js";
import { Icon } from "../../components/icon.js";
import { useLoaded } from "../../components/loaded.js";
import { Nearest } from "../../components/nearest.js";
import { MapToggle, PhotoWithMap } from "../../components/photo.js";
import { baseName } from "../../details.js";
import { number, percent, t } from "../../i18n.js";
import { useKeys } from "../../keyboard.js";
import { confirmLabel, setLabel } from "../../labelling.js";
import { href } from "../../router.js";
import { generation, photosChanged } from "../../store.js";
import { html, useRef, useState } from "../../ui.js";

/** @import { Photo } from "../../api.js" */

const AT_ONCE = 24;

/** The ids of all, and the first ones in detail. @param {number} shown @param {AbortSignal} signal */
async function load(shown, signal) {
  const { ids } = await api.query({ right: false, sort: "doubt", descending: true }, signal);
  const { photos } = ids.length ? await api.details([...ids.slice(0, shown)]) : { photos: [] };
  return { count: ids.length, photos };
}

export function Mistakes() {
  const [shown, setShown] = useState(AT_ONCE);
  const { value } = useLoaded((signal) => load(shown, signal), [generation.value, photosChanged.value, shown]);
  const [chosen, setChosen] = useState(/** @type {number | null} */ (null));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const photos = value?.photos ?? [];
  const at = Math.max(0, photos.findIndex((photo) => photo.id === chosen));
  const photo = photos[at];
  const move = (/** @type {number} */ by) => {
    const next = photos[Math.min(photos.length - 1, Math.max(0, at + by))];
    if (next) setChosen(next.id);
  };
  const isInside = () => Boolean(list.current?.contains(document.activeElement));
  useKeys({ arrowleft: () => (isInside() ? move(-1) : false), arrowright: () => (isInside() ? move(1) : false) });
  return html`<div ref=${list}><h2>${t("understand.mistakes")} ${value && html`<span class="quiet number">${number(value.count)}</span>`}</h2>
    ${value && value.count === 0 ? html`<p class="quiet">${t("mistakes.none")}</p>` : html`<p class="quiet">${t("mistakes.lead")}</p>`}
    ${photo && html`<div class="mistakes">
      <ul class="filmstrip plain">${photos.map((each, place) => html`<li key=${each.id}><button type="button" aria-pressed=${place === at} onClick=${() => setChosen(each.id)}
          aria-label=${t("mistakes.choose", { name: baseName(each.path), label: each.label ?? "", answer: each.answer ?? "" })}>
          <img src=${thumbnailUrl(generation.value, each.id)} alt="" loading="lazy" /></button></li>`)}
        ${value && photos.length < value.count && html`<li class="more"><button type="button" onClick=${() => setShown(shown + AT_ONCE)}>${t("mistakes.more")}</button></li>`}</ul>
      <${Mistake} key=${photo.id} photo=${photo} onDone=${() => move(photos[at + 1] ? 1 : -1)} />
    </div>
    <p><a href=${href("photos", { right: false, sort: "doubt", descending: true })}>${t("mistakes.all", { count: value?.count ?? 0 })}</a></p>`}</div>`;
}

/** @param {{ photo: Photo, onDone: () => void }} props */
function Mistake({ photo, onDone }) {
  const [isOn, setOn] = useState(true);
  const { value: explained, isLoading } = useLoaded((signal) => api.activation(photo.id, signal), [photo.id]);
  const relabel = async () => {
    onDone();
    await setLabel([photo.id], photo.answer ?? null);
  };
  return html`<article class="mistake card">
    <div class="framed"><${PhotoWithMap} src=${photoUrl(generation.value, photo.id)} alt=${baseName(photo.path)} overlay=${explained?.overlay} places=${explained?.map} isOn=${isOn} />
      ${(explained?.overlay || explained?.map) && html`<${MapToggle} isOn=${isOn} set=${setOn} />`}
      ${explained && explained.answer !== photo.answer && html`<p class="hint">${t("mistakes.learned", { answer: explained.answer })}</p>`}</div>
    <div class="words">
      <p class="hint ellipsis" title=${photo.path}>${photo.path}</p>
      <dl class="said"><div><dt>${t("mistakes.label")}</dt><dd>${photo.label}${photo.changed && html` <span class="tag">${t("mistakes.corrected")}</span>`}</dd></div>
        <div class="answer"><dt>${t("mistakes.answer")}</dt><dd>${photo.answer} ${photo.confidence !== null && photo.confidence !== undefined && html`<span class="quiet number">${percent(photo.confidence)}</span>`}</dd></div></dl>
      <div class="actions"><button type="button" class="primary" onClick=${relabel}>${t("mistakes.relabel", { name: photo.answer ?? "" })}</button>
        <button type="button" onClick=${() => (onDone(), confirmLabel([photo.id]))}>${t("mistakes.keep")}</button>
        <button type="button" class="quiet" onClick=${() => (onDone(), setLabel([photo.id], null))}><${Icon} name="exclude" size=${18} /> ${t("mistakes.exclude")}</button></div>
      <${Nearest} nearest=${explained?.nearest ?? []} isLoading=${isLoading} />
    </div></article>`;
}
