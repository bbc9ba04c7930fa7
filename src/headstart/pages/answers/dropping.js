// What somebody chooses, takes, drops or pastes -> files. Of folders, the images in them.

import { t } from "./words.js";

/**
 * Lets people add photos, by the elements #choose, #take, #files, #camera and #drop-zone.
 * @param {(files: File[], unreadable?: [string, () => string][]) => void} add gets the files, and name and reason of what cannot be read
 */
export function listenForPhotos(add) {
  for (const [button, input] of [["choose", "files"], ["take", "camera"]]) {
    const chooser = /** @type {HTMLInputElement} */ (document.getElementById(input));
    document.getElementById(button)?.addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => {
      add([...(chooser.files ?? [])]);
      chooser.value = ""; // so that the same photo can be chosen again
    });
  }
  const zone = document.getElementById("drop-zone");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone?.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone?.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone?.classList.remove("over");
    if (event.dataTransfer) add(...(await dropped(event.dataTransfer)));
  });
  document.addEventListener("paste", (event) => add([...(event.clipboardData?.files ?? [])]));
}

/** @param {DataTransfer} transfer @returns {Promise<[File[], [string, () => string][]]>} */
async function dropped(transfer) {
  /** @type {File[]} */
  const photos = [];
  /** @type {[string, () => string][]} */
  const unreadable = [];

  /** @param {any} entry @param {boolean} isNested */
  const walk = async (entry, isNested) => {
    if (entry.isDirectory) {
      const [reader, before] = [entry.createReader(), photos.length + unreadable.length];
      for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) {
        for (const each of some) if (!each.name.startsWith(".")) await tryToWalk(each, true); // as in training
      }
      if (!isNested && before === photos.length + unreadable.length) unreadable.push([entry.name, () => t("photo.emptyFolder")]);
      return;
    }
    const file = await new Promise((done, failed) => entry.file(done, failed));
    if (!isNested || file.type.startsWith("image/")) photos.push(file);
  };
  /** @param {any} entry @param {boolean} isNested */
  const tryToWalk = (entry, isNested) =>
    walk(entry, isNested).catch((error) => unreadable.push([entry.name, () => t("photo.unreadable", { reason: error.message })]));

  // all entries before the first `await`: after it, the browser has forgotten what was dropped
  const items = [...transfer.items].filter((item) => item.kind === "file");
  for (const entry of items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile())) {
    if (entry instanceof File) photos.push(entry);
    else if (entry) await tryToWalk(entry, false);
  }
  return [photos, unreadable];
}
