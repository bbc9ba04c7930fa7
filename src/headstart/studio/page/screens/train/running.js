// A training: what it does, how far it is, its curves; stop and keep. When it is done: what came of it.

import { api } from "../../api.js";
import { Icon } from "../../components/icon.js";
import { isActive, problemOf, resume, shareOf, stepOf, stop } from "../../components/jobs-tray.js";
import { useLoaded } from "../../components/loaded.js";
import { Bar } from "../../components/meter.js";
import { duration, has, number, percent, t } from "../../i18n.js";
import { pValue } from "../../results.js";
import { href } from "../../router.js";
import { attempt, listen } from "../../store.js";
import { html, useEffect, useState } from "../../ui.js";
import { Curves } from "./curves.js";

/** @import { Job } from "../../api.js" */
/** @typedef {{ n: number, event: Record<string, any> }} Numbered */

/** All events of a job, as they come. @param {string} id @returns {Record<string, any>[]} */
function useEvents(id) {
  const [events, setEvents] = useState(/** @type {Numbered[]} */ ([]));
  useEffect(() => {
    const add = (/** @type {Numbered[]} */ more) =>
      setEvents((known) => [...new Map([...known, ...more].map((each) => [each.n, each])).values()].sort((one, other) => one.n - other.n));
    attempt(async () => add(/** @type {any} */ (await api.jobEvents(id))));
    return listen((event) => event.type === "job-event" && event.job === id && add([/** @type {any} */ (event)]));
  }, [id]);
  return events.map((each) => each.event);
}

/** @param {{ job: Job }} props */
export function Running({ job }) {
  const events = useEvents(job.id);
  const epochs = events.filter((each) => each.event === "epoch_ended");
  const head = events.findLast((each) => each.event === "head_solved");
  const messages = events.filter((each) => each.event === "message");
  const result = /** @type {Record<string, any> | null} */ (job.result ?? null);
  if (job.state === "failed" || job.state === "stopped") return html`<${Ended} job=${job} />`;
  if (job.state === "done") return result ? html`<${Done} result=${result} epochs=${epochs} head=${head} messages=${messages} />` : null;
  const last = job.progress?.task === "epoch" ? epochs.at(-1) : undefined;
  // of all epochs, at most: it may end earlier
  const share = last ? last.epoch / last.epochs : shareOf(job);
  const left = last ? (last.epochs - last.epoch) * last.seconds : job.progress?.seconds_left;
  return html`<section class="card running" aria-label=${t("train.running")}>
    <div class="running-head"><div><h2>${t("train.running")}</h2><p class="quiet" role="status">${share === null && html`<span class="spinner small" /> `}${job.state === "stopping" ? t("job.state.stopping") : stepOf(job)}</p></div>
      <div class="actions"><button type="button" disabled=${job.state !== "running"} title=${t("train.stopText")} onClick=${() => stop(job)}>${t("train.stop")}</button>
        <button type="button" class="quiet" disabled=${job.state === "stopping"} onClick=${() => stop(job, { keep: false })}>${t("train.pause")}</button></div></div>
    ${share !== null && html`<${Bar} value=${share} label=${stepOf(job)} />`}
    <p class="figures number">${epochs.length ? html`<span>${t("train.epoch", { epoch: epochs.at(-1)?.epoch, epochs: epochs.at(-1)?.epochs })}</span>` : job.progress?.total ? html`<span>${t("train.of", { done: job.progress.done, total: job.progress.total })}</span>` : ""}
      ${left ? html`<span>${t("status.left", { time: duration(left) })}</span>` : ""}</p>
    ${head && html`<${HeadSolved} head=${head} />`}
    ${epochs.length > 0 && html`<${Curves} epochs=${epochs} head=${head} />`}
    <${Log} messages=${messages} />
    <p class="hint">${t("jobs.survive")}</p></section>`;
}

/** Facts as they stand in sentences. @param {Record<string, any>} [facts] */
const spoken = ({ seconds, loss, accuracy, views, resizing, before, after, p, ...others } = {}) => ({
  ...others,
  ...(before !== undefined && { before: number(before, 3), after: number(after, 3) }), // losses
  ...(p !== undefined && { p: pValue(p) }),
  ...(views && { views: views.split(", ").map((/** @type {string} */ each) => (has(`views.${each}`) ? t(`views.${each}`) : each)).join(", ") }),
  ...(resizing && { resizing: t(`train.resizing.${resizing}`) }),
  ...(seconds !== undefined && { time: duration(seconds) }),
  ...(loss !== undefined && { loss: number(loss, 3) }),
  ...(accuracy !== undefined && { accuracy: percent(accuracy) }),
});

/** What the command says, as in a terminal; where there are words for it, in the language of the user. @param {{ messages: Record<string, any>[] }} props */
const Log = ({ messages }) => messages.length > 0 && html`<details class="log"><summary>${t("train.log")}</summary><pre tabindex="0">${messages.map(({ code, facts, text }, place) =>
  code && has(`says.${code}`) ? html`<div key=${place}>${t(`says.${code}`, spoken(facts))}</div>` : html`<div key=${place} lang="en">${text}</div>`)}</pre></details>`;

/** @param {{ head: Record<string, any> }} props */
const HeadSolved = ({ head }) => html`<p class="head-solved"><${Icon} name="check" size=${18} /> ${t("train.headSolved", { accuracy: percent(head.val_accuracy), loss: number(head.val_loss, 3), time: duration(head.seconds) })}</p>`;

/** @param {{ job: Job }} props */
const Ended = ({ job }) => html`<div class=${`notice ${job.state === "failed" ? "bad" : "warn"}`}><${Icon} name="alert" />
  <p><strong>${t(`train.${job.state}`)}</strong> ${problemOf(job) || (job.state === "stopped" ? t("train.stoppedText") : "")}</p>
  <button type="button" onClick=${() => resume(job)}>${t("job.resume")}</button></div>`;

/** @param {{ result: Record<string, any>, epochs: Record<string, any>[], head: Record<string, any> | undefined, messages: Record<string, any>[] }} props */
function Done({ result, epochs, head, messages }) {
  const name = result.run ?? "";
  const { value: metrics } = useLoaded(() => api.run(name), [name]);
  const part = metrics?.test ?? metrics?.validation;
  const tuning = metrics && tuningText(metrics.phases, messages);
  return html`<section class="card done" aria-label=${t("train.done")}>
    <div class="done-head">${part && html`<p class="huge number">${percent(part.accuracy.value)}</p>`}
      <div><h2>${t("train.done")}</h2>
        ${part && html`<p>${t(metrics.test ? "train.onTest" : "train.onValidation", { low: percent(part.accuracy.low), high: percent(part.accuracy.high), count: part.accuracy.count })} ${metrics.test ? t("train.counts") : ""}</p>`}
        ${tuning && html`<p class="quiet">${tuning}</p>`}
        <p class="hint path">${result.path}</p></div></div>
    <div class="actions"><a class="button primary" href=${href("try", { run: name })}>${t("train.try")}</a>
      <a class="button" href=${`runs/${encodeURIComponent(name)}/report`} target="_blank" rel="noopener">${t("train.report")}</a>
      <a class="button" href=${href("try/ship", { run: name })}>${t("train.ship")}</a></div>
    ${epochs.length > 0 && html`<details><summary>${t("train.curves")}</summary><${Curves} epochs=${epochs} head=${head} /></details>`}
    <${Log} messages=${messages} />
  </section>`;
}

/**
 * Whether fine-tuning helped, by McNemar's test on the validation photos, or where these are few, by cross-validation; or
 * why there was none; "": nobody asked for it.
 * @param {any[]} phases @param {Record<string, any>[]} messages
 */
export function tuningText(phases, messages) {
  const tuned = phases.find((phase) => phase.name === "fine_tuning");
  const gain = messages.find((each) => each.code === "gain")?.facts;
  if (tuned?.judgement) return `${judged(tuned.judgement)} ${t(tuned.kept ? "tuning.kept" : "tuning.notKept")}`;
  if (gain) return `${judged(gain)} ${t(tuned ? "tuning.keptByLoss" : "tuning.notKeptByLoss", spoken(gain))}`;
  if (tuned) {
    const [before, after] = [phases[0], tuned].map((phase) => percent(phase.validation?.accuracy.value ?? 0));
    return t("tuning.always", { before, after });
  }
  const against = messages.find((each) => each.code?.startsWith("no-fine-tuning"));
  return against ? t(`says.${against.code}`, spoken(against.facts)) : "";
}

/** @param {{ p: number, mended: number, spoiled: number }} found */
function judged({ p, mended, spoiled }) {
  const verdict = t(p < 0.05 ? (mended > spoiled ? "tuning.better" : "tuning.worse") : "tuning.same");
  return `${verdict} ${t("tuning.counts", { mended, spoiled, p: pValue(p) })}`;
}
