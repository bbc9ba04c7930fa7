// Numbers of the server -> sentences and rows, in the language of the user. Pure functions; they ask nobody.

import { number, percent, t } from "./i18n.js";

/** @import { Change, Measured, Share, SurePoint } from "./api.js" */

/** 0.4 -> +0.4; what rounds to nothing has no sign. @param {number} points percentage points */
export function signed(points) {
  const text = number(Math.abs(points), 1);
  return text === number(0) ? text : `${points < 0 ? "−" : "+"}${text}`;
}

/** @param {number} p of a test */
export const pValue = (p) => (p < 0.001 ? `p < ${number(0.001, 3)}` : `p = ${number(p, p < 0.1 ? 3 : 2)}`);

/** 91.4% (90.1% to 92.6%) @param {Share} share */
export const withInterval = (share) =>
  t("share.withInterval", { value: percent(share.value), low: percent(share.low), high: percent(share.high) });

/** What the head is worth, in a sentence. @param {Measured | null} answers */
export function verdict(answers) {
  const { accuracy, baseline } = answers ?? {};
  if (!accuracy || !baseline) return t("verdict.none");
  const isBetter = accuracy.low > baseline.value;
  return t(isBetter ? "verdict.better" : "verdict.notBetter", {
    value: percent(accuracy.value), low: percent(accuracy.low), high: percent(accuracy.high),
    name: baseline.class, score: percent(baseline.value),
  });
}

/** How it was measured. @param {Measured} answers */
export function measuredOn(answers) {
  const count = answers.accuracy?.count ?? 0;
  return t(answers.of === "the sealed test set" ? "measured.test" : "measured.crossValidated", { count });
}

/** What the last labels changed. @param {Change} change */
export function changeText(change) {
  return t(change.distinguishable ? "change.distinguishable" : "change.not", {
    labels: t("change.labels", { count: change.relabelled }), points: signed(change.points),
    count: change.before.count ?? 0, p: pValue(change.p),
  });
}

/** Two classifiers on the same photos. @param {{ only_a: number, only_b: number, p: number }} found @param {string} a @param {string} b */
export function comparisonText({ only_a, only_b, p }, a, b) {
  if (only_a + only_b === 0) return t("compare.same");
  if (p >= 0.05) return t("compare.not", { p: pValue(p) });
  return t("compare.better", { name: only_a > only_b ? a : b, p: pValue(p) });
}

/**
 * The confusions, most frequent first.
 * @param {number[][]} confusion rows: true classes; columns: answers
 * @param {string[]} names
 */
export function confusions(confusion, names) {
  const found = [];
  for (const [row, counts] of confusion.entries()) {
    const size = counts.reduce((sum, count) => sum + count, 0);
    for (const [column, count] of counts.entries())
      if (row !== column && count) found.push({ label: names[row], answer: names[column], count, share: count / size });
  }
  return found.sort((one, other) => other.count - one.count || other.share - one.share);
}

/**
 * Of many classes, those whose matrix is worth looking at: the ones with the most mistakes, in their order.
 * @param {number[][]} confusion @param {number} most @returns {number[]} rows
 */
export function mostConfused(confusion, most) {
  const size = confusion.length;
  if (size <= most) return [...confusion.keys()];
  const mistakes = confusion.map((row, place) => {
    const missed = row.reduce((sum, count) => sum + count, 0) - row[place];
    return { place, count: missed + confusion.reduce((sum, each) => sum + each[place], 0) - row[place] };
  });
  return mistakes.sort((one, other) => other.count - one.count).slice(0, most).map(({ place }) => place).sort((one, other) => one - other);
}

/**
 * What happens to photos if only answers of a point of the curve are given.
 * @param {SurePoint[]} curve @param {number} place @param {number} total photos that were measured
 */
export function splitBySureness(curve, place, total) {
  const point = curve[Math.min(place, curve.length - 1)];
  const right = Math.round((point.right ?? 0) * point.count);
  return { point, answered: point.count, right, wrong: point.count - right, silent: total - point.count };
}

/** The first point of the curve at which so many answers are right, and all after it as well; null: there is none.
 *  @param {SurePoint[]} curve @param {number} level */
export function placeOfLevel(curve, level) {
  let found = null;
  for (let place = curve.length - 1; place >= 0; place--) {
    if ((curve[place].right ?? 0) < level) break;
    found = place;
  }
  return found;
}
