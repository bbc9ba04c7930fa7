// The sealed test set: opened by a button that counts. Who opens often, and chooses by what is seen, measures too well.

import { api } from "../../api.js";
import { confirm } from "../../components/dialog.js";
import { lineStart, Scale } from "../../components/figures.js";
import { Icon } from "../../components/icon.js";
import { useLoaded } from "../../components/loaded.js";
import { percent, t } from "../../i18n.js";
import { verdict } from "../../results.js";
import { attempt, labels } from "../../store.js";
import { html, signal, useState } from "../../ui.js";

/** What was seen when it was opened, and with which labels. @type {import("../../ui.js").Signal<{ found: import("../../api.js").Measured & import("../../api.js").TestFacts, state: string } | null>} */
const seen = signal(/** @type {any} */ (null));

export function TestSet() {
  const { value: facts, problem, reload } = useLoaded(() => api.test(), [labels.value?.state]);
  const [isOpening, setOpening] = useState(false);
  if (!facts) return html`<h2>${t("understand.test")}</h2><p class="quiet">${problem?.message}</p>`;
  const openings = facts.openings + (facts.trainings ?? 0);
  const open = async () => {
    const text = t(openings ? "test.confirmAgain" : "test.confirm", { count: openings });
    if (!(await confirm({ title: t("test.open"), text, yes: t("test.open") }))) return;
    setOpening(true);
    const found = await attempt(api.openTest);
    setOpening(false);
    if (found) seen.value = { found, state: labels.value?.state ?? "" };
    reload();
  };
  if (!facts.photos) return html`<h2>${t("understand.test")}</h2><p class="quiet">${t("test.none")}</p>`;
  return html`<h2>${t("understand.test")}</h2>
    <div class="test-set card">
      <div class="seal"><${Icon} name=${seen.value ? "check" : "info"} size=${22} />
        <div><p>${t(openings ? "test.leadOpened" : "test.lead", { count: facts.photos })}</p>
          <p class="hint">${openings ? t("test.openings", { count: openings }) : t("test.unopened")}
            ${facts.trainings > 0 ? ` ${t("test.trainings", { count: facts.trainings })}` : ""} ${facts.relabelled > 0 ? t("test.relabelled", { count: facts.relabelled }) : ""}</p></div>
        <button type="button" onClick=${open} disabled=${isOpening}>${isOpening ? html`<span class="spinner small" />` : t("test.open")}</button>
      </div>
      ${seen.value && html`<${Seen} found=${seen.value.found} isOld=${seen.value.state !== (labels.value?.state ?? "")} />`}
    </div>`;
}

/** @param {{ found: import("../../api.js").Measured & import("../../api.js").TestFacts, isOld: boolean }} props */
function Seen({ found, isOld }) {
  if (!found.accuracy) return html`<p>${t("test.nothing")}</p>`;
  return html`<div class="seen">
    <p class="huge small number">${percent(found.accuracy.value)}</p>
    <div><p>${verdict(found)}</p><${Scale} share=${found.accuracy} baseline=${found.baseline} from=${lineStart(found.accuracy, found.baseline?.value)} />
      ${isOld && html`<p class="hint">${t("test.old")}</p>`}
      ${found.openings + (found.trainings ?? 0) > 1 && html`<p class="hint">${t("test.often", { count: found.openings + (found.trainings ?? 0) })}</p>`}
      ${found.relabelled > 0 && html`<p class="hint">${t("test.relabelledMeans", { count: found.relabelled })}</p>`}</div></div>`;
}
