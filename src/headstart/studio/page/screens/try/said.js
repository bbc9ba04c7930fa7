// What a classifier says of a photo, in words: the class, or that it is not sure, and why.

import { has, percent, t } from "../../i18n.js";
import { html } from "../../ui.js";

/**
 * @typedef {{ answer: string, probability: number, probabilities: number[] | Record<string, number>, class_names?: string[], sure: boolean,
 *             familiar: boolean, sure_from?: { least: number, accuracy: number } | null, remark?: string | null, remarks?: string[], overlay?: string | null, map?: any,
 *             nearest?: { id: number, similarity: number }[], milliseconds?: number }} Said
 */

/** The classes, the most probable first. @param {Said} said @param {string[]} names @param {number} most @returns {[string, number][]} */
export function rowsOf(said, names, most) {
  const pairs = Array.isArray(said.probabilities)
    ? said.probabilities.map((value, place) => /** @type {[string, number]} */ ([(said.class_names ?? names)[place] ?? String(place), value]))
    : Object.entries(said.probabilities);
  return pairs.sort(([, one], [, other]) => other - one).slice(0, most);
}

/** @param {Said} said @returns {"sure" | "unsure" | "unfamiliar"} */
export const kindOf = (said) => (!said.familiar ? "unfamiliar" : said.sure ? "sure" : "unsure");

/** @param {Said} said */
export function noteOf(said) {
  const best = `${said.answer}, ${percent(said.probability)}`;
  const remark = said.remark ?? said.remarks?.[0];
  if (remark) return t("said.remark", { remark: has(`said.remark.${remark}`) ? t(`said.remark.${remark}`) : remark, best });
  if (kindOf(said) === "unsure") return unsure(said, best);
  return t(`said.${kindOf(said)}`, { best, probability: percent(said.probability) });
}

/** Why an answer is not sure. @param {Said} said @param {string} best */
function unsure({ probability, sure_from: from }, best) {
  if (!from) return t("said.unsureNever", { best });
  const words = { best, least: percent(from.least), accuracy: percent(from.accuracy, 0) };
  return t(probability < from.least ? "said.unsure" : "said.unsureFew", words);
}

/** @param {{ said: Said }} props */
export const Headline = ({ said }) => html`<h3 class=${`answer ${kindOf(said)}`}>${kindOf(said) === "sure" ? said.answer : t(`said.${kindOf(said)}Title`)}</h3><p class="quiet">${noteOf(said)}</p>`;
