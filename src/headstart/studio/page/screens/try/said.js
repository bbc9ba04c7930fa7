// What a classifier says of a photo, in words: the class, or that it is not sure, and why.

import { has, number, percent, t } from "../../i18n.js";
import { html } from "../../ui.js";

/**
 * @typedef {{ answer: string, probability: number, probabilities: number[] | Record<string, number>, class_names?: string[], sure: boolean,
 *             familiar: boolean, sure_from?: { least: number, accuracy: number } | null, rule?: "recall" | "cost" | null, cost?: number | null, other?: number | null, parent?: string | null, parent_probability?: number | null, remark?: string | null, remarks?: string[], overlay?: string | null, map?: any,
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
export const kindOf = (said) => (!said.familiar ? "unfamiliar" : said.sure || said.parent || (said.rule && !said.remark && !said.remarks?.length) ? "sure" : "unsure");

/** What is answered, and its probability: the class, or where that is not sure, its parent. @param {Said} said @returns {[string, number]} */
export const answerOf = (said) => (said.parent && !said.rule ? [said.parent, said.parent_probability ?? 0] : [said.answer, said.probability]);

/** Whether it is said to be none of the classes. @param {Said} said */
const isOther = (said) => (said.other ?? 0) >= 0.5;

/** What stands above an answer that is not simply a class. @param {Said} said */
export const titleOf = (said) => t(isOther(said) ? "said.otherTitle" : `said.${kindOf(said)}Title`);

/** @param {Said} said */
export function noteOf(said) {
  const best = `${said.answer}, ${percent(said.probability)}`;
  const remark = said.remark ?? said.remarks?.[0];
  if (remark) return t("said.remark", { remark: has(`said.remark.${remark}`) ? t(`said.remark.${remark}`) : remark, best });
  if (isOther(said)) return t("said.other", { other: percent(said.other ?? 0), best });
  if (said.familiar && said.rule) {
    const [[name, value]] = rowsOf(said, [], 1);
    return t(`said.rule.${said.rule}`, { probability: percent(said.probability), other: `${name}, ${percent(value)}`, cost: number(said.cost ?? 0, 2) });
  }
  if (said.parent) return t("said.parent", { probability: percent(said.parent_probability ?? 0), best });
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
export const Headline = ({ said }) => html`<h3 class=${`answer ${kindOf(said)}`}>${kindOf(said) === "sure" ? answerOf(said)[0] : titleOf(said)}</h3><p class="quiet">${noteOf(said)}</p>`;
