// The address <-> what is shown: #/photos?class=cats&sort=doubt. Every view has an address; Back works.

import { signal } from "./ui.js";

/** @typedef {{ name: string, rest: string[], params: URLSearchParams }} Route */

/** @returns {Route} */
function parse() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = path.split("/").map(decodeURIComponent);
  return { name, rest, params: new URLSearchParams(query) };
}

export const route = signal(parse());
addEventListener("hashchange", () => (route.value = parse()));

/**
 * The address of a screen, for links: href("photos", {class: ["cats"], sort: "doubt"}).
 * @param {string} name the screen, perhaps with more behind it: "understand/mistakes"
 * @param {Record<string, unknown> | URLSearchParams} [params] null and undefined are left out; lists are repeated
 */
export function href(name, params = {}) {
  const query = params instanceof URLSearchParams ? params : new URLSearchParams();
  if (!(params instanceof URLSearchParams))
    for (const [key, value] of Object.entries(params))
      for (const each of Array.isArray(value) ? value : [value]) if (each !== null && each !== undefined) query.append(key, String(each));
  const text = query.toString();
  return `#/${name}${text ? `?${text}` : ""}`;
}

/** @param {string} name @param {Record<string, unknown> | URLSearchParams} [params] @param {{replace?: boolean}} [how] */
export function go(name, params = {}, { replace = false } = {}) {
  const to = href(name, params);
  if (to === location.hash) return;
  if (replace) {
    history.replaceState(null, "", to);
    route.value = parse();
  } else location.hash = to;
}
