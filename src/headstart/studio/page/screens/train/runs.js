// The runs of this collection: what each was made of, and how good it is. Two of them can be compared.

import { ShareText } from "../../components/figures.js";
import { moment, t } from "../../i18n.js";
import { go, href } from "../../router.js";
import { labels } from "../../store.js";
import { html, useState } from "../../ui.js";

/** @param {{ runs: any[] | null, reload: () => void }} props */
export function Runs({ runs }) {
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  if (!runs?.length) return null;
  const toggle = (/** @type {string} */ name) => setChosen(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name].slice(-2));
  return html`<section class="runs"><div class="runs-head"><h2>${t("runs.title")}</h2>
      ${runs.length > 1 && html`<button type="button" disabled=${chosen.length !== 2} onClick=${() => go("train/compare", { a: chosen[0], b: chosen[1] })}>${t("runs.compare")}</button>`}</div>
    ${runs.length > 1 && html`<p class="hint">${t("runs.hint")}</p>`}
    <div class="table-frame"><table>
      <thead><tr>${runs.length > 1 && html`<td><span class="sr-only">${t("runs.choose")}</span></td>`}<th scope="col">${t("runs.name")}</th><th scope="col">${t("runs.accuracy")}</th><th scope="col">${t("runs.labels")}</th><th scope="col" class="base">${t("runs.backbone")}</th><th scope="col">${t("runs.made")}</th><td><span class="sr-only">${t("runs.actions")}</span></td></tr></thead>
      <tbody>${runs.map((run) => html`<tr key=${run.name}>
        ${runs.length > 1 && html`<td><input type="checkbox" aria-label=${t("runs.chooseOne", { name: run.name })} checked=${chosen.includes(run.name)} onChange=${() => toggle(run.name)} /></td>`}
        <th scope="row">${run.name}</th><td><${ShareText} share=${run.accuracy} /></td>
        <td>${run.labels_state === (labels.value?.state ?? "") ? html`<span class="tag good">${t("runs.now")}</span>` : html`<span class="tag">${t("runs.older")}</span>`}</td>
        <td class="base">${run.backbone}${run.fine_tuned ? html` <span class="tag">${t("runs.fineTuned")}</span>` : ""}</td><td class="number">${run.made ? moment(run.made) : ""}</td>
        <td class="actions"><a href=${href("try", { run: run.name })}>${t("runs.try")}</a> <a href=${`runs/${encodeURIComponent(run.name)}/report`} target="_blank" rel="noopener">${t("runs.report")}</a></td></tr>`)}</tbody>
    </table></div></section>`;
}
