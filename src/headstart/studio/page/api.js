// The studio's server, typed. What it answers when it refuses is thrown as a Problem, whose message is for the user.

import { inWords } from "./problems.js";

/** @import { Skipped } from "./dropping.js" */
/** @import { Told } from "./problems.js" */
/**
 * @typedef {{ value: number, low: number, high: number, correct: number, count: number }} Share
 * @typedef {{ name: string, photos: number, train?: number, validation?: number, test?: number, own?: boolean }} ClassSize
 * @typedef {{ state: string, step: number, changed: number, undo: unknown, redo: unknown,
 *             classes?: ClassSize[], unlabelled?: number, excluded?: number }} Labels
 * @typedef {{ done: number, total: number, task?: string, seconds_left?: number | null, photos_per_second?: number | null }} Progress
 * @typedef {{ kind: string, title: string, text: string, photos: number }} Finding
 * @typedef {{ path: string, name: string, generation: number, photos: number, classes: ClassSize[], unlabelled: number,
 *             excluded: number, unreadable: { path: string, reason: string }[], unreadable_count: number,
 *             splits: Record<string, number>, layout: string, notes?: string[], labels: Labels, features: Progress | null, computing: string[],
 *             reading?: { done: number, total: number } | null, findings: Finding[], problem?: Told | null,
 *             journal?: string, settings: Record<string, unknown> }} Collection
 * @typedef {{ id: string, kind: string, state: string, settings?: Record<string, unknown>, progress?: Progress | null,
 *             [more: string]: unknown }} Job
 * @typedef {{ version: string, by?: string, language?: string | null, collection: Collection | null, jobs: Job[],
 *             opening?: Opening | null, can: Record<string, any> }} State
 * @typedef {{ path: string, problem?: Told | null }} Opening
 * @typedef {{ class?: string[], split?: string[], finding?: string, right?: boolean, cell?: [string, string],
 *             confidence?: [number, number], changed?: boolean, unlabelled?: boolean, excluded?: boolean, text?: string,
 *             ids?: number[], sort?: string, like?: number, descending?: boolean }} Query
 * @typedef {{ id: number, path: string, label: string | null, was: string | null, split: string | null, width: number,
 *             height: number, bytes: number, answer?: string | null, confidence?: number | null, second?: string | null,
 *             right?: boolean | null, doubt?: number | null, novelty?: number | null, findings?: string[],
 *             excluded: boolean, changed: boolean, reason?: string | null }} Photo
 * @typedef {{ key: string, ids: number[], kind: string, suggested: string | null, text?: string,
 *             reason: { code?: string, text?: string, [more: string]: unknown }, confidence: number | null }} QueueItem
 * @typedef {{ left: number | null, expected: { gain: number, stop: boolean, text: string, reason?: Record<string, unknown> } | null,
 *             items: QueueItem[] }} Queue
 * @typedef {{ path: string, parent: string | null, places: { name: string, path: string }[],
 *             folders: { name: string, path: string }[], files: { name: string, path: string, kind: string }[] }} Places
 * @typedef {{ threshold: number, answered: number, count: number, right: number | null, low?: number, high?: number }} SurePoint
 * @typedef {{ low: number, high: number, confidence: number, accuracy: number, accuracy_low?: number, accuracy_high?: number,
 *             count: number }} Bin
 * @typedef {{ relabelled: number, before: Share, after: Share, points: number, gained: number, lost: number, p: number,
 *             distinguishable: boolean, text?: string }} Change
 * @typedef {{ of: string, accuracy: Share | null, balanced: number | null, baseline: { class: string, value: number } | null,
 *             verdict: string, confusion: number[][], class_names: string[],
 *             per_class: { name: string, recall: Share | null, precision: Share | null, count: number }[],
 *             calibration: Bin[], sure_curve: SurePoint[], seconds: number, final: boolean, pseudo_labels: number }} Measured
 * @typedef {Measured & { labels_state: string, stale: boolean, change: Change | null, seconds_expected: number | null }} Answers
 * @typedef {Answers & { accuracy: Share }} Counted
 * @typedef {{ openings: number, trainings: number, photos: number, relabelled: number }} TestFacts
 * @typedef {{ name: string, path: string, made: string | null, accuracy: Share | null, labels_state: string, backbone: string,
 *             fine_tuned: boolean, classes: string[], stakes?: { cost: StakesCost | null, recall: StakesRecall[], ranks?: StakesRanks } | null }} Run
 * @typedef {{ label: string, promised: number, is_given: boolean, recall: Share | null, answered: Share, precision: Share | null }} StakesRecall
 * @typedef {{ order: string[], kappa: { value: number, low: number, high: number }, distance: { value: number, low: number, high: number },
 *             distance_of_most_probable: number }} StakesRanks
 * @typedef {{ each: { value: number, low: number, high: number }, of_most_probable: number, constant: string, of_constant: number }} StakesCost
 */

/** What the server refused, or that it cannot be reached. `code`: of the kind of problem; "offline" where none answers. */
export class Problem extends Error {
  /** @param {string} message @param {number} status @param {string} code @param {Record<string, unknown>} [more] */
  constructor(message, status, code, more = {}) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** The collection that the page shows: the server refuses what is meant for another. */
export const meant = { generation: 0 };

/**
 * @param {string} path
 * @param {{ method?: string, json?: unknown, body?: BodyInit, signal?: AbortSignal, headers?: Record<string, string> }} [how]
 * @returns {Promise<Response>}
 */
export async function ask(path, { method, json, body, signal, headers } = {}) {
  let response;
  if (meant.generation) headers = { "X-Generation": String(meant.generation), ...headers };
  try {
    response = await fetch(path, {
      method: method ?? (json !== undefined || body !== undefined ? "POST" : "GET"),
      body: json !== undefined ? JSON.stringify(json) : body,
      headers: json !== undefined ? { "Content-Type": "application/json", ...headers } : headers,
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("offline", 0, "offline");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const code = String(problem.code ?? response.status);
  throw new Problem(inWords({ detail: problem.title ?? `${response.status} ${response.statusText}`, ...problem }), response.status, code, problem);
}

/** @template T @param {string} path @param {Parameters<typeof ask>[1]} [how] @returns {Promise<T>} */
export async function askJson(path, how) {
  const response = await ask(path, how);
  const text = await response.text();
  return text ? JSON.parse(text) : /** @type {any} */ (null);
}

export const api = {
  /** @returns {Promise<State>} */
  state: () => askJson("api/state"),
  /** @returns {Promise<Places>} */
  places: (/** @type {string} */ path = "") => askJson(`api/places?${new URLSearchParams({ path })}`),
  /** @returns {Promise<any>} */
  open: (/** @type {string} */ path) => askJson("api/collection", { json: { path } }),
  /** @returns {Promise<any>} */
  create: (/** @type {string} */ folder, /** @type {string[]} */ classes) => askJson("api/collection/new", { json: { folder, classes } }),
  /** @returns {Promise<Collection>} */
  collection: () => askJson("api/collection"),
  /** @returns {Promise<unknown>} */
  close: () => askJson("api/collection", { method: "DELETE" }),

  /**
   * @param {Query} query @param {AbortSignal} [signal]
   * @returns {Promise<{ ids: Int32Array, sections: [string | null, number][] | null }>} sections: where they are known
   */
  async query(query, signal) {
    const response = await ask("api/photos/query", { json: query, signal });
    const sections = response.headers.get("X-Sections");
    return { ids: new Int32Array(await response.arrayBuffer()), sections: sections ? JSON.parse(sections) : null };
  },
  /** @returns {Promise<{ photos: Photo[] }>} */
  details: (/** @type {number[]} */ ids) => askJson("api/photos/details", { json: { ids } }),
  /** @returns {Promise<any>} */
  activation: (/** @type {number} */ id, /** @type {AbortSignal} */ signal) => askJson(`api/photos/${id}/map`, { signal }),
  /** @returns {Promise<Float32Array>} */
  map: async () => new Float32Array(await (await ask("api/map")).arrayBuffer()),

  /** @returns {Promise<Labels>} */
  label: (/** @type {number[]} */ ids, /** @type {string | null} */ label, /** @type {string} */ reason = "") =>
    askJson("api/labels", { json: { ids, label, ...(reason && { reason }) } }),
  /** The labels are right as they are. @returns {Promise<Labels>} */
  confirmLabel: (/** @type {number[]} */ ids) => askJson("api/labels/confirm", { json: { ids } }),
  /** @returns {Promise<Labels>} */
  undo: () => askJson("api/labels/undo", { method: "POST" }),
  /** @returns {Promise<Labels>} */
  redo: () => askJson("api/labels/redo", { method: "POST" }),
  /** @returns {Promise<Labels>} */
  newClass: (/** @type {string} */ name) => askJson("api/classes", { json: { name } }),
  /** @returns {Promise<Labels>} */
  renameClass: (/** @type {string} */ name, /** @type {string} */ rename) => askJson("api/classes", { json: { name, rename } }),
  /** @returns {Promise<Labels>} */
  mergeClasses: (/** @type {string[]} */ merge, /** @type {string} */ into) => askJson("api/classes", { json: { merge, into } }),
  /** @returns {Promise<any>} */
  exportLabels: (/** @type {string} */ to, /** @type {string} */ form) => askJson("api/labels/export", { json: { to, form } }),
  /** @returns {Promise<any>} */
  diff: (/** @type {unknown} */ a, /** @type {unknown} */ b) => askJson("api/labels/diff", { json: { a, b } }),

  /** @returns {Promise<Answers | null>} */
  answers: () => askJson("api/answers"),
  /** @returns {Promise<TestFacts>} */
  test: () => askJson("api/test"),
  /** @returns {Promise<Measured & TestFacts>} */
  openTest: () => askJson("api/test/open", { method: "POST" }),

  /** @returns {Promise<Queue>} */
  queue: (limit = 20) => askJson(`api/queue?limit=${limit}`),
  /** @returns {Promise<Labels & { left: number }>} */
  answerQueue: (/** @type {string} */ key, /** @type {"yes" | "no" | "skip" | "exclude"} */ answer, /** @type {string} */ label = "", /** @type {number[] | undefined} */ ids = undefined) =>
    askJson("api/queue/answer", { json: { key, answer, ...(label && { label }), ...(ids && { ids }) } }),

  /** @returns {Promise<Job[]>} */
  jobs: () => askJson("api/jobs"),
  /** @returns {Promise<Job>} */
  start: (/** @type {string} */ kind, settings = {}) => askJson("api/jobs", { json: { kind, settings } }),
  /** @returns {Promise<unknown>} */
  stop: (/** @type {string} */ id, keep = true) => askJson(`api/jobs/${id}/stop`, { json: { keep } }),
  /** @returns {Promise<Job>} */
  resume: (/** @type {string} */ id) => askJson(`api/jobs/${id}/resume`, { method: "POST" }),
  /** @returns {Promise<unknown>} */
  forget: (/** @type {string} */ id) => askJson(`api/jobs/${id}`, { method: "DELETE" }),
  /** @returns {Promise<Record<string, any>[]>} */
  jobEvents: (/** @type {string} */ id, after = 0) => askJson(`api/jobs/${id}/events?after=${after}`),

  /** @returns {Promise<{ problem: Told | null }>} why a training would be refused with the labels as they are */
  trainable: () => askJson("api/trainable"),
  /** @returns {Promise<Run[]>} */
  runs: () => askJson("api/runs"),
  /** @returns {Promise<any>} */
  run: (/** @type {string} */ name) => askJson(`api/runs/${encodeURIComponent(name)}`),
  /** @returns {Promise<any>} */
  compareRuns: (/** @type {string} */ a, /** @type {string} */ b) => askJson("api/runs/compare", { json: { a, b } }),
  /** @returns {Promise<any>} */
  tryPhoto: (/** @type {Blob} */ image) => askJson("api/try", { body: image, headers: { "Content-Type": image.type || "application/octet-stream" } }),

  /**
   * @param {{ file: File, name: string }[]} files name: with its folders @param {string} [into] the class
   * @returns {Promise<{ added: any, skipped: Skipped[] }>}
   */
  addPhotos(files, into) {
    const form = new FormData();
    for (const { file, name } of files) form.append("files", file, name);
    return askJson(`api/photos/add${into ? `?${new URLSearchParams({ class: into })}` : ""}`, { body: form });
  },
  /** @returns {Promise<any>} */
  addShot: (/** @type {Blob} */ jpeg, /** @type {string} */ into) =>
    askJson(`api/photos/shot?${new URLSearchParams({ class: into })}`, { body: jpeg, headers: { "Content-Type": "image/jpeg" } }),
};

/** @param {number} generation @param {number} id */
export const thumbnailUrl = (generation, id) => `thumbnails/${generation}/${id}.webp`;
/** @param {number} generation @param {number} id */
export const photoUrl = (generation, id) => `photos/${generation}/${id}`;
