// The photos that are most like another one, with their labels.

import { api, thumbnailUrl } from "../api.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { generation } from "../store.js";
import { html } from "../ui.js";
import { useLoaded } from "./loaded.js";

/** @import { Photo } from "../api.js" */

const NEAREST = 6;

/** Training photos that are most like it. @param {{ nearest: { id: number, similarity: number }[], isLoading: boolean }} props */
export function Nearest({ nearest, isLoading }) {
  const ids = nearest.slice(0, NEAREST).map((each) => each.id);
  const { value } = useLoaded(async () => (ids.length ? (await api.details(ids)).photos : []), [ids.join()]);
  const label = (/** @type {number} */ id) => value?.find((/** @type {Photo} */ each) => each.id === id)?.label ?? "";
  if (isLoading) return html`<p class="hint"><span class="spinner small" /></p>`;
  if (!ids.length) return null;
  return html`<div class="lookalikes"><h4>${t("nearest.title")}</h4><ul class="plain">${nearest.slice(0, NEAREST).map((each) => html`<li key=${each.id}>
    <a href=${href("photos", { ids: String(each.id) })}><img src=${thumbnailUrl(generation.value, each.id)} alt=${t("nearest.alt", { label: label(each.id) })} loading="lazy" /></a>
    <span class="ellipsis">${label(each.id)}</span></li>`)}</ul></div>`;
}
