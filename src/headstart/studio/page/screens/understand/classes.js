// Each class: how many of its photos are recognised, and how many of the answers with its name are right.

import { ShareText, Whisker } from "../../components/figures.js";
import { number, t } from "../../i18n.js";
import { href } from "../../router.js";
import { html, useState } from "../../ui.js";

const SHOWN = 15;

/** @param {{ answers: import("../../api.js").Counted }} props */
export function Classes({ answers }) {
  const [isWhole, setWhole] = useState(false);
  const rows = [...answers.per_class].sort((one, other) => (one.recall?.value ?? 2) - (other.recall?.value ?? 2));
  const shown = isWhole ? rows : rows.slice(0, SHOWN);
  return html`<h2>${t("understand.classes")}</h2>
    <p class="quiet">${t("classes.lead")}</p>
    <div class="table-frame"><table class="per-class">
      <thead><tr><th scope="col">${t("classes.name")}</th><th scope="col">${t("classes.recall")}</th><th scope="col">${t("classes.precision")}</th><th scope="col">${t("classes.photos")}</th></tr></thead>
      <tbody>${shown.map((row) => html`<tr key=${row.name}>
        <th scope="row"><a href=${href("photos", { class: row.name, right: false })} title=${t("classes.showMistakes", { name: row.name })}>${row.name}</a></th>
        <td>${row.recall && html`<${Whisker} share=${row.recall} />`}<${ShareText} share=${row.recall} /></td>
        <td><${ShareText} share=${row.precision} /></td><td>${number(row.count)}</td></tr>`)}</tbody>
    </table></div>
    ${shown.length < rows.length && html`<button type="button" class="quiet" onClick=${() => setWhole(true)}>${t("classes.all", { count: rows.length })}</button>`}`;
}
