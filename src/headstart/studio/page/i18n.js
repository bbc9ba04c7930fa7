// Keys -> words, numbers, percentages and dates in the language of the user. The words stand in strings/.

import { computed, signal } from "./ui.js";
import en from "./strings/en.js";
import pt from "./strings/pt.js";

/** @typedef {"en" | "pt"} Language */
/** @type {Record<Language, Record<string, string | Record<string, string>>>} */
const WORDS = { en, pt };
export const LANGUAGES = /** @type {const} */ ({ en: "English", pt: "Português" });
const KEY = "headstart-language";

/** @returns {Language} */
function preferred() {
  const kept = localStorage.getItem(KEY);
  if (kept === "en" || kept === "pt") return kept;
  return navigator.languages?.find((name) => /^(en|pt)\b/i.test(name))?.toLowerCase().startsWith("pt") ? "pt" : "en";
}

export const language = signal(preferred());
const locale = computed(() => (language.value === "pt" ? "pt-BR" : "en"));
const plurals = computed(() => new Intl.PluralRules(locale.value));

/** @param {Language} name @param {boolean} keep chosen by the user, not by the command line */
export function setLanguage(name, keep = true) {
  language.value = name;
  if (keep) localStorage.setItem(KEY, name);
}
export const languageIsChosen = () => localStorage.getItem(KEY) !== null;

/**
 * The words for a key. `{name}` is replaced by a value; an entry with forms ({one, other}) is chosen by `count`.
 * Numbers are written as the language writes them.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const entry = WORDS[language.value][key] ?? WORDS.en[key];
  if (entry === undefined) return key;
  const words = typeof entry === "string" ? entry : (entry[plurals.value.select(Number(values.count))] ?? entry.other);
  return words.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number(value) : String(value);
  });
}
/** Whether there are words for a key. @param {string} key */
export const has = (key) => WORDS[language.value][key] !== undefined || WORDS.en[key] !== undefined;

/** @param {number} value @param {number} [digits] after the point, at most */
export const number = (value, digits = 0) => value.toLocaleString(locale.value, { maximumFractionDigits: digits });

/** 0.9137 -> 91.4%. What is not quite all or nothing is not written as if it were. @param {number} value */
export function percent(value, digits = 1) {
  const edge = 0.5 * 10 ** (-digits - 2);
  const write = (/** @type {number} */ v) =>
    v.toLocaleString(locale.value, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (value < 1 && value >= 1 - edge) return `> ${write(1 - 10 ** (-digits - 2))}`;
  if (value > 0 && value < edge) return `< ${write(10 ** (-digits - 2))}`;
  return write(value);
}

/** 1530000 -> 1.5 MB @param {number} bytes */
export function size(bytes) {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "GB"] : bytes >= 1e6 ? [bytes / 1e6, "MB"] : [bytes / 1e3, "kB"];
  return `${number(value, value < 10 ? 1 : 0)} ${unit}`;
}

/** 75 -> 1 min 15 s @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (seconds < 0.1) return `${number(1000 * seconds)} ms`;
  if (seconds < 1) return `${number(seconds, 1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 && whole < 600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.round(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/** @param {string | number} when ISO text or milliseconds */
export const moment = (when) =>
  new Date(when).toLocaleString(locale.value, { dateStyle: "medium", timeStyle: "short" });
