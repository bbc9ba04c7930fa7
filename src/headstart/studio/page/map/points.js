// Points on a canvas: 100,000 in a few milliseconds, as they are stamped into one picture, not drawn one by one.
// Pure numbers and pixels; knows no photos.

/** @typedef {{ scale: number, x: number, y: number }} View screen = (point + (x, y)) * scale + half of the screen; all in device pixels */
/** @typedef {{ colour: [number, number, number], shape: number, isDim?: boolean }} Look */

export const SHAPES = 4; // disc, square, triangle, diamond
const RINGS = 1500; // points that are marked by a ring each, at most

/** Which pixels a mark covers, beside its middle, and how much (0 to 1). @param {number} shape @param {number} radius @param {boolean} hollow */
function stamp(shape, radius, hollow) {
  const reach = Math.ceil(radius) + 1;
  const side = 2 * reach + 1;
  /** @type {{ across: number[], down: number[], cover: number[] }} */
  const found = { across: [], down: [], cover: [] };
  const inside = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ r) => {
    if (shape === 0) return Math.hypot(x, y) <= r;
    if (shape === 1) return Math.max(Math.abs(x), Math.abs(y)) <= 0.86 * r;
    if (shape === 2) return y <= 0.72 * r && y >= -r + 1.9 * Math.abs(x) - 0.1 * r;
    return Math.abs(x) + Math.abs(y) <= 1.2 * r;
  };
  for (let at = 0; at < side * side; at++) {
    const [across, down] = [(at % side) - reach, Math.floor(at / side) - reach];
    let cover = 0;
    for (let sample = 0; sample < 16; sample++) {
      const x = across + ((sample % 4) - 1.5) / 4;
      const y = down + (Math.floor(sample / 4) - 1.5) / 4;
      if (inside(x, y, radius) && !(hollow && inside(x, y, radius - 1.8))) cover += 1 / 16;
    }
    if (!cover) continue;
    found.across.push(across);
    found.down.push(down);
    found.cover.push(cover);
  }
  return { ...found, reach };
}

export class Points {
  /** @param {Float32Array} places x, y in turn; NaN: none */
  constructor(places) {
    this.places = places;
    this.count = places.length >> 1;
    /** @type {ImageData | null} */
    this.picture = null;
  }

  /** The view that shows them all. @param {number} width @param {number} height @param {number} [inset] at the left, that something else covers @returns {View} */
  fit(width, height, inset = 0) {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let at = 0; at < this.count; at++) {
      const [x, y] = [this.places[2 * at], this.places[2 * at + 1]];
      if (Number.isNaN(x)) continue;
      left = Math.min(left, x), right = Math.max(right, x), top = Math.min(top, y), bottom = Math.max(bottom, y);
    }
    if (left > right) return { scale: Math.min(width, height) / 2, x: 0, y: 0 };
    const scale = 0.86 * Math.min((width - inset) / Math.max(right - left, 1e-6), height / Math.max(bottom - top, 1e-6));
    return { scale, x: inset / 2 / scale - (left + right) / 2, y: -(top + bottom) / 2 };
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {View} view
   * @param {{ looks: Look[], lookOf: Uint8Array, radius: number, marked: ReadonlySet<number>, ink: [number, number, number] }} how lookOf: 255: not shown
   */
  draw(context, view, { looks, lookOf, radius, marked, ink }) {
    const { width, height } = context.canvas;
    if (this.picture?.width !== width || this.picture.height !== height) this.picture = context.createImageData(width, height);
    const picture = /** @type {ImageData} */ (this.picture);
    const { data } = picture;
    data.fill(0);
    const stamps = looks.map((look) => stamp(look.shape, radius, false));
    const [moveX, moveY] = [view.x * view.scale + width / 2, view.y * view.scale + height / 2];
    const put = (/** @type {number} */ at, /** @type {ReturnType<typeof stamp>} */ mark, /** @type {[number, number, number]} */ colour, /** @type {number} */ strength) => {
      const cx = Math.round(this.places[2 * at] * view.scale + moveX);
      const cy = Math.round(this.places[2 * at + 1] * view.scale + moveY);
      const { across, down, cover, reach } = mark;
      if (!(cx > reach && cy > reach && cx < width - reach - 1 && cy < height - reach - 1)) return; // NaN too
      const [red, green, blue] = colour;
      for (let pixel = 0; pixel < cover.length; pixel++) {
        const to = 4 * ((cy + down[pixel]) * width + cx + across[pixel]);
        const alpha = cover[pixel] * strength;
        const rest = (data[to + 3] / 255) * (1 - alpha);
        const whole = alpha + rest;
        data[to] = (red * alpha + data[to] * rest) / whole;
        data[to + 1] = (green * alpha + data[to + 1] * rest) / whole;
        data[to + 2] = (blue * alpha + data[to + 2] * rest) / whole;
        data[to + 3] = 255 * whole;
      }
    };
    const strength = this.count > 20_000 ? 0.7 : 0.86;
    const areMany = marked.size > RINGS; // then the others fade, as rings would hide everything
    for (const isDim of [true, false])
      for (let at = 0; at < this.count; at++) {
        const look = looks[lookOf[at]];
        if (look && (Boolean(look.isDim) || (areMany && !marked.has(at))) === isDim) put(at, stamps[lookOf[at]], look.colour, isDim ? 0.22 : strength);
      }
    if (!areMany && marked.size) {
      const ring = stamp(0, radius + 2.5 * devicePixelRatio, true);
      for (const at of marked) if (at < this.count && lookOf[at] !== 255) put(at, ring, ink, 1);
    }
    context.putImageData(picture, 0, 0);
  }

  /** On the screen. @param {number} at @param {View} view @param {number} width @param {number} height @returns {[number, number]} */
  seen(at, view, width, height) {
    return [(this.places[2 * at] + view.x) * view.scale + width / 2, (this.places[2 * at + 1] + view.y) * view.scale + height / 2];
  }

  /** The point nearest to a place of the screen, within a reach; -1: none. @param {number} x @param {number} y @param {View} view @param {number} width @param {number} height @param {number} reach @param {Uint8Array} lookOf */
  nearest(x, y, view, width, height, reach, lookOf) {
    const px = (x - width / 2) / view.scale - view.x;
    const py = (y - height / 2) / view.scale - view.y;
    let best = (reach / view.scale) ** 2;
    let found = -1;
    for (let at = 0; at < this.count; at++) {
      const away = (this.places[2 * at] - px) ** 2 + (this.places[2 * at + 1] - py) ** 2;
      if (away < best && lookOf[at] !== 255) [best, found] = [away, at];
    }
    return found;
  }

  /** Those inside a line that was drawn on the screen. @param {[number, number][]} line @param {View} view @param {number} width @param {number} height @param {Uint8Array} lookOf @returns {number[]} */
  inside(line, view, width, height, lookOf) {
    const found = [];
    for (let at = 0; at < this.count; at++) {
      if (lookOf[at] === 255) continue;
      const [x, y] = this.seen(at, view, width, height);
      let isIn = false;
      for (let now = 0, before = line.length - 1; now < line.length; before = now++) {
        const [x1, y1] = line[now];
        const [x2, y2] = line[before];
        if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) isIn = !isIn;
      }
      if (isIn) found.push(at);
    }
    return found;
  }
}
