// The map on its canvas: drawing, zooming, moving, lasso, what is under the pointer. Close up, photos instead of points.

import { thumbnailUrl } from "../api.js";
import { follow } from "../grid/pointer.js";
import { Points } from "./points.js";

/** @import { Look, View } from "./points.js" */
/** @typedef {{ looks: Look[], lookOf: Uint8Array }} Looks */
/** @typedef {{ selected: () => ReadonlySet<number>, select: (ids: number[], add: boolean) => void, open: (id: number) => void, hover: (id: number, x: number, y: number) => void, isLassoing: () => boolean }} Served */

const THUMBNAILS = 160; // photos in view, up to which they are shown themselves
const MOST = 400; // times nearer than all

export class MapCanvas {
  /** @param {HTMLCanvasElement} canvas @param {Served} served */
  constructor(canvas, served) {
    this.canvas = canvas;
    this.served = served;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.points = new Points(new Float32Array());
    /** @type {Looks} */
    this.looks = { looks: [], lookOf: new Uint8Array() };
    /** @type {View} */
    this.view = { scale: 1, x: 0, y: 0 };
    this.home = this.view;
    this.generation = 0;
    /** @type {[number, number][]} */
    this.line = [];
    /** @type {Map<number, HTMLImageElement>} */
    this.thumbnails = new Map();
    this.frame = 0;
    const ending = new AbortController();
    const { signal } = ending;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0022)), this.at(event));
    }, { signal, passive: false });
    canvas.addEventListener("pointerdown", (event) => event.button === 0 && this.press(event), { signal });
    canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && !event.buttons && this.hover(event), { signal });
    canvas.addEventListener("pointerleave", () => served.hover(-1, 0, 0), { signal });
    canvas.addEventListener("dblclick", (event) => {
      const id = this.under(event);
      if (id >= 0) served.open(id);
      else this.zoom(2.5, this.at(event));
    }, { signal });
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(canvas);
    /** @type {Map<number, PointerEvent>} */
    this.fingers = new Map();
    this.end = () => (ending.abort(), observer.disconnect(), cancelAnimationFrame(this.frame));
  }

  /** @param {Float32Array} places @param {number} generation */
  show(places, generation) {
    const isNew = this.points.count !== places.length >> 1 || this.generation !== generation;
    this.points = new Points(places);
    this.generation = generation;
    if (isNew) this.fit();
    else this.ask();
  }

  resize() {
    const { canvas } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (!width || !height || (width === canvas.width && height === canvas.height)) return;
    canvas.width = width;
    canvas.height = height;
    const wasHome = this.view === this.home;
    this.home = this.points.fit(width, height, this.inset());
    if (wasHome) this.view = this.home;
    this.draw(); // now, or it would be empty for a frame
  }

  /** What the legend covers, where there is room beside it. */
  inset() {
    return this.canvas.clientWidth > 900 ? 200 * devicePixelRatio : 0;
  }

  fit() {
    this.view = this.home = this.points.fit(this.canvas.width, this.canvas.height, this.inset());
    this.ask();
  }

  ask() {
    if (!this.frame) this.frame = requestAnimationFrame(() => ((this.frame = 0), this.draw()));
  }

  /** @param {{ clientX: number, clientY: number }} event @returns {[number, number]} in device pixels */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * devicePixelRatio, (event.clientY - box.top) * devicePixelRatio];
  }

  /** @param {number} factor @param {[number, number]} [at] */
  zoom(factor, at = [this.canvas.width / 2, this.canvas.height / 2]) {
    const { scale, x, y } = this.view;
    const next = Math.max(this.home.scale / 2, Math.min(MOST * this.home.scale, scale * factor));
    const [dx, dy] = [at[0] - this.canvas.width / 2, at[1] - this.canvas.height / 2];
    this.view = { scale: next, x: x + dx / next - dx / scale, y: y + dy / next - dy / scale };
    this.ask();
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  move(dx, dy) {
    const { scale, x, y } = this.view;
    this.view = { scale, x: x + (dx * devicePixelRatio) / scale, y: y + (dy * devicePixelRatio) / scale };
    this.ask();
  }

  /** @param {{ clientX: number, clientY: number }} event */
  under(event) {
    const [x, y] = this.at(event);
    return this.points.nearest(x, y, this.view, this.canvas.width, this.canvas.height, (this.areThumbnails ? 34 : 12) * devicePixelRatio, this.looks.lookOf);
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const id = this.under(event);
    const box = this.canvas.getBoundingClientRect();
    this.served.hover(id, event.clientX - box.left, event.clientY - box.top);
  }

  /** @param {PointerEvent} start */
  press(start) {
    this.canvas.focus({ preventScroll: true });
    this.served.hover(-1, 0, 0);
    this.fingers.set(start.pointerId, start);
    const isLasso = (start.shiftKey || this.served.isLassoing()) && this.fingers.size === 1;
    let hasMoved = false;
    if (isLasso) this.line = [this.at(start)];
    follow(start, {
      move: (event) => {
        const before = /** @type {PointerEvent} */ (this.fingers.get(event.pointerId) ?? start);
        hasMoved ||= Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > 4;
        const other = [...this.fingers.values()].find((each) => each.pointerId !== event.pointerId);
        this.fingers.set(event.pointerId, event);
        if (other) {
          const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
          this.zoom(apart(event) / Math.max(1, apart(before)), this.at({ clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 }));
        } else if (isLasso) {
          this.line.push(this.at(event));
          this.ask();
        } else if (hasMoved) this.move(event.clientX - before.clientX, event.clientY - before.clientY);
      },
      end: (event) => {
        this.fingers.delete(start.pointerId);
        const line = this.line;
        this.line = [];
        const add = start.ctrlKey || start.metaKey;
        if (event && isLasso && hasMoved) this.served.select(this.points.inside(line, this.view, this.canvas.width, this.canvas.height, this.looks.lookOf), add);
        else if (event && !hasMoved) {
          const id = this.under(start);
          this.served.select(id >= 0 ? [id] : [], add);
        }
        this.ask();
      },
    });
  }

  draw() {
    const { context, canvas, view } = this;
    const { width, height } = canvas;
    if (!width || !this.looks.lookOf.length) return;
    const [ink, accent] = ["--ink", "--accent"].map((name) => colourOf(name));
    const inView = this.inView();
    this.areThumbnails = inView !== null;
    const radius = devicePixelRatio * Math.max(1.6, Math.min(7, (this.points.count > 20_000 ? 1.7 : this.points.count > 4000 ? 2.6 : this.points.count > 600 ? 3.6 : 5) * Math.sqrt(Math.sqrt(view.scale / this.home.scale))));
    this.points.draw(context, view, { ...this.looks, radius, marked: this.served.selected(), ink });
    if (inView) this.drawThumbnails(inView);
    if (this.line.length > 1) {
      context.beginPath();
      for (const [x, y] of this.line) context.lineTo(x, y);
      context.closePath();
      context.fillStyle = `rgb(${accent.join(" ")} / .12)`;
      context.strokeStyle = `rgb(${accent.join(" ")})`;
      context.lineWidth = 1.5 * devicePixelRatio;
      context.fill();
      context.stroke();
    }
  }

  /** The photos on the screen, if they are few. @returns {number[] | null} */
  inView() {
    const { width, height } = this.canvas;
    const edge = 40 * devicePixelRatio;
    const found = [];
    if (this.view.scale < 2.2 * this.home.scale && this.points.count > THUMBNAILS / 2) return null;
    for (let at = 0; at < this.points.count; at++) {
      if (this.looks.lookOf[at] === 255) continue;
      const [x, y] = this.points.seen(at, this.view, width, height);
      if (x > -edge && y > -edge && x < width + edge && y < height + edge && found.push(at) > THUMBNAILS) return null;
    }
    return found;
  }

  /** @param {number[]} ids */
  drawThumbnails(ids) {
    const { context, canvas, view } = this;
    const ratio = devicePixelRatio;
    const side = ratio * Math.max(44, Math.min(112, 700 / Math.sqrt(ids.length + 1)));
    const ink = `rgb(${colourOf("--ink").join(" ")})`;
    for (const id of ids) {
      let picture = this.thumbnails.get(id);
      if (!picture) {
        picture = new Image();
        picture.onload = () => this.ask();
        picture.src = thumbnailUrl(this.generation, id);
        this.thumbnails.set(id, picture);
        if (this.thumbnails.size > 1500) this.thumbnails.delete(/** @type {number} */ (this.thumbnails.keys().next().value));
      }
      if (!picture.complete || !picture.naturalWidth) continue;
      const look = this.looks.looks[this.looks.lookOf[id]];
      const [x, y] = this.points.seen(id, view, canvas.width, canvas.height);
      const scale = side / Math.max(picture.naturalWidth, picture.naturalHeight);
      const [w, h] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
      const isSelected = this.served.selected().has(id);
      const edge = (isSelected ? 4 : 2.5) * ratio;
      context.globalAlpha = look.isDim ? 0.25 : 1;
      context.fillStyle = isSelected ? ink : `rgb(${look.colour.join(" ")})`;
      context.beginPath();
      context.roundRect(x - w / 2 - edge, y - h / 2 - edge, w + 2 * edge, h + 2 * edge, 4 * ratio);
      context.fill();
      context.drawImage(picture, x - w / 2, y - h / 2, w, h);
    }
    context.globalAlpha = 1;
  }
}

const probe = document.createElement("span");
probe.hidden = true;
/** A token of the style sheet as red, green and blue, 0 to 255. @param {string} name @returns {[number, number, number]} */
export function colourOf(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(${name})`;
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
