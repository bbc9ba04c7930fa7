// What all corrections together have brought: heads with the labels before and after, on the photos whose label stayed.

import { api } from "../../api.js";
import { isActive, problemOf, stepOf } from "../../components/jobs-tray.js";
import { useLoaded } from "../../components/loaded.js";
import { t } from "../../i18n.js";
import { changeText } from "../../results.js";
import { attempt, jobs, labels, showJob } from "../../store.js";
import { html, useState } from "../../ui.js";

const OWN = "own";

export function Corrections() {
  const [before, setBefore] = useState(OWN);
  const { value: runs } = useLoaded(() => api.runs(), []);
  const changed = labels.value?.changed ?? 0;
  const states = new Map((runs ?? []).filter((run) => run.labels_state && run.labels_state !== labels.value?.state).map((run) => [run.labels_state, run.name]));
  const job = jobs.value.find((each) => each.kind === "diff");
  const start = async () => {
    const started = await attempt(() => api.start("diff", { before }));
    if (started) showJob(started);
  };
  return html`<h2>${t("understand.corrections")}</h2>
    ${changed === 0 ? html`<p class="quiet">${t("corrections.none")}</p>` : html`<p class="quiet">${t("corrections.lead", { count: changed })}</p>
      <div class="actions corrections">
        ${states.size > 0 && html`<label>${t("corrections.from")} <select value=${before} onChange=${(/** @type {any} */ event) => setBefore(event.target.value)}>
          <option value=${OWN}>${t("corrections.own")}</option>${[...states].map(([state, name]) => html`<option key=${state} value=${state}>${t("corrections.of", { name })}</option>`)}</select></label>`}
        <button type="button" disabled=${job && isActive(job)} onClick=${start}>${t("corrections.measure")}</button></div>`}
    ${job && html`<${Result} job=${job} />`}`;
}

/** @param {{ job: import("../../api.js").Job }} props */
function Result({ job }) {
  if (isActive(job)) return html`<p role="status"><span class="spinner small" /> ${stepOf(job)}</p>`;
  if (job.state !== "done") return html`<p class="problem">${problemOf(job) || t(`job.state.${job.state}`)}</p>`;
  const found = /** @type {any} */ (job.result);
  const isOld = found.states.after.state !== (labels.value?.state ?? "");
  return html`<p role="status"><strong>${changeText(found)}</strong> <span class="quiet">${t("change.counts", { gained: found.gained, lost: found.lost })} ${isOld ? t("test.old") : ""}</span></p>`;
}
