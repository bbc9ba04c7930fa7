// Photos and what a classifier says of them, as cards: the list #list in #results, of the template #card.

import { percent, t, writeWords } from "./words.js";

/**
 * What a classifier says of a photo. ranked: classes and their probabilities, the most probable first. rule: why the label
 * is not the first of them. parent: of a label that is not sure, its lowest parent that is. other: the probability of none of the classes. places: what each place of the square that the network sees says for the answer, row by row.
 * @typedef {{ height: number, width: number, resizing: string, values: ArrayLike<number> }} Places
 * labels: with several labels per photo, those of this one; `probability` is then that of exactly these.
 * @typedef {{ ranked: [string, number][], label: string, labels?: string[] | null, probability: number, rule?: "recall" | "cost" | null, parent?: string, parent_probability?: number, other?: number,
 *   sure: boolean, familiar: boolean, remark?: string, places?: Places,
 *   similar?: { label: string, similarity: number, image: string }[] }} Answer
 */

export const IS_OTHER = 0.5; // the probability from which on a photo is none of the classes
const NAMED = 8; // classes that are named of a model
const DARKEST = 190; // of 255, over places that do not support the answer

/** @type {Map<Element, () => void>} each card -> what writes its words again */
const writers = new Map();

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {Element} parent @param {string} selector @returns {any} */
const part = (parent, selector) => parent.querySelector(selector);

/** What a model knows. @param {string[]} names of its classes
 * @param {{ value: number, low: number, high: number, count: number } | null} [accuracy] on photos that it was not trained on */
export function aboutModel(names, accuracy) {
  const named = names.slice(0, NAMED).join(", ");
  const shown = names.length > NAMED ? t("about.more", { names: named, count: names.length - NAMED }) : named;
  const classes = t("about.classes", { count: names.length, names: shown });
  if (!accuracy) return classes;
  const [value, low, high] = [accuracy.value, accuracy.low, accuracy.high].map((share) => percent(share));
  return `${classes} ${t("about.accuracy", { count: accuracy.count, value, low, high })}`;
}

/** New cards before all others, in this order. @param {string[]} names @returns {HTMLElement[]} */
export function addCards(names) {
  const template = /** @type {HTMLTemplateElement} */ (element("card"));
  const cards = names.map((name) => {
    const card = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    writeWords(card);
    part(card, ".name").textContent = name;
    writers.set(card, () => (part(card, ".answer").textContent = t("answer.waiting")));
    writers.get(card)?.();
    return card;
  });
  element("list").prepend(...cards);
  element("results").hidden = false;
  return cards;
}

export function clearCards() {
  for (const image of document.querySelectorAll("#list .photo img")) URL.revokeObjectURL(/** @type {HTMLImageElement} */ (image).src);
  element("list").replaceChildren();
  element("announcements").replaceChildren();
  element("results").hidden = true;
  writers.clear();
}

/** The same in another language, or as other answers are sure. */
export function writeAgain() {
  for (const write of writers.values()) write();
}

/** @param {HTMLElement} card @param {Blob} photo @param {string} name */
export function showPhoto(card, photo, name) {
  const image = part(card, ".photo img");
  image.onerror = () => card.classList.add("none"); // such as a TIFF, which browsers cannot show
  image.alt = t("photo.alt", { name });
  image.src = URL.createObjectURL(photo);
}

/** @param {HTMLElement} card @param {string} name @param {() => string} reason */
export function showFailure(card, name, reason) {
  card.classList.add("bad");
  card.classList.toggle("none", !part(card, ".photo img").naturalWidth);
  show(card, name, () => [t("answer.none"), reason()]);
}

/** @param {HTMLElement} card @param {string} name @param {() => Answer} answer as it is now */
export function showAnswer(card, name, answer) {
  show(card, name, () => {
    const found = answer();
    card.classList.toggle("unsure", isUnsure(found));
    part(card, ".probabilities").replaceChildren(...found.ranked.map(bar));
    return wordsOf(found);
  });
  const { places, similar } = answer();
  if (places) showPlaces(card, places);
  if (similar?.length) showSimilar(card, similar);
}

/** @param {HTMLElement} card @param {string} name @param {() => [string, string]} words */
function show(card, name, words) {
  const write = () => ([part(card, ".answer").textContent, part(card, ".note").textContent] = words());
  writers.set(card, write);
  write();
  element("announcements").append(text("p", `${name}: ${words()[0]}. ${words()[1]}`));
}

/** @param {Answer} found */
export const isUnsure = (found) => Boolean(found.remark) || !found.familiar || !(found.sure || found.rule || found.parent);

/** Title and note. @param {Answer} found @returns {[string, string]} */
export function wordsOf({ ranked, label, labels, probability, rule, parent, parent_probability = 0, other = 0, sure, familiar, remark }) {
  const [[mostProbable, highest]] = ranked;
  const best = `${mostProbable}, ${percent(highest)}`;
  if (remark) return [t("answer.unsure"), t("answer.remark.note", { remark, best })];
  if (other >= IS_OTHER) return [t("answer.other"), t("answer.other.note", { value: percent(other), best })];
  if (!familiar) return [t("answer.novel"), t("answer.novel.note", { best })];
  if (labels) {
    const named = labels.length ? labels.join(", ") : t("answer.no-label");
    return sure ? [named, t("answer.labels.note", { value: percent(probability) })] : [t("answer.unsure"), t("answer.labels.unsure", { labels: named, value: percent(probability) })];
  }
  if (rule) return [label, t(rule === "recall" ? "answer.recall.note" : "answer.cost.note", { value: percent(probability), best })];
  if (parent) return [parent, t("answer.parent.note", { value: percent(parent_probability), best })];
  if (!sure) return [t("answer.unsure"), t("answer.unsure.note", { best })];
  return [mostProbable, t("answer.sure.note", { value: percent(highest) })];
}

/** @param {[string, number]} of_class */
export function bar([label, value]) {
  const row = document.createElement("li");
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = value;
  progress.setAttribute("aria-label", t("answer.probability", { label }));
  row.append(text("span", label), text("span", percent(value), "value"), progress);
  return row;
}

/** @param {string} tag @param {string} content */
function text(tag, content, name = "") {
  const made = document.createElement(tag);
  made.textContent = content;
  made.className = name;
  return made;
}

/** The photo is darker at places that do not support the answer. @param {HTMLElement} card @param {Places} places */
function showPlaces(card, places) {
  const [image, canvas, button] = ["img", "canvas", ".highlight"].map((name) => part(card, name));
  drawPlaces(canvas, places);
  const layOver = () => {
    lay(canvas, places.resizing, image.naturalWidth, image.naturalHeight);
    canvas.hidden = button.hidden = false;
  };
  if (image.naturalWidth) layOver();
  else image.addEventListener("load", layOver);
  button.addEventListener("click", () => {
    canvas.hidden = !canvas.hidden;
    button.setAttribute("aria-pressed", String(!canvas.hidden));
  });
}

/** @param {HTMLCanvasElement} canvas @param {Places} places */
export function drawPlaces(canvas, { width, height, values }) {
  canvas.width = width;
  canvas.height = height;
  const all = Array.from(values);
  const most = Math.max(1e-6, ...all);
  const pixels = new ImageData(width, height);
  all.forEach((value, at) => (pixels.data[4 * at + 3] = DARKEST * (1 - Math.max(0, value) / most)));
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

/** Lay it over the square that the network sees of a photo of that size. @param {HTMLCanvasElement} canvas
 * @param {string} resizing @param {number} width @param {number} height */
export function lay(canvas, resizing, width, height) {
  const shorter = Math.min(width, height);
  /** @type {Record<string, number>} */
  const sides = { crop: shorter, pad: Math.max(width, height), "resize-crop": (shorter * 7) / 8 };
  const side = sides[resizing];
  const [across, down] = side ? [side / width, side / height] : [1, 1]; // "stretch": the whole photo
  Object.assign(canvas.style, {
    width: `${100 * across}%`, height: `${100 * down}%`, left: `${50 * (1 - across)}%`, top: `${50 * (1 - down)}%`,
  });
}

/** @param {HTMLElement} card @param {NonNullable<Answer["similar"]>} similar */
function showSimilar(card, similar) {
  const row = part(card, ".similar");
  row.hidden = false;
  for (const { label, similarity, image } of similar) {
    const item = document.createElement("li");
    const thumbnail = new Image();
    thumbnail.src = image;
    thumbnail.alt = t("similar.alt", { label });
    item.append(thumbnail, text("span", t("similar.label", { label, value: similarity.toFixed(2) })));
    part(row, "ul").append(item);
  }
}
