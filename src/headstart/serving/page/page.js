// The page of the service: photos that are chosen, dropped, pasted or taken -> results. It talks to this service only.

const MAX_REQUESTS = 3; // at the same time
const RETRIES = 20; // while the service is busy
const MAX_CLASSES = 5; // shown for each photo
const KEY = "headstart-key"; // kept until the tab is closed

const element = (id) => document.getElementById(id);
const [about, dropZone, list, announcements] = ["about", "drop-zone", "list", "announcements"].map(element);
let model = null;
let running = 0;
const waiting = [];

function percent(value) {
  if (value >= 0.9995 && value < 1) return "over 99.9%";
  return value > 0 && value < 0.0005 ? "under 0.1%" : `${(100 * value).toFixed(1)}%`;
}
const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;
const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

async function ask(path, body) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(body && { "Content-Type": "application/octet-stream" }) };
  for (let retriesLeft = RETRIES; ; retriesLeft--) {
    let response;
    try {
      response = await fetch(path, { method: body ? "POST" : "GET", body, headers });
    } catch {
      throw new Error("The service cannot be reached. Is it running?");
    }
    if (response.ok) return response.json();
    if (response.status === 503 && retriesLeft > 0) {
      await pause(Number(response.headers.get("Retry-After")) || 1);
      continue;
    }
    if (response.status === 401) {
      element("key-form").hidden = false;
      throw new Error(key ? "This is not the API key of this service." : "This service requires its API key.");
    }
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `The service answered with status ${response.status}.`);
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
    about.textContent = error.message;
    return;
  }
  element("key-form").hidden = true;
  const names = model.class_names;
  const shown = names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
  const accuracy = (model.metrics.test ?? model.metrics.validation)?.accuracy;
  about.textContent = `This model recognises ${names.length} classes: ${shown}.` + (accuracy ? ` Its accuracy on ${accuracy.count.toLocaleString("en")} ` +
    `photos it was not trained on is ${percent(accuracy.value)} (95% interval: ${percent(accuracy.low)} to ` +
    `${percent(accuracy.high)}).` : "");
  element("limits").textContent = `Up to ${megabytes(model.limits.file_bytes)} each. Photos are not stored.`;
  const select = element("model");
  if (model.models.length > 1 && !select.options.length) {
    for (const name of model.models) select.add(new Option(name, name, false, name === model.model));
    element("model-choice").hidden = false;
  }
}

// Photos

function add(files, unreadable = []) {
  const photos = [...files];
  if (!photos.length && !unreadable.length) return;
  element("results").hidden = false;
  const cards = document.createDocumentFragment();
  const addCard = (name) => {
    const card = element("card").content.firstElementChild.cloneNode(true);
    card.querySelector(".name").textContent = name;
    cards.append(card);
    return card;
  };
  for (const [name, reason] of unreadable) showFailure(addCard(name), name, reason);
  for (const file of photos) {
    const name = file.name || "Pasted photo";
    const card = addCard(name);
    const limit = model?.limits.file_bytes;
    if (limit && file.size > limit) {
      showFailure(card, name, `This file has ${megabytes(file.size)}; the limit is ${megabytes(limit)}. Make it smaller.`);
      continue;
    }
    preview(card, file, name);
    waiting.push(() => predict(card, file, name));
  }
  list.prepend(cards);
  startNext();
}

// What was dropped: files, and the images in folders

async function addDropped(dropped) {
  const [photos, unreadable] = [[], []];
  const walk = async (entry, isNested) => {
    if (entry.isDirectory) {
      const [reader, before] = [entry.createReader(), photos.length + unreadable.length];
      for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) {
        for (const each of some) if (!each.name.startsWith(".")) await tryToWalk(each, true); // as in training
      }
      if (!isNested && before === photos.length + unreadable.length) unreadable.push([entry.name, "This folder contains no photos."]);
      return;
    }
    const file = await new Promise((done, failed) => entry.file(done, failed));
    if (!isNested || file.type.startsWith("image/")) photos.push(file);
  };
  const tryToWalk = (entry, isNested) =>
    walk(entry, isNested).catch((error) => unreadable.push([entry.name, `The browser cannot read it: ${error.message}`]));
  // all entries before the first `await`: after it, the browser has forgotten what was dropped
  const items = [...dropped.items].filter((item) => item.kind === "file");
  for (const entry of items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile())) {
    if (entry instanceof File) photos.push(entry);
    else if (entry) await tryToWalk(entry, false);
  }
  add(photos, unreadable);
}

function startNext() {
  while (running < MAX_REQUESTS && waiting.length) {
    running++;
    waiting.shift()().finally(() => {
      running--;
      startNext();
    });
  }
}

function preview(card, file, name) {
  const image = card.querySelector(".photo img");
  image.onerror = () => card.classList.add("none"); // such as a TIFF, which browsers cannot show
  image.alt = `The photo ${name}`;
  image.src = URL.createObjectURL(file);
}

async function predict(card, file, name) {
  try {
    const options = { top: MAX_CLASSES, explain: true, ...(element("model").value && { model: element("model").value }) };
    const { predictions } = await ask(`v1/predict?${new URLSearchParams(options)}`, file);
    showPrediction(card, name, predictions[0]);
  } catch (error) {
    showFailure(card, name, error.message);
  }
}

// Results

function showFailure(card, name, reason) {
  card.classList.add("bad");
  card.classList.toggle("none", !card.querySelector("img").naturalWidth);
  showText(card, name, "No result", reason);
}

function showText(card, name, answer, note) {
  card.querySelector(".answer").textContent = answer;
  card.querySelector(".note").textContent = note;
  const line = document.createElement("p");
  line.textContent = `${name}: ${answer}. ${note}`;
  announcements.append(line);
}

function showPrediction(card, name, found) {
  const best = `${found.label}, ${percent(found.probability)}`;
  if (found.remark) {
    card.classList.add("unsure");
    showText(card, name, "Not sure", `The photo ${found.remark}. The most likely class is ${best}.`);
  } else if (found.other >= 0.5) {
    card.classList.add("unsure");
    showText(card, name, "None of the classes", `Probability ${percent(found.other)}. If it were one of them: ${best}.`);
  } else if (!found.familiar) {
    card.classList.add("unsure");
    showText(card, name, "Unlike the training photos", `This model was not trained on photos like this one. Best guess: ${best}.`);
  } else if (found.rule) {
    const [mostProbable, probability] = Object.entries(found.probabilities).sort(([, one], [, other]) => other - one)[0];
    const why = found.rule === "recall" ? "This class is to be missed rarely" : "Its expected cost is the least";
    showText(card, name, found.label, `Probability ${percent(found.probability)}. ${why}; more probable is ${mostProbable}, ${percent(probability)}.`);
  } else if (!found.sure) {
    card.classList.add("unsure");
    showText(card, name, "Not sure", `The most likely class is ${best}, which is too uncertain to rely on.`);
  } else {
    showText(card, name, found.label, `Probability ${percent(found.probability)}`);
  }
  // sorted here: an object lists keys that are whole numbers first, in their own order
  const probabilities = Object.entries(found.probabilities).sort(([, one], [, other]) => other - one);
  for (const [label, value] of probabilities) {
    const row = document.createElement("li");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = value;
    bar.setAttribute("aria-label", `Probability of ${label}`);
    row.append(text("span", label), text("span", percent(value), "value"), bar);
    card.querySelector(".probabilities").append(row);
  }
  if (found.places) showPlaces(card, found.places);
  if (found.similar?.length) showSimilar(card, found.similar);
}

function text(tag, content, name = "") {
  const made = document.createElement(tag);
  made.textContent = content;
  made.className = name;
  return made;
}

// The photo is darker at places that do not support the prediction

function showPlaces(card, places) {
  const [image, canvas, button] = ["img", "canvas", ".highlight"].map((name) => card.querySelector(name));
  canvas.width = places.width;
  canvas.height = places.height;
  const most = Math.max(1e-6, ...places.values);
  const pixels = new ImageData(places.width, places.height);
  places.values.forEach((value, at) => (pixels.data[4 * at + 3] = 190 * (1 - Math.max(0, value) / most)));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const layOver = () => {
    // the square that the network sees, relative to the photo
    const { naturalWidth: width, naturalHeight: height } = image;
    const shorter = Math.min(width, height);
    const sides = { stretch: null, crop: shorter, pad: Math.max(width, height), "resize-crop": (shorter * 7) / 8 };
    const side = sides[places.resizing];
    const [across, down] = side ? [side / width, side / height] : [1, 1];
    Object.assign(canvas.style, {
      width: `${100 * across}%`, height: `${100 * down}%`, left: `${50 * (1 - across)}%`, top: `${50 * (1 - down)}%`,
    });
    canvas.hidden = button.hidden = false;
  };
  if (image.naturalWidth) layOver();
  else image.addEventListener("load", layOver);
  button.addEventListener("click", () => {
    canvas.hidden = !canvas.hidden;
    button.setAttribute("aria-pressed", String(!canvas.hidden));
  });
}

function showSimilar(card, similar) {
  const row = card.querySelector(".similar");
  row.hidden = false;
  for (const { label, similarity, image } of similar) {
    const item = document.createElement("li");
    const thumbnail = new Image();
    thumbnail.src = image;
    thumbnail.alt = `A training photo of ${label}`;
    item.append(thumbnail, text("span", `${label} (similarity ${similarity.toFixed(2)})`));
    row.querySelector("ul").append(item);
  }
}

// What a visitor can do

for (const [button, input] of [["choose", "files"], ["take", "camera"]]) {
  element(button).addEventListener("click", () => element(input).click());
  element(input).addEventListener("change", (event) => {
    add(event.target.files);
    event.target.value = ""; // so that the same photo can be chosen again
  });
}
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  dropZone.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropZone.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dropZone.classList.remove("over");
  addDropped(event.dataTransfer);
});
document.addEventListener("paste", (event) => add(event.clipboardData.files));
element("clear").addEventListener("click", () => {
  for (const image of list.querySelectorAll(".photo img")) URL.revokeObjectURL(image.src);
  waiting.length = 0;
  list.replaceChildren();
  announcements.replaceChildren();
  element("results").hidden = true;
  element("choose").focus();
});
element("model").addEventListener("change", describe);
element("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = element("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) { // no browser could send it
    about.textContent = "A key consists of ASCII letters, digits and symbols only.";
    return;
  }
  sessionStorage.setItem(KEY, key);
  describe();
});
describe();
