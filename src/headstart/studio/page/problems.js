// What went wrong, in the language of the user. The server tells it by a code, with the names and numbers in it, or by the
// type of the error; where there are no words for these, what is said is what a terminal would show.

import { has, t } from "./i18n.js";

/** @typedef {{ detail?: string, reason?: string | null, error?: string | null, code?: string | null, [fact: string]: unknown }} Told */

/** @param {Told} told @returns {string} */
export function inWords(told) {
  const key = [`problem.${told.reason}`, `error.${told.error}`, `problem.${told.code}`].find(has);
  return key ? t(key, /** @type {any} */ (told)) : (told.detail ?? "");
}
