// What the grid is asked to show <-> the address.

import { has, t } from "./i18n.js";

/** @import { Query } from "./api.js" */

/** Orders, as they are offered. @type {Record<string, Query>} */
export const SORTS = {
  class: { sort: "class" }, name: { sort: "name" }, doubt: { sort: "doubt", descending: true }, unsure: { sort: "confidence" },
  sure: { sort: "confidence", descending: true }, novelty: { sort: "novelty", descending: true }, largest: { sort: "size", descending: true },
  smallest: { sort: "size" },
};
/** Orders by what the classifier says. */
export const OF_ANSWERS = ["doubt", "unsure", "sure"];

/** @param {URLSearchParams} params @returns {Query} */
export function queryOf(params) {
  /** @type {Query} */
  const query = {};
  const all = (/** @type {string} */ name) => (params.has(name) ? params.getAll(name) : undefined);
  const flag = (/** @type {string} */ name) => (params.has(name) ? params.get(name) !== "false" : undefined);
  query.class = all("class");
  query.split = all("split");
  query.finding = params.get("finding") ?? undefined;
  query.right = flag("right");
  for (const name of /** @type {const} */ (["changed", "unlabelled", "excluded"])) query[name] = flag(name);
  const cell = params.getAll("cell");
  if (cell.length === 2) query.cell = [cell[0], cell[1]];
  const [low, high] = (params.get("confidence") ?? "").split("-").map(Number);
  if (high > 0) query.confidence = [low, high];
  query.text = params.get("text") || undefined;
  if (params.has("ids")) query.ids = (params.get("ids") ?? "").split(",").filter(Boolean).map(Number);
  if (params.has("like")) Object.assign(query, { like: Number(params.get("like")), sort: "likeness" });
  else if (params.has("sort") || !query.ids) Object.assign(query, SORTS[params.get("sort") ?? "class"] ?? SORTS.class);
  for (const key of /** @type {(keyof Query)[]} */ (Object.keys(query))) if (query[key] === undefined) delete query[key];
  return query;
}

/** The address with some things changed: null takes away. @param {URLSearchParams} params @param {Record<string, unknown>} changes */
export function changed(params, changes) {
  const next = new URLSearchParams(params);
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    for (const each of Array.isArray(value) ? value : [value]) if (each !== null && each !== undefined) next.append(key, String(each));
  }
  return next;
}

/** The name of a kind of findings. @param {string} kind @param {string} [title] in English */
export const findingTitle = (kind, title = kind) => (has(`finding.${kind}.title`) ? t(`finding.${kind}.title`) : title);

/** What restricts the view, as chips: words and the parameter that each takes away. @param {URLSearchParams} params */
export function chips(params) {
  /** @type {{ key: string, text: string, changes: Record<string, unknown> }[]} */
  const found = [];
  const add = (/** @type {string} */ name, /** @type {string} */ text, changes = /** @type {Record<string, unknown>} */ ({ [name]: null })) =>
    found.push({ key: `${name} ${text}`, text, changes });
  for (const name of params.getAll("class")) add("class", name, { class: params.getAll("class").filter((each) => each !== name) });
  for (const name of params.getAll("split")) add("split", t(`split.${name}`), { split: params.getAll("split").filter((each) => each !== name) });
  const finding = params.get("finding");
  if (finding) add("finding", findingTitle(finding));
  if (params.has("right")) add("right", t(params.get("right") === "false" ? "filter.wrong" : "filter.right"));
  for (const name of ["changed", "unlabelled", "excluded"]) if (params.has(name)) add(name, t(`filter.${name}`));
  const cell = params.getAll("cell");
  if (cell.length === 2) add("cell", t("filter.cell", { label: cell[0], answer: cell[1] }));
  const confidence = params.get("confidence");
  if (confidence) add("confidence", t("filter.confidence", { range: confidence.split("-").map((each) => Math.round(100 * Number(each))).join("–") }));
  if (params.get("ids") !== null) add("ids", t("filter.ids"));
  if (params.get("text")) add("text", `“${params.get("text")}”`);
  return found;
}
