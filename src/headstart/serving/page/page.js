// The page of the service: photos that are chosen, dropped, pasted or taken -> results. It talks to this service only.

import { aboutModel, addCards, clearCards, showAnswer, showFailure, showPhoto } from "./cards.js";
import { listenForPhotos } from "./dropping.js";
import { megabytes, t, writeWords } from "./words.js";

const MAX_REQUESTS = 3; // at the same time
const RETRIES = 20; // while the service is busy
const MAX_CLASSES = 5; // shown for each photo
const KEY = "headstart-key"; // kept until the tab is closed

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);
const about = element("about");
/** @type {any} */
let model = null;
let running = 0;
/** @type {(() => Promise<void>)[]} */
const waiting = [];

/** @param {number} rate */
const share = (rate) => (rate >= 0.7 ? t("keep.every") : t("keep.some", { count: String(Math.round(1 / rate)) }));
/** @param {number} seconds */
const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

/** @param {string} path @param {Blob} [body] */
async function ask(path, body) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(body && { "Content-Type": "application/octet-stream" }) };
  for (let retriesLeft = RETRIES; ; retriesLeft--) {
    let response;
    try {
      response = await fetch(path, { method: body ? "POST" : "GET", body, headers });
    } catch {
      throw new Error(t("service.unreachable"));
    }
    if (response.ok) return response.json();
    if (response.status === 503 && retriesLeft > 0) {
      await pause(Number(response.headers.get("Retry-After")) || 1);
      continue;
    }
    if (response.status === 401) {
      element("key-form").hidden = false;
      throw new Error(t(key ? "key.wrong" : "key.needed"));
    }
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? t("service.status", { status: String(response.status) }));
  }
}

// The model

async function describe() {
  const chosen = element("model").value;
  try {
    const found = await ask(`v1/model?${new URLSearchParams(chosen && { model: chosen })}`);
    if (element("model").value !== chosen) return; // another one was chosen in the meantime
    model = found;
  } catch (error) {
    about.textContent = /** @type {Error} */ (error).message;
    return;
  }
  element("key-form").hidden = true;
  about.textContent = aboutModel(model.class_names, (model.metrics.test ?? model.metrics.validation)?.accuracy);
  const kept = model.keeps_samples ? t("keep.kept", { share: share(model.keeps_samples) }) : t("add.notStored");
  element("limits").textContent = `${t("add.limit", { size: megabytes(model.limits.file_bytes) })} ${kept}`;
  element("consent").hidden = !model.keeps_samples;
  const select = element("model");
  if (model.models.length > 1 && !select.options.length) {
    for (const name of model.models) select.add(new Option(name, name, false, name === model.model));
    element("model-choice").hidden = false;
  }
}

// Photos

/** @param {File[]} files @param {[string, () => string][]} unreadable */
function add(files, unreadable = []) {
  if (!files.length && !unreadable.length) return;
  const names = [...unreadable.map(([name]) => name), ...files.map((file) => file.name || t("photo.pasted"))];
  addCards(names).forEach((card, at) => {
    const [name, reason, file] = [names[at], unreadable[at]?.[1], files[at - unreadable.length]];
    const limit = model?.limits.file_bytes;
    if (reason) showFailure(card, name, reason);
    else if (limit && file.size > limit) showFailure(card, name, () => t("photo.large", { size: megabytes(file.size), limit: megabytes(limit) }));
    else {
      showPhoto(card, file, name);
      waiting.push(() => predict(card, file, name));
    }
  });
  startNext();
}

function startNext() {
  while (running < MAX_REQUESTS && waiting.length) {
    running++;
    waiting.shift()?.().finally(() => {
      running--;
      startNext();
    });
  }
}

/** @param {HTMLElement} card @param {File} file @param {string} name */
async function predict(card, file, name) {
  try {
    const options = { top: String(MAX_CLASSES), explain: "true", keep: String(element("may-keep").checked), ...(element("model").value && { model: element("model").value }) };
    const [found] = (await ask(`v1/predict?${new URLSearchParams(options)}`, file)).predictions;
    // sorted here: an object lists keys that are whole numbers first, in their own order
    const ranked = /** @type {[string, number][]} */ (Object.entries(found.probabilities)).sort(([, one], [, other]) => other - one);
    showAnswer(card, name, () => ({ ...found, ranked }));
  } catch (error) {
    showFailure(card, name, () => /** @type {Error} */ (error).message);
  }
}

// What a visitor can do

listenForPhotos(add);
element("clear").addEventListener("click", () => {
  waiting.length = 0;
  clearCards();
  element("choose").focus();
});
element("model").addEventListener("change", describe);
element("key-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const key = element("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) { // no browser could send it
    about.textContent = t("key.letters");
    return;
  }
  sessionStorage.setItem(KEY, key);
  describe();
});
writeWords();
[about.textContent, element("limits").textContent] = [t("connecting"), t("add.notStored")];
describe();
