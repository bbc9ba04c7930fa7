// Which photos are selected, by id: of the grid and of the map.

import { computed, signal } from "./ui.js";

export const selected = signal(/** @type {ReadonlySet<number>} */ (new Set()));
export const selectedCount = computed(() => selected.value.size);

/** @param {Iterable<number>} ids */
export const select = (ids) => (selected.value = new Set(ids));
export const clearSelection = () => selected.value.size && select([]);
/** @param {number} id */
export function toggle(id) {
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  selected.value = next;
}
