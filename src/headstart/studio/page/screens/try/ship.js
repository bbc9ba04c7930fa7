// What becomes of a classifier: a file for another runtime, with its proof; a service; three lines of Python.

import { api } from "../../api.js";
import { Copyable } from "../../components/copying.js";
import { chooseFolder } from "../../components/folder-picker.js";
import { Icon } from "../../components/icon.js";
import { isActive, problemOf, shareOf, stepOf, stop } from "../../components/jobs-tray.js";
import { Bar } from "../../components/meter.js";
import { percent, t } from "../../i18n.js";
import { inWords } from "../../problems.js";
import { href } from "../../router.js";
import { attempt, can, collection, jobs, showJob } from "../../store.js";
import { html, useState } from "../../ui.js";

/** @import { Job } from "../../api.js" */

const FORMATS = ["onnx", "openvino", "litert", "saved-model", "web"];
const QUANTIZE = /** @type {const} */ (["", "float16", "int8"]);

/** @param {{ run: any | null }} props */
export function Ship({ run }) {
  if (!run) return html`<div class="ship"><div class="notice"><${Icon} name="info" /><p>${t("ship.needsRun")} <a href=${href("train")}>${t("try.toTrain")}</a></p></div><${Labels} /></div>`;
  const of = (/** @type {string} */ kind) => jobs.value.filter((job) => job.kind === kind && job.settings?.run === run.name);
  return html`<div class="ship">
    <${Export} run=${run} jobs=${of("export")} />
    <${Serve} run=${run} job=${of("serve").find(isActive) ?? null} failed=${of("serve").find((job) => job.state === "failed") ?? null} />
    <section class="card"><h2>${t("ship.python")}</h2><p class="quiet">${t("ship.pythonText")}</p>
      <${Copyable} label="Python" text=${`import headstart as hs\nclassifier = hs.load(${JSON.stringify(run.path)})\nprint(classifier.predict("photo.jpg"))`} /></section>
    <section class="card"><h2>${t("ship.folder")}</h2><p class="quiet">${t("ship.folderText")}</p><${Copyable} label=${t("ship.folder")} text=${run.path} />
      <p><a href=${`runs/${encodeURIComponent(run.name)}/report`} target="_blank" rel="noopener">${t("train.report")}</a></p></section>
    <${Labels} />
  </div>`;
}

/** @param {{ run: any, jobs: Job[] }} props */
function Export({ run, jobs: exports }) {
  /** @type {Record<string, import("../../problems.js").Told | null>} */
  const missing = { ...can.value.export };
  for (const each of FORMATS) if (run.formats && !run.formats.includes(each)) missing[each] = { detail: t("ship.notOfFile") };
  const [format, setFormat] = useState(FORMATS.find((each) => !missing[each]) ?? FORMATS[0]);
  const [quantize, setQuantize] = useState("");
  const [isFixed, setFixed] = useState(false);
  const [isStarting, setStarting] = useState(false);
  const start = async () => {
    setStarting(true);
    const job = await attempt(() => api.start("export", { run: run.name, format, ...(quantize && { quantize }), ...(isFixed && format !== "web" && { fixed_size: true }) }));
    setStarting(false);
    if (job) showJob(job);
  };
  return html`<section class="card export"><h2>${t("ship.export")}</h2><p class="quiet">${t("ship.exportText")}</p>
    <fieldset class="formats"><legend class="sr-only">${t("ship.format")}</legend>${FORMATS.map((each) => html`<label key=${each} class=${`format ${missing[each] ? "missing" : ""}`}>
      <input type="radio" name="format" value=${each} checked=${format === each} disabled=${Boolean(missing[each])} onChange=${() => setFormat(each)} />
      <span><strong>${t(`ship.format.${each}`)}</strong><span class="hint">${missing[each] ? inWords(missing[each]) : t(`ship.format.${each}.hint`)}</span></span></label>`)}</fieldset>
    <div class="start-export"><label>${t("ship.precision")} <select value=${quantize} onChange=${(/** @type {any} */ event) => setQuantize(event.target.value)}>${QUANTIZE.map((each) => html`<option key=${each} value=${each}>${t(`ship.precision.${each || "float32"}`)}</option>`)}</select></label>
      <label class="check" title=${t("ship.fixedHint")}><input type="checkbox" checked=${isFixed && format !== "web"} disabled=${format === "web"} onChange=${(/** @type {any} */ event) => setFixed(event.target.checked)} /> ${t("ship.fixed")}</label>
      <button type="button" class="primary" disabled=${isStarting || Boolean(missing[format])} onClick=${start}><${Icon} name="export" size=${18} /> ${t("ship.exportButton")}</button></div>
    <ul class="exports plain" aria-live="polite">${exports.map((job) => html`<${Exported} key=${job.id} job=${job} />`)}</ul></section>`;
}

/** @param {{ job: Job }} props */
function Exported({ job }) {
  const result = /** @type {Record<string, any>} */ (job.result ?? {});
  const format = String(job.settings?.format ?? "");
  const proof = result.proof;
  const share = shareOf(job);
  return html`<li class="exported"><strong>${t(`ship.format.${format}`)}</strong>
    ${isActive(job) && html`<span class="hint">${share === null && html`<span class="spinner small" /> `}${stepOf(job)}</span>${share !== null && html`<${Bar} value=${share} label=${stepOf(job)} />`}`}
    ${job.problem && html`<p class="problem">${problemOf(job)}</p>`}
    ${job.state === "done" && html`<p class="proof"><${Icon} name="check" size=${18} /> ${proof ? t("ship.proof", { count: proof.files, right: proof.right, before: proof.right_before, changed: proof.changed, farthest: percent(proof.farthest) }) : (result.text ?? "")}</p>
      <${Copyable} label=${t("ship.folder")} text=${result.path ?? ""} />
      ${format === "web" && html`<p class="hint">${t("ship.webText")}</p><${Copyable} label="Shell" text=${`python -m http.server --directory ${shellQuoted(result.path ?? "")}`} />`}`}</li>`;
}

/** @param {{ run: any, job: Job | null, failed: Job | null }} props */
function Serve({ run, job, failed }) {
  const result = /** @type {Record<string, any>} */ (job?.result ?? {});
  const start = async () => {
    const started = await attempt(() => api.start("serve", { run: run.name }));
    if (started) showJob(started);
  };
  return html`<section class="card"><h2>${t("ship.serve")}</h2><p class="quiet">${t("ship.serveText")}</p>
    ${!job && html`<button type="button" onClick=${start}>${t("ship.serveButton")}</button>`}
    ${!job && failed?.problem && html`<p class="problem">${problemOf(failed)}</p>`}
    ${job && html`<p role="status">${result.address ? html`<a href=${result.address} target="_blank" rel="noopener">${result.address}</a>` : html`<span class="spinner small" /> ${t("ship.starting")}`}</p>
      <button type="button" onClick=${() => stop(job)}>${t("job.stop")}</button>`}
    <p class="hint">${t("ship.serveElsewhere")}</p><${Copyable} label="Shell" text=${`headstart serve ${shellQuoted(run.path)}`} /></section>`;
}

const FORMS = /** @type {const} */ (["csv", "links", "copies"]);

/** The labels as they are now, for other programs. */
function Labels() {
  const [form, setForm] = useState("csv");
  const exports = jobs.value.filter((job) => job.kind === "labels");
  const start = async () => {
    const to = await chooseFolder({ title: t("ship.labelsTo"), choose: t("ship.labelsHere"), from: collection.value?.path.replace(/[/\\][^/\\]*$/, "") ?? "", files: false });
    const started = to && (await attempt(() => api.exportLabels(to, form)));
    if (started) showJob(started);
  };
  return html`<section class="card"><h2>${t("ship.labels")}</h2><p class="quiet">${t("ship.labelsText")}</p>
    <div class="start-export"><label>${t("ship.labelsForm")} <select value=${form} onChange=${(/** @type {any} */ event) => setForm(event.target.value)}>${FORMS.map((each) => html`<option key=${each} value=${each}>${t(`ship.labels.${each}`)}</option>`)}</select></label>
      <button type="button" onClick=${start}>${t("ship.labelsButton")}</button></div>
    <ul class="exports plain" aria-live="polite">${exports.map((job) => html`<li class="exported" key=${job.id}>
      ${isActive(job) && html`<span class="hint"><span class="spinner small" /> ${stepOf(job)}</span>`}
      ${job.problem && html`<p class="problem">${problemOf(job)}</p>`}
      ${job.state === "done" && html`<${Copyable} label=${t("ship.labels")} text=${String(/** @type {any} */ (job.result)?.path ?? job.settings?.to ?? "")} />`}</li>`)}</ul></section>`;
}

/** @param {string} path */
const shellQuoted = (path) => (/^[\w./~:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
