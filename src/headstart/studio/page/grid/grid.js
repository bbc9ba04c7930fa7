// A grid of photos that shows 100,000 as well as 100: only what is in view are elements, and these are used again.
// It draws, and tells of keys and pointers; what they mean is said by whom it serves. Made by hand, not by Preact: what
// happens in a frame of scrolling is what stands in `draw`.

import { Layout } from "./layout.js";
import { watchPointer } from "./pointer.js";

/** @import { Section } from "./layout.js" */
/** @import { Photo } from "../api.js" */

/**
 * @typedef {{
 *   url: (id: number) => string,
 *   detail: (id: number) => Photo | undefined,
 *   want: (ids: number[]) => void,
 *   name: (photo: Photo) => string,
 *   caption: (photo: Photo) => { text: string, mark: string },
 *   heading: (section: Section) => string,
 *   headingAction?: (section: Section) => void,
 *   selected: () => ReadonlySet<number>,
 *   select: (ids: Iterable<number>) => void,
 *   open: (index: number) => void,
 *   drop?: (ids: number[], target: HTMLElement) => void,
 *   label: string,
 * }} Served
 */

const OVERSCAN = 400; // pixels above and below that are drawn too
const FLYING = 500; // pixels in a frame, past which pictures wait: a wheel scrolls less, who drags the bar more
const SETTLED = 70; // milliseconds without scrolling, after which they are asked for

export class Grid {
  /** @param {HTMLElement} element @param {Served} served */
  constructor(element, served) {
    this.element = element;
    this.served = served;
    /** @type {Int32Array} */
    this.ids = new Int32Array();
    /** @type {Section[] | null} */
    this.sections = null;
    this.options = { cell: 132, captions: false, crop: false };
    this.active = 0; // position of the photo that has the focus
    this.anchor = 0; // where a range begins
    /** @type {Map<number, HTMLElement>} position -> cell */
    this.cells = new Map();
    /** @type {HTMLElement[]} */
    this.spare = [];
    /** @type {Map<number, HTMLElement>} */
    this.headings = new Map();
    this.frame = 0;
    this.lastTop = 0;
    this.timer = 0;
    this.isFlying = false;

    element.tabIndex = 0;
    element.setAttribute("role", "listbox");
    element.setAttribute("aria-multiselectable", "true");
    element.setAttribute("aria-label", served.label);
    this.surface = document.createElement("div");
    this.surface.className = "surface";
    this.surface.setAttribute("role", "presentation");
    this.stuck = makeHeading(); // the heading of what is at the upper edge
    this.stuck.classList.add("stuck");
    element.append(this.stuck, this.surface);
    this.layout = this.makeLayout();

    const ending = new AbortController();
    const { signal } = ending;
    element.addEventListener("scroll", () => this.ask(), { passive: true, signal });
    element.addEventListener("keydown", (event) => this.key(event), { signal });
    element.addEventListener("focus", () => this.element.classList.add("focused"), { signal });
    watchPointer(this, signal);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(element);
    this.end = () => {
      ending.abort();
      this.observer.disconnect();
      cancelAnimationFrame(this.frame);
      clearTimeout(this.timer);
      this.surface.remove();
      this.stuck.remove();
    };
  }

  makeLayout() {
    const width = this.element.clientWidth || 800;
    const pad = width < 600 ? 12 : 20;
    const { cell, captions } = this.options;
    return new Layout({ total: this.ids.length, sections: this.sections, width, cell: Math.min(cell, Math.floor((width - 2 * pad - 16) / 3)), gap: captions ? 10 : 8, pad, captions });
  }

  /** Other photos, or another order. @param {Int32Array} ids @param {Section[] | null} sections @param {{ keep?: boolean }} [how] keep: where the user is */
  show(ids, sections, { keep = false } = {}) {
    const at = keep ? Math.min(this.active, Math.max(0, ids.length - 1)) : 0;
    this.ids = ids;
    this.sections = sections;
    this.active = at;
    this.anchor = keep ? Math.min(this.anchor, at) : 0;
    this.relayout();
    if (!keep) this.element.scrollTop = 0;
    this.draw();
  }

  /** @param {Partial<Grid["options"]>} options */
  set(options) {
    Object.assign(this.options, options);
    this.element.classList.toggle("crop", this.options.crop);
    this.element.classList.toggle("captions", this.options.captions);
    this.resize();
  }

  /** The same photos in other places; what stood at the top stays there. */
  resize() {
    const { scrollTop } = this.element;
    const row = this.layout.rows[this.layout.rowAt(scrollTop)];
    const first = row?.first ?? 0;
    const within = row ? Math.min(row.height, scrollTop - row.top) : 0;
    this.relayout();
    if (scrollTop > 0 && this.ids.length) this.element.scrollTop = this.layout.rows[this.layout.rowOf(first)].top + within;
    this.draw();
  }

  relayout() {
    this.layout = this.makeLayout();
    this.surface.style.height = `${this.layout.height}px`;
    this.element.style.setProperty("--cell", `${this.layout.size}px`);
    for (const index of [...this.cells.keys()]) this.release(index);
    for (const heading of this.headings.values()) heading.remove();
    this.headings.clear();
    this.stuck.dataset.section = "";
  }

  ask() {
    if (!this.frame) this.frame = requestAnimationFrame(() => ((this.frame = 0), this.draw()));
  }

  draw() {
    const { scrollTop, clientHeight } = this.element;
    this.isFlying = Math.abs(scrollTop - this.lastTop) > FLYING;
    this.lastTop = scrollTop;
    const [from, to] = this.layout.between(scrollTop - OVERSCAN, scrollTop + clientHeight + OVERSCAN);
    const rows = this.layout.rows.slice(from, to);
    const photos = rows.filter((row) => row.section < 0);
    const first = photos[0]?.first ?? 0;
    const last = photos.length ? photos[photos.length - 1].first + photos[photos.length - 1].count : 0;
    for (const index of this.cells.keys()) if (index < first || index >= last) this.release(index);
    const selected = this.served.selected();
    for (const row of photos)
      for (let index = row.first; index < row.first + row.count; index++) {
        if (!this.cells.has(index)) this.place(index, row.top, index - row.first, selected);
      }
    this.drawHeadings(rows.filter((row) => row.section >= 0), scrollTop);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLED);
    if (!this.isFlying) this.loadPictures();
  }

  /** @param {import("./layout.js").Row[]} rows @param {number} scrollTop */
  drawHeadings(rows, scrollTop) {
    const wanted = new Set(rows.map((row) => row.section));
    for (const [number, heading] of this.headings)
      if (!wanted.has(number)) {
        heading.remove();
        this.headings.delete(number);
      }
    for (const row of rows) {
      if (this.headings.has(row.section)) continue;
      const heading = makeHeading();
      this.writeHeading(heading, row.section);
      heading.style.transform = `translateY(${row.top}px)`;
      this.surface.append(heading);
      this.headings.set(row.section, heading);
    }
    let at = this.layout.rowAt(scrollTop);
    while (at >= 0 && this.layout.rows[at]?.section < 0) at--;
    this.stuck.hidden = !this.sections || at < 0 || !this.ids.length;
    if (!this.stuck.hidden) this.writeHeading(this.stuck, this.layout.rows[at].section);
  }

  /** @param {HTMLElement} heading @param {number} number */
  writeHeading(heading, number) {
    if (heading.dataset.section === String(number)) return;
    const section = /** @type {Section[]} */ (this.sections)[number];
    heading.dataset.section = String(number);
    /** @type {HTMLElement} */ (heading.firstElementChild).textContent = this.served.heading(section);
    /** @type {HTMLElement} */ (heading.lastElementChild).textContent = section.count.toLocaleString(document.documentElement.lang);
  }

  /** @param {number} index @param {number} top @param {number} column @param {ReadonlySet<number>} selected */
  place(index, top, column, selected) {
    const cell = this.spare.pop() ?? makeCell();
    const { layout } = this;
    const id = this.ids[index];
    cell.dataset.index = String(index);
    cell.id = `photo-${id}`;
    cell.style.transform = `translate(${layout.pad + column * (layout.size + layout.gap)}px, ${top}px)`;
    cell.setAttribute("aria-posinset", String(index + 1));
    cell.setAttribute("aria-setsize", String(this.ids.length));
    if (!cell.isConnected) this.surface.append(cell);
    cell.hidden = false;
    this.cells.set(index, cell);
    this.paint(cell, id, index, selected);
  }

  /** @param {number} index */
  release(index) {
    const cell = /** @type {HTMLElement} */ (this.cells.get(index));
    this.cells.delete(index);
    const picture = /** @type {HTMLImageElement} */ (cell.firstElementChild);
    picture.removeAttribute("src"); // gives up what is still loading
    picture.dataset.id = "";
    cell.className = "cell";
    cell.hidden = true;
    for (const name of ["id", "aria-selected", "aria-label", "title", "data-index"]) cell.removeAttribute(name);
    this.spare.push(cell);
  }

  loadPictures() {
    for (const [index, cell] of this.cells) {
      const picture = /** @type {HTMLImageElement} */ (cell.firstElementChild);
      const id = String(this.ids[index]);
      if (picture.dataset.id === id) continue;
      picture.dataset.id = id;
      picture.src = this.served.url(this.ids[index]);
    }
  }

  settle() {
    this.isFlying = false;
    this.loadPictures();
    this.served.want([...this.cells.keys()].map((index) => this.ids[index]));
  }

  /** Selection, focus or details are others: paint what is in view again. */
  repaint() {
    const selected = this.served.selected();
    for (const [index, cell] of this.cells) this.paint(cell, this.ids[index], index, selected);
  }

  /** @param {HTMLElement} cell @param {number} id @param {number} index @param {ReadonlySet<number>} selected */
  paint(cell, id, index, selected) {
    const isSelected = selected.has(id);
    cell.classList.toggle("selected", isSelected);
    cell.classList.toggle("active", index === this.active);
    cell.setAttribute("aria-selected", String(isSelected));
    if (index === this.active) this.element.setAttribute("aria-activedescendant", cell.id);
    const photo = this.served.detail(id);
    const caption = /** @type {HTMLElement} */ (cell.lastElementChild);
    const { text, mark } = photo ? this.served.caption(photo) : { text: "", mark: "" };
    if (caption.textContent !== text) caption.textContent = text;
    if (cell.dataset.mark !== mark) cell.dataset.mark = mark;
    cell.setAttribute("aria-label", photo ? this.served.name(photo) : String(index + 1));
    cell.title = photo?.path ?? "";
  }

  // Moving and selecting

  /** @param {number} index */
  reveal(index) {
    const { y } = this.layout.place(index);
    const { scrollTop, clientHeight } = this.element;
    const margin = this.sections ? 56 : 12;
    if (y - margin < scrollTop) this.element.scrollTop = y - margin;
    else if (y + this.layout.rowHeight + 12 > scrollTop + clientHeight) this.element.scrollTop = y + this.layout.rowHeight + 12 - clientHeight;
    this.draw();
  }

  /** @param {number} index @param {{ extend?: boolean, keep?: boolean }} [how] extend: select from the anchor; keep: move the focus only */
  moveTo(index, { extend = false, keep = false } = {}) {
    if (!this.ids.length) return;
    this.active = Math.max(0, Math.min(index, this.ids.length - 1));
    if (extend) this.served.select(this.range(this.anchor, this.active));
    else if (!keep) {
      this.anchor = this.active;
      this.served.select([this.ids[this.active]]);
    }
    this.reveal(this.active);
    this.repaint();
  }

  /** @param {number} a @param {number} b */
  range(a, b) {
    return this.ids.subarray(Math.min(a, b), Math.max(a, b) + 1);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || !this.ids.length) return;
    const { layout, active } = this;
    const page = Math.max(1, Math.floor(this.element.clientHeight / (layout.rowHeight + layout.gap)) - 1);
    const far = (/** @type {1 | -1} */ step) => {
      let to = active;
      for (let row = 0; row < page; row++) to = layout.beside(to, step);
      return to;
    };
    const to = {
      ArrowLeft: () => active - 1, ArrowRight: () => active + 1, ArrowUp: () => layout.beside(active, -1), ArrowDown: () => layout.beside(active, 1),
      Home: () => 0, End: () => this.ids.length - 1, PageUp: () => far(-1), PageDown: () => far(1),
    }[event.key];
    const isControl = event.ctrlKey || event.metaKey;
    if (to) this.moveTo(to(), { extend: event.shiftKey, keep: isControl });
    else if (event.key === " " && isControl) this.toggle(active);
    else if (event.key === "Enter" || event.key === " ") this.served.open(active);
    else if (event.key === "a" && isControl) this.served.select(this.ids);
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  toggle(index) {
    const next = new Set(this.served.selected());
    const id = this.ids[index];
    if (!next.delete(id)) next.add(id);
    this.active = this.anchor = index;
    this.served.select(next);
  }
}

function makeCell() {
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.setAttribute("role", "option");
  const picture = document.createElement("img");
  picture.alt = "";
  picture.decoding = "async";
  picture.draggable = false;
  picture.addEventListener("load", () => cell.classList.add("loaded"));
  picture.addEventListener("error", () => picture.hasAttribute("src") && cell.classList.add("broken"));
  const check = document.createElement("span");
  check.className = "tick";
  const caption = document.createElement("span");
  caption.className = "caption";
  cell.append(picture, check, caption);
  return cell;
}

function makeHeading() {
  const heading = document.createElement("div");
  heading.className = "heading";
  heading.setAttribute("role", "presentation");
  const name = document.createElement("span");
  name.className = "name";
  const count = document.createElement("span");
  count.className = "count";
  heading.append(name, count);
  return heading;
}
