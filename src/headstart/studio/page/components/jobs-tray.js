// The tray: what runs beside the page, and what came of it. A job goes on when the tab is closed.

import { api } from "../api.js";
import { duration, has, t } from "../i18n.js";
import { inWords } from "../problems.js";
import { go } from "../router.js";
import { attempt, jobs } from "../store.js";
import { listenOutside } from "../listening.js";
import { html, useEffect, useId, useRef, useState } from "../ui.js";
import { Icon } from "./icon.js";
import { Bar, Ring } from "./meter.js";

/** @import { Job } from "../api.js" */

export const isActive = (/** @type {Job} */ job) => ["waiting", "running", "stopping"].includes(job.state);
/** What it is doing, as far as it says. @param {Job} job */
export const stepOf = (job) => {
  const progress = /** @type {any} */ (job.progress);
  const [task, step] = [`task.${progress?.task}`, `step.${job.step_name}`]; // in the user's language where there are words
  if (progress) return has(task) ? t(task) : progress.description;
  return has(step) ? t(step) : job.step || t(`job.state.${job.state}`);
};
/** 0 to 1; null: it does not say. @param {Job} job */
export const shareOf = (job) => (job.progress?.total ? job.progress.done / job.progress.total : null);

/** Why it failed. @param {Job} job */
export const problemOf = (job) => inWords({ detail: String(job.problem ?? ""), .../** @type {any} */ (job.problem_more) });

/** @param {Job} job */
const name = (job) => (has(`job.kind.${job.kind}`) ? t(`job.kind.${job.kind}`) : job.kind);

/** Whether a classifier can be made of what it has trained so far. @param {Job} job */
const hasTrained = (job) => job.kind === "train" && job.state !== "waiting";

/** Stop a job. Of a training, a classifier is made of what was trained so far; or it can be resumed later.
 *  @param {Job} job @param {{ keep?: boolean }} [how] */
export const stop = (job, { keep = hasTrained(job) } = {}) => attempt(() => api.stop(job.id, keep));
/** @param {Job} job */
export const resume = (job) => attempt(() => api.resume(job.id));

export function JobsTray() {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const id = useId();
  const shown = jobs.value.filter((job) => job.kind !== "open");
  const active = shown.filter(isActive);
  useEffect(() => {
    if (!isOpen) return;
    return listenOutside(root, () => setOpen(false));
  }, [isOpen]);
  if (!shown.length) return null;
  const share = active.length === 1 ? shareOf(active[0]) : null;
  const label = active.length ? t("jobs.running", { count: active.length }) : t("jobs.none");
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  return html`<div class="tray menu-root" ref=${root} onKeyDown=${onKeyDown}>
    <button type="button" class="icon-button" aria-label=${label} title=${label} aria-expanded=${isOpen} aria-controls=${isOpen ? id : undefined} onClick=${() => setOpen(!isOpen)}>
      ${active.length === 0 ? html`<${Icon} name="jobs" />` : share === null ? html`<span class="spinner small" />` : html`<${Ring} value=${share} />`}</button>
    ${isOpen && html`<section class="jobs" id=${id} aria-label=${t("jobs.title")}>
      <h2>${t("jobs.title")}</h2>
      <ul class="plain">${shown.map((job) => html`<${JobRow} key=${job.id} job=${job} close=${() => setOpen(false)} />`)}</ul>
      <p class="hint">${t("jobs.survive")}</p></section>`}
  </div>`;
}

/** @param {{ job: Job, close: () => void }} props */
function JobRow({ job, close }) {
  const share = shareOf(job);
  const result = /** @type {Record<string, any> | null} */ (job.result ?? null);
  const look = () => {
    close();
    go(job.kind === "train" ? "train" : "try");
  };
  return html`<li class="job"><div class="job-head"><span class="ellipsis"><strong>${name(job)}</strong> <span class="hint">${String(job.settings?.name || job.settings?.run || result?.run || "")}</span></span>
      <span class=${`tag ${{ done: "good", failed: "bad", stopped: "warn" }[job.state] ?? ""}`}>${t(`job.state.${job.state}`)}</span></div>
    ${isActive(job) && html`<p class="hint">${stepOf(job)}${job.progress?.seconds_left ? ` · ${t("status.left", { time: duration(job.progress.seconds_left) })}` : ""}</p>
      ${share !== null && html`<${Bar} value=${share} label=${stepOf(job)} />`}`}
    ${job.problem && html`<p class="problem">${problemOf(job)}</p>`}
    ${job.state === "done" && result?.path && html`<p class="hint path">${result.path}</p>`}
    <div class="actions">
      ${isActive(job) && html`<button type="button" class="link" disabled=${job.state === "stopping"} onClick=${() => stop(job)}>${t(hasTrained(job) ? "train.stop" : "job.stop")}</button>`}
      ${job.kind === "train" && (job.state === "stopped" || job.state === "failed") && html`<button type="button" class="link" onClick=${() => resume(job)}>${t("job.resume")}</button>`}
      ${(job.state === "done" || isActive(job)) && html`<button type="button" class="link" onClick=${look}>${t("job.look")}</button>`}
      ${!isActive(job) && html`<button type="button" class="link" onClick=${() => attempt(async () => { await api.forget(job.id); jobs.value = jobs.value.filter((each) => each.id !== job.id); })}>${t("job.forget")}</button>`}
    </div></li>`;
}
