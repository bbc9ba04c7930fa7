// The screens, in the order of the tabs. A screen is a module in screens/ whose default export is a component; it gets
// {params, rest} of its address and is loaded when it is first shown. `needs`: shown only with a collection.

/** @typedef {{ name: string, icon: string, tab: boolean, needs: boolean, fills?: boolean, load: () => Promise<{ default: any }> }} Screen */

/** @type {Screen[]} */
export const SCREENS = [
  { name: "photos", icon: "photos", tab: true, needs: true, fills: true, load: () => import("./screens/photos.js") },
  { name: "queue", icon: "queue", tab: true, needs: true, fills: true, load: () => import("./screens/queue.js") },
  { name: "map", icon: "map", tab: true, needs: true, fills: true, load: () => import("./screens/map.js") },
  { name: "train", icon: "train", tab: true, needs: true, load: () => import("./screens/train.js") },
  { name: "understand", icon: "understand", tab: true, needs: true, load: () => import("./screens/understand.js") },
  { name: "try", icon: "try", tab: true, needs: false, load: () => import("./screens/try.js") },
  { name: "add", icon: "add", tab: false, needs: true, load: () => import("./screens/add.js") },
  { name: "open", icon: "folder", tab: false, needs: false, load: () => import("./screens/welcome.js") },
];
