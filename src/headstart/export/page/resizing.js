// Pixels of a photo of any shape -> the square that the network sees, as `data/resizing.py` makes it. Knows no photos.

const GREY = 128; // around a photo that is padded

/** @typedef {{ width: number, height: number, data: Uint8ClampedArray }} Pixels RGBA, row by row, opaque */

/** RGB, row by row. @param {Pixels} photo @param {number} size in pixels @param {string} resizing @returns {Uint8Array} */
export function squared(photo, size, resizing) {
  const { width, height } = photo;
  if (resizing === "pad") {
    const longer = Math.max(width, height);
    const [across, down] = [width, height].map((side) => Math.max(1, evenly((side * size) / longer)));
    const square = new Uint8Array(3 * size * size).fill(GREY);
    const [left, top] = [Math.floor((size - across) / 2), Math.floor((size - down) / 2)];
    const inside = resampled(photo, 0, 0, width, height, across, down);
    for (let y = 0; y < down; y++) square.set(inside.subarray(3 * y * across, 3 * (y + 1) * across), 3 * ((top + y) * size + left));
    return square;
  }
  if (resizing === "stretch") return resampled(photo, 0, 0, width, height, size, size);
  const shorter = Math.min(width, height);
  const side = resizing === "crop" ? shorter : Math.max(1, evenly((7 / 8) * shorter)); // "resize-crop"
  return resampled(photo, Math.floor((width - side) / 2), Math.floor((height - side) / 2), side, side, size, size);
}

/** Rounded, halves to the even neighbour, as Python does. @param {number} value */
const evenly = (value) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/**
 * Each side averaged down by the largest power of two that leaves at least the target, then interpolated bilinearly.
 * @param {Pixels} photo @param {number} left @param {number} top @param {number} width @param {number} height of the part
 * @param {number} across @param {number} down of the result
 */
function resampled({ width: stride, data }, left, top, width, height, across, down) {
  const [columns, rows] = [taps(width, across), taps(height, down)];
  const result = new Uint8Array(3 * across * down);
  const row = new Float32Array(3 * width);
  for (let y = 0, out = 0; y < down; y++) {
    row.fill(0);
    rows[y].forEach((weight, line) => {
      for (let x = 0, at = 4 * ((top + line) * stride + left); x < 3 * width; at += 4) {
        row[x++] += weight * data[at];
        row[x++] += weight * data[at + 1];
        row[x++] += weight * data[at + 2];
      }
    });
    for (let x = 0; x < across; x++) {
      let [red, green, blue] = [0, 0, 0];
      columns[x].forEach((weight, column) => {
        red += weight * row[3 * column];
        green += weight * row[3 * column + 1];
        blue += weight * row[3 * column + 2];
      });
      result[out++] = red + 0.5;
      result[out++] = green + 0.5;
      result[out++] = blue + 0.5;
    }
  }
  return result;
}

/** What each pixel of a side of the result is made of. @param {number} length @param {number} target
 * @returns {Map<number, number>[]} pixel of the photo -> its weight */
function taps(length, target) {
  const averaged = Math.ceil(length / powerOfTwo(length / target));
  const areas = Array.from({ length: averaged }, (_, at) => area((at * length) / averaged, ((at + 1) * length) / averaged));
  return Array.from({ length: target }, (_, at) => {
    const place = Math.max(0, ((at + 0.5) * averaged) / target - 0.5);
    const first = Math.min(averaged - 1, Math.floor(place));
    const share = Math.min(1, place - first);
    /** @type {Map<number, number>} */
    const found = new Map();
    for (const [neighbour, part] of [[first, 1 - share], [Math.min(averaged - 1, first + 1), share]]) {
      if (part) for (const [pixel, weight] of areas[neighbour]) found.set(pixel, (found.get(pixel) ?? 0) + part * weight);
    }
    return found;
  });
}

/** The pixels between two places of a side, and their shares. @param {number} start @param {number} end @returns {[number, number][]} */
function area(start, end) {
  /** @type {[number, number][]} */
  const found = [];
  for (let pixel = Math.floor(start); pixel < end - 1e-9; pixel++) {
    found.push([pixel, (Math.min(end, pixel + 1) - Math.max(start, pixel)) / (end - start)]);
  }
  return found;
}

/** The largest one that is at most `ratio`; 1 for ratios below 2. @param {number} ratio */
const powerOfTwo = (ratio) => 2 ** Math.max(0, Math.floor(Math.log2(ratio)));
