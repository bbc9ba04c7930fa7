// The page of the service: photos that are chosen, dropped, pasted or taken -> answers. It asks this service alone.

const AT_ONCE = 3; // photos that are sent side by side
const RETRIES = 20; // where the service has too much to do
const SHOWN = 5; // classes
const KEY = "headstart-key"; // for as long as the tab is open

const element = (id) => document.getElementById(id);
const [about, place, list, spoken] = ["about", "place", "list", "spoken"].map(element);
let model = null;
let running = 0;
const waiting = [];

function share(value) {
  if (value >= 0.9995 && value < 1) return "over 99.9%";
  return value > 0 && value < 0.0005 ? "under 0.1%" : `${(100 * value).toFixed(1)}%`;
}
const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;
const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

async function ask(path, body) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(body && { "Content-Type": "application/octet-stream" }) };
  for (let left = RETRIES; ; left--) {
    let response;
    try {
      response = await fetch(path, { method: body ? "POST" : "GET", body, headers });
    } catch {
      throw new Error("The service cannot be reached. Is it running?");
    }
    if (response.ok) return response.json();
    if (response.status === 503 && left > 0) {
      await pause(Number(response.headers.get("Retry-After")) || 1);
      continue;
    }
    if (response.status === 401) element("door").hidden = false;
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `The service answered with status ${response.status}.`);
  }
}

// The model

async function describe() {
  const chosen = element("model").value;
  try {
    const found = await ask(`v1/model?${new URLSearchParams(chosen && { model: chosen })}`);
    if (element("model").value !== chosen) return; // another one was chosen meanwhile
    model = found;
  } catch (error) {
    about.textContent = error.message;
    return;
  }
  element("door").hidden = true;
  const names = model.class_names;
  const shown = names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
  const measured = model.metrics.test ?? model.metrics.validation;
  const right = measured?.accuracy;
  about.textContent = `It knows ${shown}.` + (right ? ` Of ${right.count.toLocaleString("en")} photos that it had not ` +
    `seen, it answered ${share(right.value)} rightly (95% interval: ${share(right.low)} to ${share(right.high)}).` : "");
  element("limits").textContent = `Up to ${megabytes(model.limits.file_bytes)} each. Photos are not kept.`;
  const select = element("model");
  if (model.models.length > 1 && !select.options.length) {
    for (const name of model.models) select.add(new Option(name, name, false, name === model.model));
    element("choice").hidden = false;
  }
}

// Photos

function take(files, unread = []) {
  const photos = [...files];
  if (!photos.length && !unread.length) return;
  element("found").hidden = false;
  const cards = document.createDocumentFragment();
  const add = (name) => {
    const card = element("card").content.firstElementChild.cloneNode(true);
    card.querySelector(".name").textContent = name;
    cards.append(card);
    return card;
  };
  for (const [name, reason] of unread) fail(add(name), name, reason);
  for (const file of photos) {
    const name = file.name || "Pasted photo";
    const card = add(name);
    const most = model?.limits.file_bytes;
    if (most && file.size > most) {
      fail(card, name, `It has ${megabytes(file.size)}; up to ${megabytes(most)} are taken. Make it smaller.`);
      continue;
    }
    preview(card, file, name);
    waiting.push(() => answer(card, file, name));
  }
  list.prepend(cards);
  next();
}

// What was dropped: files, and the images in folders

async function drop(carried) {
  const [photos, unread] = [[], []];
  const walk = async (entry, inside) => {
    if (entry.isDirectory) {
      const [reader, before] = [entry.createReader(), photos.length + unread.length];
      for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) {
        for (const each of some) if (!each.name.startsWith(".")) await tried(each, true); // as in training
      }
      if (!inside && before === photos.length + unread.length) unread.push([entry.name, "This folder holds no photos."]);
      return;
    }
    const file = await new Promise((done, failed) => entry.file(done, failed));
    if (!inside || file.type.startsWith("image/")) photos.push(file);
  };
  const tried = (entry, inside) =>
    walk(entry, inside).catch((error) => unread.push([entry.name, `The browser cannot read it: ${error.message}`]));
  // all at once: while something is waited for, what was dropped is forgotten
  const items = [...carried.items].filter((item) => item.kind === "file");
  for (const given of items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile())) {
    if (given instanceof File) photos.push(given);
    else if (given) await tried(given, false);
  }
  take(photos, unread);
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running++;
    waiting.shift()().finally(() => {
      running--;
      next();
    });
  }
}

function preview(card, file, name) {
  const image = card.querySelector(".photo img");
  image.onerror = () => card.classList.add("none"); // such as a TIFF, which browsers do not show
  image.alt = `The photo ${name}`;
  image.src = URL.createObjectURL(file);
}

async function answer(card, file, name) {
  try {
    const options = { top: SHOWN, explain: true, ...(element("model").value && { model: element("model").value }) };
    const { predictions } = await ask(`v1/predict?${new URLSearchParams(options)}`, file);
    show(card, name, predictions[0]);
  } catch (error) {
    fail(card, name, error.message);
  }
}

function fail(card, name, reason) {
  card.classList.add("bad");
  card.classList.toggle("none", !card.querySelector("img").naturalWidth);
  tell(card, name, "No answer", reason);
}

function tell(card, name, answer, note) {
  card.querySelector(".answer").textContent = answer;
  card.querySelector(".note").textContent = note;
  const line = document.createElement("p");
  line.textContent = `${name}: ${answer}. ${note}`;
  spoken.append(line);
}

function show(card, name, found) {
  const given = `${found.label}, ${share(found.probability)}`;
  if (!found.familiar) {
    card.classList.add("unsure");
    tell(card, name, "Like nothing it knows", `It was trained on nothing like this photo. If anything: ${given}.`);
  } else if (!found.sure) {
    card.classList.add("unsure");
    tell(card, name, "Not sure", `The likeliest is ${given}, which is too little to rely on.`);
  } else {
    tell(card, name, found.label, `Probability ${share(found.probability)}`);
  }
  // an object has names that are whole numbers first, in their own order
  const shares = Object.entries(found.probabilities).sort(([, one], [, other]) => other - one);
  for (const [label, value] of shares) {
    const row = document.createElement("li");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = value;
    bar.setAttribute("aria-label", `Probability of ${label}`);
    row.append(text("span", label), text("span", share(value), "share"), bar);
    card.querySelector(".shares").append(row);
  }
  if (found.places) explain(card, found.places);
  if (found.similar?.length) compare(card, found.similar);
}

function text(tag, content, name = "") {
  const made = document.createElement(tag);
  made.textContent = content;
  made.className = name;
  return made;
}

// Where the answer comes from: the photo is darker where little speaks for it

function explain(card, places) {
  const [image, canvas, button] = ["img", "canvas", ".why"].map((name) => card.querySelector(name));
  canvas.width = places.width;
  canvas.height = places.height;
  const most = Math.max(1e-6, ...places.values);
  const pixels = new ImageData(places.width, places.height);
  places.values.forEach((value, at) => (pixels.data[4 * at + 3] = 190 * (1 - Math.max(0, value) / most)));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const lay = () => {
    // the square that the network sees, on the photo, in shares of its sides
    const { naturalWidth: width, naturalHeight: height } = image;
    const side = { stretch: null, crop: Math.min(width, height), pad: Math.max(width, height) }[places.resizing];
    const [across, down] = side ? [side / width, side / height] : [1, 1];
    Object.assign(canvas.style, {
      width: `${100 * across}%`, height: `${100 * down}%`, left: `${50 * (1 - across)}%`, top: `${50 * (1 - down)}%`,
    });
    canvas.hidden = button.hidden = false;
  };
  if (image.naturalWidth) lay();
  else image.addEventListener("load", lay);
  button.addEventListener("click", () => {
    canvas.hidden = !canvas.hidden;
    button.setAttribute("aria-pressed", String(!canvas.hidden));
  });
}

function compare(card, similar) {
  const row = card.querySelector(".similar");
  row.hidden = false;
  for (const { label, similarity, image } of similar) {
    const item = document.createElement("li");
    const picture = new Image();
    picture.src = image;
    picture.alt = `A training photo of ${label}`;
    item.append(picture, text("span", `${label} (likeness ${similarity.toFixed(2)})`));
    row.querySelector("ul").append(item);
  }
}

// What a visitor can do

for (const [button, input] of [["choose", "files"], ["take", "camera"]]) {
  element(button).addEventListener("click", () => element(input).click());
  element(input).addEventListener("change", (event) => {
    take(event.target.files);
    event.target.value = ""; // so that the same photo can be chosen again
  });
}
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  place.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) place.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  place.classList.remove("over");
  drop(event.dataTransfer);
});
document.addEventListener("paste", (event) => take(event.clipboardData.files));
element("clear").addEventListener("click", () => {
  for (const image of list.querySelectorAll(".photo img")) URL.revokeObjectURL(image.src);
  waiting.length = 0;
  list.replaceChildren();
  spoken.replaceChildren();
  element("found").hidden = true;
  element("choose").focus();
});
element("model").addEventListener("change", describe);
element("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = element("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) { // no browser could send it
    about.textContent = "A key has letters, digits and signs of plain ASCII alone.";
    return;
  }
  sessionStorage.setItem(KEY, key);
  describe();
});
describe();
