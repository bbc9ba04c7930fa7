// Keys -> words, numbers and shares in the language of the reader. The words stand in strings.js.

import { STRINGS } from "./strings.js";

export const LANGUAGES = { en: "English", pt: "Português" };
const KEY = "headstart-language"; // as in the studio

let language = preferred();

function preferred() {
  const kept = storage()?.getItem(KEY);
  if (kept && kept in STRINGS) return kept;
  const wanted = navigator.languages?.map((name) => name.slice(0, 2).toLowerCase()) ?? [];
  return wanted.find((name) => name in STRINGS) ?? "en";
}

/** None where the browser keeps nothing for pages. @returns {Storage | null} */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

export const currentLanguage = () => language;

/** @param {string} name a key of LANGUAGES */
export function setLanguage(name) {
  language = name;
  storage()?.setItem(KEY, name);
}

const locale = () => (language === "pt" ? "pt-BR" : "en");

/** The words for a key. @param {string} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  const entry = STRINGS[language][key] ?? STRINGS.en[key] ?? key;
  const form = typeof entry === "string" ? entry : (entry[new Intl.PluralRules(locale()).select(Number(values.count))] ?? entry.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : String(values[name])));
}

/** @param {number} value @param {number} [digits] after the point, at most */
export const number = (value, digits = 0) => value.toLocaleString(locale(), { maximumFractionDigits: digits });

/** 0.9137 -> 91.4%. What is not quite all or nothing is not written as if it were. @param {number} value @param {number} [digits] */
export function percent(value, digits = 1) {
  const write = (/** @type {number} */ share) => `${(100 * share).toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })}%`;
  if (value >= 0.9995 && value < 1) return t("share.over", { value: write(0.999) });
  return value > 0 && value < 0.0005 ? t("share.under", { value: write(0.001) }) : write(value);
}

/** @param {number} bytes */
export const megabytes = (bytes) => `${number(bytes / 1e6, 1)} MB`;

/** The words of all elements that name them: `data-t` as text, `data-t-label` as the name of a control or region.
 * @param {HTMLElement} root of all of them */
export function writeWords(root = document.documentElement) {
  if (root === document.documentElement) [root.lang, document.title] = [locale(), t("title")];
  for (const each of root.querySelectorAll("[data-t]")) each.textContent = t(each.getAttribute("data-t") ?? "");
  for (const each of root.querySelectorAll("[data-t-label]")) each.setAttribute("aria-label", t(each.getAttribute("data-t-label") ?? ""));
}
