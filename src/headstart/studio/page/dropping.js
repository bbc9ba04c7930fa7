// What is dropped on the page, pasted or chosen: files, and the images in folders, with their paths.

/** @typedef {{ file: File, name: string }} Named name: with its folders, as "cups/red/1.jpg" */
/** @typedef {{ name: string, reason: string, code?: string, path?: string }} Skipped code: where there are words for the reason */

/** What the studio cannot read is not sent. @param {File} file */
const isPhoto = (file) => file.type.startsWith("image/") || /\.(jpe?g|png|webp|bmp|gif|tiff?|hei[cf]|avif|dcm)$/i.test(file.name);

/**
 * @param {DataTransfer} carried of an event "drop" or "paste"
 * @returns {Promise<{ photos: Named[], skipped: Skipped[] }>}
 */
export async function photosIn(carried) {
  /** @type {Named[]} */
  const photos = [];
  /** @type {Skipped[]} */
  const skipped = [];
  const walk = async (/** @type {any} */ entry, /** @type {string} */ folder) => {
    if (entry.name.startsWith(".")) return; // as in training
    const name = folder + entry.name;
    try {
      if (entry.isDirectory) {
        const reader = entry.createReader();
        // a reader gives its entries some at a time, and none at the end
        for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) for (const each of some) await walk(each, `${name}/`);
        return;
      }
      const file = /** @type {File} */ (await new Promise((done, failed) => entry.file(done, failed)));
      if (isPhoto(file)) photos.push({ file, name });
      else skipped.push({ name, reason: "", code: "not-a-photo" });
    } catch (error) {
      skipped.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  };
  // all entries before the first `await`: after it, the browser has forgotten what was dropped
  const items = [...carried.items].filter((item) => item.kind === "file");
  for (const entry of items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())) {
    if (entry instanceof File) photos.push({ file: entry, name: entry.name });
    else if (entry) await walk(entry, "");
  }
  return { photos, skipped };
}

/** Of <input type=file>, perhaps of a folder. @param {FileList | null} files @returns {Named[]} */
export const photosOf = (files) => [...(files ?? [])].filter(isPhoto).map((file) => ({ file, name: file.webkitRelativePath || file.name }));

/**
 * Parts that fit into a request each.
 * @param {Named[]} photos @param {{ files: number, bytes: number }} limits @returns {Named[][]}
 */
export function parts(photos, limits) {
  /** @type {Named[][]} */
  const found = [];
  let bytes = Infinity;
  for (const photo of photos) {
    if (bytes + photo.file.size > limits.bytes || (found.at(-1)?.length ?? 0) >= limits.files) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1)?.push(photo);
    bytes += photo.file.size;
  }
  return found;
}
