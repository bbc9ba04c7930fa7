// The confusion matrix: rows are labels, columns answers, and each cell opens its photos.

import { percent, t } from "../../i18n.js";
import { confusions, mostConfused } from "../../results.js";
import { href } from "../../router.js";
import { html, useRef } from "../../ui.js";

const MOST_CLASSES = 20; // more are no matrix that anybody reads
const MOST_PAIRS = 8;

/** @param {{ answers: import("../../api.js").Counted }} props */
export function Confusion({ answers }) {
  const names = /** @type {string[]} */ (answers.class_names);
  const places = mostConfused(answers.confusion, MOST_CLASSES);
  const pairs = confusions(answers.confusion, names);
  return html`<h2>${t("understand.confusion")}</h2>
    <p class="quiet">${t("confusion.lead")} ${places.length < names.length ? t("confusion.some", { count: places.length, all: names.length }) : ""}</p>
    <div class="confusion-and-pairs">
      <${Matrix} confusion=${answers.confusion} names=${names} places=${places} />
      <div class="pairs"><h3>${t("confusion.pairs")}</h3>
        ${pairs.length === 0 && html`<p class="quiet">${t("confusion.noPairs")}</p>`}
        <ul class="plain">${pairs.slice(0, MOST_PAIRS).map((pair) => html`<li key=${`${pair.label} ${pair.answer}`}>
          <a href=${href("photos", { cell: [pair.label, pair.answer] })}><span class="number">${pair.count}</span>
            <span>${t("confusion.pair", { label: pair.label, answer: pair.answer })}</span><span class="hint number">${percent(pair.share, 0)}</span></a></li>`)}</ul>
      </div>
    </div>`;
}

/** One cell of it can be reached by Tab; arrows go on from there.
 *  @param {{ confusion: number[][], names: string[], places: number[] }} props */
function Matrix({ confusion, names, places }) {
  const table = useRef(/** @type {HTMLTableElement | null} */ (null));
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const [down, across] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    const cell = event.target instanceof Element ? event.target.closest("td") : null;
    if (down === undefined || !cell || !table.current) return;
    event.preventDefault();
    const rows = [...table.current.tBodies[0].rows];
    const row = rows.indexOf(/** @type {HTMLTableRowElement} */ (cell.parentElement)) + down;
    const next = rows[row]?.cells[cell.cellIndex + /** @type {number} */ (across)]?.querySelector("a");
    if (!next) return;
    for (const link of table.current.querySelectorAll("a")) link.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
  return html`<div class="matrix-frame"><table class="matrix" ref=${table} onKeyDown=${onKeyDown} data-classes=${places.length > 10 ? "many" : "few"}>
    <caption class="sr-only">${t("confusion.caption")}</caption>
    <thead><tr><td class="corner"><span>${t("confusion.label")} ↓</span><span>${t("confusion.answer")} →</span></td>
      ${places.map((column) => html`<th key=${column} scope="col"><span class="ellipsis" title=${names[column]}>${names[column]}</span></th>`)}</tr></thead>
    <tbody>${places.map((row, at) => {
      const size = confusion[row].reduce((sum, count) => sum + count, 0);
      return html`<tr key=${row}><th scope="row"><span class="ellipsis" title=${names[row]}>${names[row]}</span></th>
        ${places.map((column) => html`<${Cell} key=${column} count=${confusion[row][column]} size=${size} label=${names[row]} answer=${names[column]} isFirst=${at === 0 && column === places[0]} />`)}</tr>`;
    })}</tbody>
  </table></div>`;
}

/** @param {{ count: number, size: number, label: string, answer: string, isFirst: boolean }} props */
function Cell({ count, size, label, answer, isFirst }) {
  const share = size ? count / size : 0;
  const isRight = label === answer;
  const strength = share < 0.5 ? Math.round(8 + 40 * Math.sqrt(share)) : Math.round(66 + 24 * (share - 0.5)); // between them no ink is read well
  const tint = `color-mix(in srgb, var(${isRight ? "--accent" : "--wrong"}) ${strength}%, var(--raised))`;
  const words = t(isRight ? "confusion.cellRight" : "confusion.cellWrong", { count, label, answer, share: percent(share) });
  return html`<td class=${strength > 50 ? "strong" : ""} style=${{ background: count ? tint : undefined }}>
    <a href=${href("photos", { cell: [label, answer] })} tabindex=${isFirst ? 0 : -1} aria-label=${words} title=${words}>${count || html`<span class="zero">·</span>`}</a></td>`;
}
