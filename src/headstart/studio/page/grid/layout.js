// Where each photo of a grid stands: rows of square cells under headings. Pure numbers; knows no elements.

/** @typedef {{ name: string | null, count: number }} Section */
/** @typedef {{ top: number, height: number, first: number, count: number, section: number }} Row section: of a heading, else -1 */

export const HEADING = 50; // pixels; the heading that sticks is 44 high
const CAPTION = 22;

export class Layout {
  /**
   * @param {{ total: number, sections: Section[] | null, width: number, cell: number, gap: number, pad: number, captions: boolean }} of
   */
  constructor({ total, sections, width, cell, gap, pad, captions }) {
    const inner = Math.max(cell, width - 2 * pad);
    this.total = total;
    this.columns = Math.max(1, Math.floor((inner + gap) / (cell + gap)));
    this.size = Math.floor((inner - gap * (this.columns - 1)) / this.columns); // the cells fill the row
    this.gap = gap;
    this.pad = pad;
    this.rowHeight = this.size + (captions ? CAPTION : 0);
    /** @type {Row[]} */
    this.rows = [];
    let top = sections ? 0 : pad;
    let first = 0;
    for (const [number, section] of (sections ?? [{ name: null, count: total }]).entries()) {
      if (!section.count) continue;
      if (sections) {
        this.rows.push({ top, height: HEADING, first, count: 0, section: number });
        top += HEADING;
      }
      for (let at = 0; at < section.count; at += this.columns) {
        const count = Math.min(this.columns, section.count - at);
        this.rows.push({ top, height: this.rowHeight, first: first + at, count, section: -1 });
        top += this.rowHeight + gap;
      }
      first += section.count;
      if (sections) top += gap;
    }
    this.height = top + pad;
  }

  /** The number of the last row that begins at or above. @param {number} y */
  rowAt(y) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].top <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} index position in the order */
  rowOf(index) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} index @returns {{ x: number, y: number }} of its cell */
  place(index) {
    const row = this.rows[this.rowOf(index)];
    return { x: this.pad + (index - row.first) * (this.size + this.gap), y: row.top };
  }

  /** The rows that are seen between two heights. @param {number} top @param {number} bottom @returns {[number, number]} from, to (not included) */
  between(top, bottom) {
    if (!this.rows.length) return [0, 0];
    return [this.rowAt(top), this.rowAt(bottom) + 1];
  }

  /** The photos whose cells touch a rectangle. @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @returns {number[]} */
  within(x1, y1, x2, y2) {
    const [left, right] = x1 < x2 ? [x1, x2] : [x2, x1];
    const [top, bottom] = y1 < y2 ? [y1, y2] : [y2, y1];
    const step = this.size + this.gap;
    const from = Math.max(0, Math.ceil((left - this.pad - this.size) / step));
    const to = Math.min(this.columns - 1, Math.floor((right - this.pad) / step));
    const found = [];
    const [start, end] = this.between(top, bottom);
    for (let number = start; number < end; number++) {
      const row = this.rows[number];
      if (row.section >= 0 || row.top + row.height < top || row.top > bottom) continue;
      for (let column = from; column <= Math.min(to, row.count - 1); column++) found.push(row.first + column);
    }
    return found;
  }

  /** The photo above or below, in the same column as far as there is one. @param {number} index @param {1 | -1} step @returns {number} */
  beside(index, step) {
    let number = this.rowOf(index);
    const column = index - this.rows[number].first;
    do number += step;
    while (this.rows[number]?.section >= 0);
    const row = this.rows[number];
    if (!row) return step > 0 ? this.total - 1 : index;
    return row.first + Math.min(column, row.count - 1);
  }
}
