// What is known of single photos: asked for when they come into view, kept, asked again when labels or answers change.

import { api } from "./api.js";
import { collection, generation, photosChanged, report } from "./store.js";
import { effect, signal } from "./ui.js";

/** @import { Photo } from "./api.js" */

const AT_ONCE = 500; // the server's limit
const KEPT = 20_000;

/** @type {Map<number, { photo: Photo, of: number }>} of: photosChanged, when it was asked */
const known = new Map();
/** Grows when more is known. */
export const detailsChanged = signal(0);

/** @type {Set<number>} */
let wanted = new Set();
let timer = 0;
let lastGeneration = 0;

effect(() => {
  if (generation.value === lastGeneration) return;
  lastGeneration = generation.value;
  known.clear();
});

/** What is known of a photo now; it may be about to change. @param {number} id @returns {Photo | undefined} */
export const detail = (id) => known.get(id)?.photo;

/** Have these soon. @param {Iterable<number>} ids */
export function want(ids) {
  const now = photosChanged.peek();
  for (const id of ids) if (known.get(id)?.of !== now) wanted.add(id);
  if (wanted.size && !timer) timer = setTimeout(fetchWanted, 30);
}

async function fetchWanted() {
  timer = 0;
  const ids = [...wanted].slice(-AT_ONCE); // the newest: what is in view now
  wanted = new Set();
  const of = photosChanged.peek();
  const from = generation.peek();
  try {
    const { photos } = await api.details(ids);
    if (from !== generation.peek()) return;
    for (const photo of photos) {
      if ((known.get(photo.id)?.of ?? of) > of) continue; // a later answer came first
      known.delete(photo.id); // so that the oldest stand first
      known.set(photo.id, { photo, of });
    }
    for (const id of known.keys()) {
      if (known.size <= KEPT) break;
      known.delete(id);
    }
    detailsChanged.value++;
    want(ids.filter((id) => known.get(id)?.of === of)); // again, if labels have changed meanwhile
  } catch (error) {
    if (collection.peek()) report(error);
  }
}

/** A label was changed: show it at once. @param {Iterable<number>} ids @param {string | null} label null: excluded */
export function relabelled(ids, label) {
  for (const id of ids) {
    const entry = known.get(id);
    if (!entry) continue;
    const photo = { ...entry.photo, excluded: label === null, label: label ?? entry.photo.label };
    photo.changed = photo.excluded || photo.label !== photo.was;
    if (photo.answer) photo.right = photo.answer === photo.label;
    known.set(id, { ...entry, photo });
  }
  detailsChanged.value++;
}

/** The name without folders. @param {string} path */
export const baseName = (path) => path.split(/[/\\]/).pop() ?? path;
