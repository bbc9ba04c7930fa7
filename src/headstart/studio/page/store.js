// What the page knows of the studio, as signals. Screens read them; only this file asks the server for them.

import { api, meant, Problem } from "./api.js";
import { language, languageIsChosen, setLanguage, t } from "./i18n.js";
import { toast } from "./components/toast.js";
import { batch, computed, signal } from "./ui.js";

/** @import { Answers, Collection, Job, Labels, Opening, Progress, Queue } from "./api.js" */

/** @type {import("./ui.js").Signal<"starting" | "online" | "offline">} */
export const connection = signal(/** @type {"starting" | "online" | "offline"} */ ("starting"));
export const collection = signal(/** @type {Collection | null} */ (null));
export const labels = signal(/** @type {Labels | null} */ (null));
export const answers = signal(/** @type {Answers | null} */ (null));
export const features = signal(/** @type {Progress | null} */ (null));
/** What is not there yet of what is computed: "features", "copies", "answers", "neighbours", "map". */
export const computing = signal(/** @type {string[]} */ ([]));
export const reading = signal(/** @type {{ done: number, total: number } | null} */ (null));
export const jobs = signal(/** @type {Job[]} */ ([]));
export const can = signal(/** @type {Record<string, any>} */ ({}));
export const version = signal("");
/** Grow when what they name may be another: the photos' labels and answers, the queue, the map. */
export const photosChanged = signal(0);
export const queueChanged = signal(0);
export const mapChanged = signal(0);

/** The label of photos of none of the classes. */
export const OTHER = "_other";
export const generation = computed(() => collection.value?.generation ?? 0);
export const classes = computed(() => labels.value?.classes ?? collection.value?.classes ?? []);
export const classNames = computed(() => classes.value.map((each) => each.name));
/** What is being opened, or why it cannot be; null: nothing is. */
export const opening = signal(/** @type {Opening | null} */ (null));

/** Tell the user what went wrong; what was given up on purpose is no failure. @param {unknown} error */
export function report(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (error instanceof Problem && error.code === "offline") {
    connection.value = "offline";
    return;
  }
  if (!(error instanceof Problem)) console.error(error);
  toast(error instanceof Error ? error.message : String(error), { kind: "bad" });
}

/** Run something of the user's; a refusal becomes a message. @template T @param {() => Promise<T>} work @returns {Promise<T | null>} */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    report(error);
    return null;
  }
}

export async function loadState() {
  const state = await api.state();
  batch(() => {
    connection.value = "online";
    version.value = state.version;
    can.value = state.can ?? {};
    jobs.value = state.jobs ?? [];
    opening.value = state.opening ?? null;
    showCollection(state.collection);
    if ((state.language === "en" || state.language === "pt") && !languageIsChosen()) setLanguage(state.language, false);
  });
  if (state.collection) await loadAnswers();
}

export async function loadCollection() {
  try {
    showCollection(await api.collection());
  } catch (error) {
    if (error instanceof Problem && error.status === 404) showCollection(null);
    else throw error;
  }
}

/** @param {Collection | null} found */
function showCollection(found) {
  batch(() => {
    const isOther = found?.path !== collection.value?.path;
    collection.value = found;
    meant.generation = found?.generation ?? 0;
    labels.value = found?.labels ?? null;
    features.value = found?.features ?? null;
    reading.value = found?.reading ?? null;
    computing.value = found?.computing ?? [];
    if (isOther) answers.value = null;
    photosChanged.value++;
    queueChanged.value++;
    mapChanged.value++;
  });
}

export async function loadAnswers() {
  try {
    answers.value = await api.answers();
  } catch (error) {
    if (!(error instanceof Problem) || error.code === "offline") throw error;
    answers.value = null; // none yet
  }
}

/** After each change of labels, by this page or another. @param {Partial<Labels>} found */
export function showLabels(found) {
  batch(() => {
    labels.value = { .../** @type {Labels} */ (labels.value ?? {}), ...found };
    if (collection.value)
      collection.value = {
        ...collection.value,
        labels: labels.value,
        classes: found.classes ?? collection.value.classes,
        unlabelled: found.unlabelled ?? collection.value.unlabelled,
        excluded: found.excluded ?? collection.value.excluded,
      };
    photosChanged.value++;
  });
}

/** @param {Job} job */
export function showJob(job) {
  const others = jobs.value.filter((each) => each.id !== job.id);
  const known = jobs.value.find((each) => each.id === job.id);
  jobs.value = [{ ...known, ...job }, ...others];
}

// What the server tells

let source = /** @type {EventSource | null} */ (null);
/** @type {Set<(event: Record<string, any>) => void>} */
const listeners = new Set();
/** Screens may listen to all events too, such as those of a job. @param {(event: Record<string, any>) => void} listener */
export function listen(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function start() {
  attempt(loadState);
  source?.close();
  source = new EventSource("api/events");
  source.onopen = () => {
    if (connection.value === "offline") attempt(loadState);
  };
  source.onerror = () => {
    connection.value = "offline";
    if (source?.readyState === EventSource.CLOSED) setTimeout(start, 2000);
  };
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    hear(event);
    for (const listener of listeners) listener(event);
  };
}

/** @param {Record<string, any>} event */
function hear(event) {
  switch (event.type) {
    case "hello":
      if (version.value && event.version && event.version !== version.value) location.reload(); // another server, another page
      break;
    case "collection":
      attempt(loadState);
      break;
    case "opening":
      opening.value = /** @type {any} */ (event);
      break;
    case "labels":
      showLabels(event.labels ?? event);
      break;
    case "answers":
      attempt(loadAnswers).then(() => batch(() => (photosChanged.value++, queueChanged.value++)));
      break;
    case "features":
      features.value = event.done < event.total ? /** @type {any} */ (event) : null;
      if (!features.value) mapChanged.value++;
      break;
    case "reading":
      reading.value = event.done < event.total ? { done: event.done, total: event.total } : null;
      break;
    case "computing":
      computing.value = event.stages;
      break;
    case "queue":
      queueChanged.value++;
      break;
    case "map":
      mapChanged.value++;
      break;
    case "analysis":
    case "findings":
      attempt(loadCollection);
      break;
    case "job":
      if (event.job) showJob(event.job);
      else attempt(async () => (jobs.value = await api.jobs()));
      break;
  }
}

// Theme

/** @typedef {"auto" | "light" | "dark"} Theme */
export const theme = signal(/** @type {Theme} */ (localStorage.getItem("headstart-theme") ?? "auto"));
/** @param {Theme} name */
export function setTheme(name) {
  theme.value = name;
  localStorage.setItem("headstart-theme", name);
}
theme.subscribe((name) => {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
});
language.subscribe((name) => {
  document.documentElement.lang = name === "pt" ? "pt-BR" : "en";
});
export const title = computed(() => (collection.value ? `${collection.value.name} · headstart` : t("app.title")));
