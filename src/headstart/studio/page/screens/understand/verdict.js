// The result: a number with its interval, a sentence, and what the last labels changed.

import { lineStart, Scale } from "../../components/figures.js";
import { Icon } from "../../components/icon.js";
import { duration, percent, t } from "../../i18n.js";
import { changeText, measuredOn, verdict } from "../../results.js";
import { href } from "../../router.js";
import { collection, labels } from "../../store.js";
import { html } from "../../ui.js";

/** @param {{ answers: import("../../api.js").Counted }} props */
export function Verdict({ answers }) {
  const { accuracy, baseline, change, stale } = answers;
  const from = lineStart(accuracy, baseline?.value);
  return html`<div class="verdict">
    <div class="figure">
      <p class="huge number" data-stale=${stale || undefined}>${percent(accuracy.value)}</p>
      <p class="hint number">${t("verdict.interval", { low: percent(accuracy.low), high: percent(accuracy.high) })}</p>
    </div>
    <div class="words">
      <h2>${verdict(answers)}</h2>
      <${Scale} share=${accuracy} baseline=${baseline} from=${from} />
      <p class="hint keys"><span class="swatch dot" /> ${t("verdict.legend")}
        ${baseline && html`<span class="swatch mark" /> ${t("verdict.baseline", { name: baseline.class, score: percent(baseline.value) })}`}</p>
      <p class="quiet">${measuredOn(answers)} ${answers.pseudo_labels ? t("verdict.pseudo", { count: answers.pseudo_labels }) : ""}</p>
      ${collection.value?.notes?.map((note) => html`<p class="quiet" lang="en">${note}.</p>`)}
    </div>
    <${Change} change=${change} stale=${stale} seconds=${answers.seconds_expected} />
    <${Next} answers=${answers} />
  </div>`;
}

/** @param {{ change: import("../../api.js").Change | null, stale: boolean, seconds: number | null }} props */
function Change({ change, stale, seconds }) {
  if (stale)
    return html`<p class="change" role="status"><span class="spinner small" />
      ${seconds && seconds > 1.5 ? t("change.solvingFor", { time: duration(seconds) }) : t("change.solving")}</p>`;
  if (!change) return null;
  const kind = !change.distinguishable ? "" : change.points > 0 ? "good" : "bad";
  return html`<div class=${`change ${kind}`}><${Icon} name=${kind === "bad" ? "alert" : kind === "good" ? "check" : "info"} />
    <p><strong>${t("change.title")}</strong> ${changeText(change)} <span class="quiet">${t("change.counts", { gained: change.gained, lost: change.lost })}</span></p></div>`;
}

/** What is worth doing now. @param {{ answers: import("../../api.js").Counted }} props */
function Next({ answers }) {
  const confusions = answers.confusion.flatMap((/** @type {number[]} */ row, /** @type {number} */ place) => row.filter((_, column) => column !== place));
  const mistakes = confusions.reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0);
  const small = answers.per_class.filter((/** @type {any} */ each) => each.count > 0 && each.count < 20).map((/** @type {any} */ each) => each.name);
  return html`<div class="next-steps"><h3>${t("next.title")}</h3><ul class="plain">
    ${mistakes > 0 && html`<li><a href=${href("understand/mistakes")}>${t("next.mistakes", { count: mistakes })}</a></li>`}
    <li><a href=${href("queue")}>${t("next.queue")}</a></li>
    ${small.length > 0 && html`<li><a href=${href("add")}>${t("next.small", { count: small.length, names: small.slice(0, 3).join(", ") })}</a></li>`}
    ${labels.value && html`<li><a href=${href("train")}>${t("next.train")}</a></li>`}
  </ul></div>`;
}
