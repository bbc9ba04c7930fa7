// The grid as a component: ids in, photos of the open collection out, with their selection and what is known of them.

import { thumbnailUrl } from "../api.js";
import { baseName, detail, detailsChanged, want } from "../details.js";
import { Grid } from "../grid/grid.js";
import { language, percent, t } from "../i18n.js";
import { generation, photosChanged } from "../store.js";
import { select, selected } from "../selection.js";
import { html, signal, useEffect, useLayoutEffect, useRef, useSignalEffect } from "../ui.js";

/** @import { Photo } from "../api.js" */
/** @import { Section } from "../grid/layout.js" */

/** @param {Photo} photo @returns {{ text: string, mark: string }} */
function captionOf(photo) {
  const isWrong = photo.right === false && !photo.excluded;
  const mark = photo.excluded ? "excluded" : isWrong ? "wrong" : photo.changed ? "changed" : "";
  const label = photo.label ?? t("noClass");
  return { text: isWrong ? `${label} → ${photo.answer}?` : label, mark };
}

/** Read aloud: what stands below the photo, its name, and the rest. @param {Photo} photo */
function nameOf(photo) {
  const { text, mark } = captionOf(photo);
  const more = mark === "wrong" ? t("photo.sure", { confidence: percent(photo.confidence ?? 0, 0) }) : "";
  return [text, baseName(photo.path), more, photo.excluded ? t("filter.excluded") : photo.changed ? t("photo.wasChanged") : ""].filter(Boolean).join(", ");
}

/**
 * @param {{ ids: Int32Array, sections: Section[] | null, of: unknown, cell: number, captions: boolean, crop: boolean, label: string,
 *           open: (index: number) => void, drop?: (ids: number[], target: HTMLElement) => void, chosen?: import("../ui.js").Signal<ReadonlySet<number>>,
 *           onReady?: (grid: Grid) => void }} props
 * of: what the ids answer: while it is the same, the user stays where he is. chosen: the selection, if it is not the page's.
 */
export function GridView({ ids, sections, of, cell, captions, crop, label, open, drop, chosen = selected, onReady }) {
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const grid = useRef(/** @type {Grid | null} */ (null));
  const props = useRef({ open, drop });
  props.current = { open, drop };
  const last = useRef(/** @type {unknown} */ (undefined));

  useLayoutEffect(() => {
    const made = new Grid(/** @type {HTMLElement} */ (element.current), {
      url: (id) => thumbnailUrl(generation.peek(), id),
      detail, want, name: nameOf, caption: captionOf, label,
      heading: (section) => section.name ?? t("noClass"),
      selected: () => chosen.peek(),
      select: (found) => (chosen === selected ? select(found) : (chosen.value = new Set(found))),
      open: (index) => props.current.open(index),
      ...(drop && { drop: (/** @type {number[]} */ found, /** @type {HTMLElement} */ target) => props.current.drop?.(found, target) }),
    });
    grid.current = made;
    onReady?.(made);
    return () => made.end();
  }, []);
  useLayoutEffect(() => {
    grid.current?.set({ cell, captions, crop });
  }, [cell, captions, crop]);
  useLayoutEffect(() => {
    grid.current?.show(ids, sections, { keep: last.current === of });
    last.current = of;
  }, [ids, sections, of]);
  useSignalEffect(() => {
    void chosen.value, detailsChanged.value, language.value;
    grid.current?.repaint();
  });
  useSignalEffect(() => {
    if (photosChanged.value) grid.current?.settle();
  });
  return html`<div class="grid" ref=${element}></div>`;
}

/** Pixels of a cell: the user's choice. */
export const cellSize = signal(Number(localStorage.getItem("headstart-cell")) || 132);
export const crops = signal(localStorage.getItem("headstart-crop") === "yes");
/** @param {number} size */
export const setCellSize = (size) => (localStorage.setItem("headstart-cell", String(size)), (cellSize.value = size));
/** @param {boolean} crop */
export const setCrops = (crop) => (localStorage.setItem("headstart-crop", crop ? "yes" : "no"), (crops.value = crop));
