// The page of an export: photos and the camera -> answers of the network in this browser. Nothing leaves it.

import { aboutModel, addCards, bar, clearCards, drawPlaces, IS_OTHER, isUnsure, lay, showAnswer, showFailure, showPhoto, wordsOf, writeAgain } from "./cards.js";
import { listenForPhotos } from "./dropping.js";
import { answerFrames, hasOtherCamera, startCamera } from "./live.js";
import { openNetwork, Undecodable, Unusable } from "./network.js";
import { currentLanguage, LANGUAGES, percent, setLanguage, t, writeWords } from "./words.js";

/** @import { Outputs } from "./network.js" */
/** @import { Answer } from "./cards.js" */

const MAX_CLASSES = 5; // shown for each photo
/** Files that browsers do not decode @type {Record<string, string>} */
const UNKNOWN = { dcm: "DICOM", heic: "", heif: "", jp2: "JPEG 2000", tif: "TIFF", tiff: "TIFF" };

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);
const live = element("live");
/** @param {string} selector @returns {any} */
const ofLive = (selector) => live.querySelector(selector);

/** What the exporter says of the classifier. promises: share of sure answers that are right -> the least probability of one
 * (null: no class is); hierarchy: see docs/hierarchy.md
 * @type {{ class_names: string[], resizing: string, promises: Record<string, number | null>, promise: string | null,
 *   hierarchy: { parents: string[][], accuracy: Record<string, (number | null)[]> } | null,
 *   is_measured: boolean, unsure: string[], thresholds: number[] | null,
 *   decision: { costs: number[][] | null, recall: { class: string, threshold: number | null }[] } | null, accuracy: { value: number, low: number, high: number, count: number } | null, bytes: Record<string, number> }} */
let facts;
/** @type {(picture: Blob | ImageBitmap) => Promise<Outputs>} */
let ask;
/** What is said at the top, again in another language */
let state = () => "";

// What the network gives -> an answer

/** @param {Outputs} outputs @returns {Answer} */
function answerOf({ probabilities, familiar: isKnown, other = 0, places }) {
  const ranked = facts.class_names.map((name, at) => /** @type {[string, number]} */ ([name, probabilities[at]]));
  ranked.sort(([, one], [, other]) => other - one);
  if (facts.thresholds) return { ranked: ranked.slice(0, MAX_CLASSES), familiar: isKnown, places, ...labelsOf(probabilities, facts.thresholds, isKnown) };
  const [mostProbable] = ranked[0];
  const { label, rule } = decided(probabilities) ?? { label: mostProbable, rule: null };
  const probability = probabilities[facts.class_names.indexOf(label)];
  const familiar = isKnown && other < IS_OTHER;
  const sure = familiar && probability >= leastOfSure() && !facts.unsure.includes(label);
  const found = { ranked: ranked.slice(0, MAX_CLASSES), label, probability, rule: label === mostProbable ? null : rule, other, sure, familiar, places };
  return sure || !familiar ? found : { ...found, ...parentOf(label, probabilities) };
}

/** With several labels per photo: those of this one, and the probability that exactly these are right, if they are independent.
 * @param {ArrayLike<number>} probabilities @param {number[]} thresholds @param {boolean} familiar */
function labelsOf(probabilities, thresholds, familiar) {
  const labels = facts.class_names.filter((_, at) => probabilities[at] >= thresholds[at]);
  const probability = thresholds.reduce((product, least, at) => product * (probabilities[at] >= least ? probabilities[at] : 1 - probabilities[at]), 1);
  const sure = familiar && probability >= leastOfSure() && !labels.some((label) => facts.unsure.includes(label));
  return { label: labels.join("|"), labels, probability, sure };
}

/** The class that is answered where mistakes differ in what they cost, see docs/mistakes.md; null: the most probable one.
 * @param {ArrayLike<number>} probabilities @returns {{ label: string, rule: "recall" | "cost" } | null} */
function decided(probabilities) {
  const { recall = [], costs = null } = facts.decision ?? {};
  const names = facts.class_names;
  const promised = recall.find((each) => each.threshold !== null && probabilities[names.indexOf(each.class)] >= each.threshold);
  if (promised) return { label: promised.class, rule: "recall" };
  if (!costs) return null;
  const expected = names.map((_, answer) => costs.reduce((sum, row, right) => sum + probabilities[right] * row[answer], 0));
  return { label: names[expected.indexOf(Math.min(...expected))], rule: "cost" };
}

/** The lowest parent of a class that is answered where the class is not sure, see docs/hierarchy.md.
 * @param {string} label @param {ArrayLike<number>} probabilities */
function parentOf(label, probabilities) {
  const { parents = [], accuracy = {} } = facts.hierarchy ?? {};
  const own = parents[facts.class_names.indexOf(label)] ?? [];
  const thresholds = accuracy[element("level").value] ?? [];
  for (let level = own.length - 1; level >= 0; level--) {
    const share = parents.reduce((sum, each, at) => sum + (each[level] === own[level] ? probabilities[at] : 0), 0);
    if (share >= (thresholds[level] ?? Infinity)) return { parent: own[level], parent_probability: Math.min(share, 1) };
  }
  return {};
}

/** The least probability of a sure answer. */
function leastOfSure() {
  const wanted = element("level").value;
  return wanted ? facts.promises[wanted] ?? Infinity : facts.is_measured ? Infinity : 0;
}

// Photos

/** @param {File[]} files @param {[string, () => string][]} unreadable */
function add(files, unreadable = []) {
  if (!files.length && !unreadable.length) return;
  const names = [...unreadable.map(([name]) => name), ...files.map((file) => file.name || t("photo.pasted"))];
  addCards(names).forEach((card, at) => {
    const reason = unreadable[at]?.[1];
    if (reason) showFailure(card, names[at], reason);
    else predict(card, files[at - unreadable.length], names[at]);
  });
}

/** @param {HTMLElement} card @param {File} file @param {string} name */
async function predict(card, file, name) {
  showPhoto(card, file, name);
  try {
    const outputs = await ask(file);
    showAnswer(card, name, () => answerOf(outputs));
  } catch (error) {
    showFailure(card, name, () => (error instanceof Undecodable ? whyNotDecoded(name) : String(error)));
  }
}

/** @param {string} name */
function whyNotDecoded(name) {
  const format = UNKNOWN[name.split(".").pop()?.toLowerCase() ?? ""];
  return format === undefined ? t("photo.broken") : format ? t("photo.format", { format }) : t("photo.heic");
}

// The camera

let stopCamera = () => {};
let isLive = 0; // which start of the camera is on; 0: none
let starts = 0;
/** @type {"environment" | "user"} */
let side = "environment";

async function startLive() {
  stopCamera();
  const own = (isLive = ++starts);
  const video = ofLive("video");
  [live.hidden, element("drop-zone").hidden] = [false, true];
  say(() => "");
  try {
    stopCamera = await startCamera(video, side);
  } catch (error) {
    endLive();
    if (!(error instanceof Unusable)) throw error;
    return say(() => t(error.code), true);
  }
  element("stop-live").focus();
  element("keep").hidden = ofLive(".highlight").hidden = false;
  element("other-camera").hidden = !(await hasOtherCamera());
  answerFrames(video, ask, showLive, () => isLive !== own).catch((error) => {
    endLive();
    say(() => String(error), true);
  });
}

function endLive() {
  isLive = 0;
  stopCamera();
  stopCamera = () => {};
  [live.hidden, element("drop-zone").hidden] = [true, false];
}

/** @param {Outputs} outputs @param {number} rate */
function showLive(outputs, rate) {
  const found = answerOf(outputs);
  const [title, note] = wordsOf(found);
  live.classList.toggle("unsure", isUnsure(found));
  if (ofLive(".answer").textContent !== title) ofLive(".answer").textContent = title; // a change is read aloud
  ofLive(".note").textContent = note;
  ofLive(".probabilities").replaceChildren(...found.ranked.map(bar));
  ofLive(".rate").textContent = t("live.rate", { count: rate < 10 ? Math.round(10 * rate) / 10 : Math.round(rate) });
  const [canvas, video] = [ofLive("canvas"), ofLive("video")];
  drawPlaces(canvas, outputs.places);
  lay(canvas, facts.resizing, video.videoWidth, video.videoHeight);
}

async function keepPicture() {
  const video = ofLive("video");
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  add([new File([await canvas.convertToBlob()], `${t("live.kept")}.png`, { type: "image/png" })]);
}

// The page

/** @param {() => string} words @param {boolean} [isBad] */
function say(words, isBad = false) {
  state = words;
  element("state").textContent = words();
  element("state").classList.toggle("bad", isBad);
}

function write() {
  writeWords();
  if (facts) element("about").textContent = aboutModel(facts.class_names, facts.accuracy);
  element("state").textContent = state();
  const level = element("level");
  for (const option of level.options) option.textContent = promiseOf(option.value);
  writeAgain();
}

/** @param {string} share such as 0.95; "": nothing can be promised */
const promiseOf = (share) => (share ? t("promise.level", { value: percent(Number(share), Math.max(0, share.length - 4)) }) : t("promise.none"));

function offerPromises() {
  const level = element("level");
  const levels = Object.keys(facts.promises).sort();
  for (const each of levels.length ? levels : [""]) level.add(new Option("", each, false, each === facts.promise));
  element("promise").hidden = !facts.is_measured;
}

async function start() {
  const language = element("language");
  for (const [name, words] of Object.entries(LANGUAGES)) language.add(new Option(words, name, false, name === currentLanguage()));
  language.hidden = false;
  language.addEventListener("change", () => {
    setLanguage(language.value);
    write();
  });
  write();
  try {
    const response = await fetch("facts.json");
    if (!response.ok) throw new Unusable("files", `facts.json: ${response.status}`);
    facts = await response.json();
    offerPromises();
    say(() => t("loading", { share: percent(0, 0) }));
    write();
    ask = await openNetwork(facts, (share) => say(() => t("loading", { share: percent(share, 0) })));
  } catch (error) {
    const { code, message } = error instanceof Unusable ? error : { code: "files", message: String(error) };
    return say(() => t(`problem.${code}`, { reason: message }), true);
  }
  say(() => "");
  element("page").hidden = false;
  keepForLater();
}

/** From the next visit on, the page needs no network, and may use threads. */
async function keepForLater() {
  if (!navigator.serviceWorker) return; // not encrypted, and not this computer
  try {
    await navigator.serviceWorker.register("service-worker.js");
    await navigator.serviceWorker.ready;
    element("offline").hidden = false;
  } catch (error) {
    console.info(error); // a private window, say: the page works all the same, as long as its host is there
  }
}

element("unserved").remove();
listenForPhotos((files, unreadable) => element("page").hidden || add(files, unreadable));
element("clear").addEventListener("click", () => {
  clearCards();
  element("choose").focus();
});
element("level").addEventListener("change", writeAgain);
element("start-live").addEventListener("click", startLive);
element("stop-live").addEventListener("click", () => {
  endLive();
  element("start-live").focus();
});
element("keep").addEventListener("click", keepPicture);
element("other-camera").addEventListener("click", () => {
  side = side === "user" ? "environment" : "user";
  startLive();
});
ofLive(".highlight").addEventListener("click", () => {
  const canvas = ofLive("canvas");
  canvas.hidden = !canvas.hidden;
  ofLive(".highlight").setAttribute("aria-pressed", String(!canvas.hidden));
});
start();
