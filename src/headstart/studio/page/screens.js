// The screens, in the order of the tabs. A screen is a module in screens/ whose default export is a component; it gets
// {params, rest} of its address and is loaded when it is first shown, or when the browser has nothing else to do.
// `needs`: shown only with a collection.

/** @typedef {{ name: string, icon: string, tab: boolean, needs: boolean, fills?: boolean, load: () => Promise<{ default: any }> }} Screen */

/** @type {Screen[]} */
export const SCREENS = [
  { name: "photos", icon: "photos", tab: true, needs: true, fills: true, load: () => import("./screens/photos.js") },
  { name: "queue", icon: "queue", tab: true, needs: true, fills: true, load: () => styled(import("./screens/queue.js")) },
  { name: "map", icon: "map", tab: true, needs: true, fills: true, load: () => styled(import("./screens/map.js")) },
  { name: "train", icon: "train", tab: true, needs: true, load: () => styled(import("./screens/train.js")) },
  { name: "understand", icon: "understand", tab: true, needs: true, load: () => styled(import("./screens/understand.js")) },
  { name: "try", icon: "try", tab: true, needs: false, load: () => styled(import("./screens/try.js")) },
  { name: "add", icon: "add", tab: false, needs: true, load: () => styled(import("./screens/add.js")) },
  { name: "open", icon: "folder", tab: false, needs: false, load: () => import("./screens/welcome.js") },
];

/** Styles that the first screen can do without. */
const LATER = ["css/queue.css", "css/understand.css", "css/train.css", "css/try.css", "vendor/uPlot.css"];
/** @type {Promise<unknown> | null} */
let styles = null;

/** A screen, once it has its looks. @template T @param {Promise<T>} screen @returns {Promise<T>} */
async function styled(screen) {
  styles ??= Promise.all(LATER.map(addStyle));
  await styles;
  return screen;
}

/** @param {string} address */
const addStyle = (address) =>
  new Promise((done) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address, onload: done, onerror: done });
    document.head.append(link);
  });

/** Load what is likely to be shown next. What fails now fails again, and says so, when it is shown. */
export function loadOthers() {
  for (const screen of SCREENS) screen.load().catch(() => {});
}
