// What mistakes cost, and whether promised recall was kept, by the newest run that was told: measured on its held-out photos.

import { api } from "../../api.js";
import { ShareText, Whisker } from "../../components/figures.js";
import { useLoaded } from "../../components/loaded.js";
import { number, percent, t } from "../../i18n.js";
import { collection } from "../../store.js";
import { html } from "../../ui.js";

export function Stakes() {
  const { value: runs } = useLoaded(() => api.runs(), [collection.value?.path]);
  const run = runs?.find((each) => each.stakes);
  if (!run?.stakes) return html`<h2>${t("understand.stakes")}</h2><p class="quiet">${t("stakes.none")}</p>`;
  const { cost, recall, ranks } = run.stakes;
  return html`<h2>${t("understand.stakes")}</h2>
    <p class="quiet">${t("stakes.lead", { name: run.name })}</p>
    ${cost && html`<p>${t("stakes.cost", { cost: number(cost.each.value, 3), low: number(cost.each.low, 3), high: number(cost.each.high, 3), probable: number(cost.of_most_probable, 3), constant: cost.constant, always: number(cost.of_constant, 3) })}</p>`}
    ${ranks && html`<p>${t("stakes.ranks", { order: ranks.order.join(", "), off: number(ranks.distance.value, 3), low: number(ranks.distance.low, 3), high: number(ranks.distance.high, 3), probable: number(ranks.distance_of_most_probable, 3), kappa: number(ranks.kappa.value, 3), kappaLow: number(ranks.kappa.low, 3), kappaHigh: number(ranks.kappa.high, 3) })}</p>`}
    ${recall.length > 0 && html`<div class="table-frame"><table class="per-class">
      <thead><tr><th scope="col">${t("classes.name")}</th><th scope="col">${t("stakes.promised")}</th><th scope="col">${t("classes.recall")}</th><th scope="col">${t("stakes.answered")}</th><th scope="col">${t("classes.precision")}</th></tr></thead>
      <tbody>${recall.map((row) => html`<tr key=${row.label}><th scope="row">${row.label}</th><td class="number">${row.is_given ? percent(row.promised) : t("stakes.notGiven", { share: percent(row.promised) })}</td>
        <td>${row.recall && html`<${Whisker} share=${row.recall} />`}<${ShareText} share=${row.recall} /></td><td class="number">${percent(row.answered.value)}</td><td><${ShareText} share=${row.precision} /></td></tr>`)}</tbody>
    </table></div>`}`;
}
