// The queue: one question after the other, each answered with one key. The next is there before the answer has arrived.

import { api, photoUrl, Problem, thumbnailUrl } from "../api.js";
import { GridView } from "../components/grid-view.js";
import { Icon } from "../components/icon.js";
import { Bar } from "../components/meter.js";
import { chooseClass } from "../components/palette.js";
import { toast } from "../components/toast.js";
import { openViewer } from "../components/viewer.js";
import { baseName, detail, detailsChanged, relabelled, want } from "../details.js";
import { duration, has, language, percent, t } from "../i18n.js";
import { useKeys } from "../keyboard.js";
import { inOrder, undo } from "../labelling.js";
import { changeText } from "../results.js";
import { href } from "../router.js";
import { answers, attempt, classes, computing, features, generation, labels, photosChanged, queueChanged, report, showLabels } from "../store.js";
import { html, signal, useEffect, useRef, useState } from "../ui.js";

/** @import { Labels, Queue, QueueItem } from "../api.js" */
/** @typedef {"yes" | "no" | "skip" | "exclude"} How */

const GROUPS = ["cluster", "bulk"];
const FEW = 6; // questions left, from which on more are asked for

/** Keys that this page answered, until the server's list is without them. @type {import("../ui.js").Signal<ReadonlySet<string>>} */
const answered = signal(/** @type {ReadonlySet<string>} */ (new Set()));
/** @type {Set<string>} of these, those that the server has not confirmed yet */
const unsent = new Set();
/** @type {Set<string>} those that it has confirmed */
const given = new Set();
const session = signal(0); // answers since the page was opened
let sending = Promise.resolve(); // one after the other, in the order of the user

export default function QueueScreen() {
  const [queue, setQueue] = useState(/** @type {Queue | null} */ (null));
  const last = useRef("");
  const chosen = useRef(signal(/** @type {ReadonlySet<number>} */ (new Set())));
  useEffect(() => {
    let isLatest = true;
    load().then((found) => {
      if (!isLatest) return;
      const back = found.items.find((each) => given.has(each.key)); // its answer was undone: it is asked now
      if (back) last.current = back.key;
      for (const each of found.items) given.delete(each.key);
      setQueue(found);
    }, (error) => {
      if (isLatest && error.status) setQueue({ left: null, items: [], expected: null }); // who is not reached has not said so
      if (error.status !== 404 && error.status !== 409) report(error);
    });
    return () => void (isLatest = false);
  }, [queueChanged.value, generation.value]);
  const waiting = (queue?.items ?? []).filter((item) => !answered.value.has(item.key));
  // what the user is looking at stays, as long as it is asked, wherever the new answers put it
  const at = waiting.findIndex((each) => each.key === last.current);
  if (at > 0) waiting.unshift(...waiting.splice(at, 1));
  const item = waiting[0];
  last.current = item?.key ?? "";
  useEffect(() => {
    if (queue?.left && queue.left > waiting.length && waiting.length < FEW) queueChanged.value++;
  }, [waiting.length]);
  useEffect(() => {
    if (item) chosen.current.value = new Set(item.ids);
    for (const next of waiting.slice(1, 3)) for (const id of next.ids.slice(0, 2)) new Image().src = photoUrl(generation.value, id);
  }, [item?.key]);
  useEffect(() => want(waiting.slice(0, 4).flatMap((each) => each.ids.slice(0, 100))), [item?.key, photosChanged.value]);

  const answer = (/** @type {How} */ how, /** @type {string} */ label = "") => {
    if (!item) return;
    if (how === "yes" && !label && !item.suggested) return void other();
    if (how === "no" && !label && (item.kind === "unlabelled" || !item.suggested)) return void other(); // what is it, then?
    const name = label || item.suggested || "";
    const ids = GROUPS.includes(item.kind) ? item.ids.filter((id) => chosen.current.value.has(id)) : item.ids;
    if (how === "yes" && !ids.length) how = "no";
    if (how === "exclude" && !ids.length) return;
    answered.value = new Set([...answered.value, item.key]);
    unsent.add(item.key);
    session.value++;
    sending = inOrder(async () => {
      const found = await attempt(() => send(item, how, label, ids));
      unsent.delete(item.key);
      queueChanged.value++;
      if (!found) {
        last.current = item.key; // it is asked again
        answered.value = new Set([...answered.value].filter((key) => key !== item.key));
        session.value--;
        return;
      }
      given.add(item.key);
      if (how === "yes") {
        relabelled(ids, name);
        toast(t("queue.done", { count: ids.length, name }), { action: { label: t("undo"), do: undo }, seconds: 4 });
      } else if (how === "exclude") {
        relabelled(ids, null);
        toast(t("labels.excluded", { count: ids.length }), { action: { label: t("undo"), do: undo } });
      }
      showLabels(found);
    });
  };
  const other = async () => {
    if (!item) return;
    const choice = await chooseClass({ title: t("queue.which") });
    if (!choice) return;
    if (choice.isNew) {
      const found = await attempt(() => api.newClass(choice.name));
      if (!found) return;
      showLabels(found);
    }
    answer("yes", choice.name);
  };
  const look = () => item && openViewer(item.ids, 0);
  useKeys({
    y: () => answer("yes"), enter: () => answer("yes"), n: () => answer("no"), s: () => answer("skip"), arrowright: () => answer("skip"), l: () => void other(), x: () => answer("exclude"), space: look,
    ...Object.fromEntries(classes.value.slice(0, 9).map((each, index) => [String(index + 1), () => answer("yes", each.name)])),
  });
  if (!queue) return html`<div class="empty"><span class="spinner" /></div>`;
  if (!item) return html`<${Done} queue=${queue} />`;
  return html`<div class="queue">
    <section class="question" aria-label=${t("nav.queue")}>
      <${Question} item=${item} />
      <${Pictures} key=${item.key} item=${item} chosen=${chosen.current} />
      <${Choices} item=${item} chosen=${chosen.current} answer=${answer} other=${other} />
    </section>
    <${Side} queue=${queue} left=${Math.max(waiting.length, (queue.left ?? 0) - [...answered.value].filter((key) => queue.items.some((each) => each.key === key)).length)} waiting=${waiting} />
  </div>`;
}

/** @param {QueueItem} item @param {How} how @param {string} label @param {number[]} ids those that were not left out @returns {Promise<Partial<Labels>>} */
async function send(item, how, label, ids) {
  const saysLabel = how === "yes" || how === "exclude";
  try {
    return await api.answerQueue(item.key, how, label, saysLabel && ids.length < item.ids.length ? ids : undefined);
  } catch (error) {
    if (!(error instanceof Problem) || error.more.reason !== "not-asked") throw error;
    // the queue was made anew while the user looked: what was said of the photos holds all the same
    return saysLabel ? api.label(ids, how === "yes" ? label || item.suggested : null, "queue") : {};
  }
}

/** The queue, after what was answered has arrived. What the server still asks then is asked again: its answer was undone. */
async function load() {
  await sending;
  const found = await api.queue(20);
  answered.value = new Set(unsent);
  return found;
}

/** The question in words, and why it is asked. @param {{ item: QueueItem }} props */
function Question({ item }) {
  void language.value, detailsChanged.value;
  const { kind, suggested, ids, reason } = item;
  const label = String(reason?.label ?? detail(ids[0])?.label ?? "");
  const key = suggested ? (suggested === label ? `queue.ask.${kind}.same` : `queue.ask.${kind}`) : GROUPS.includes(kind) ? "queue.ask.nameGroup" : "queue.ask.name";
  const question = t(has(key) ? key : "queue.ask.label", { suggested: suggested ?? "", label, count: ids.length });
  return html`<header aria-live="polite" aria-atomic="true">
    <span class=${`tag ${TAGS[kind] ?? ""}`}>${t(`queue.kind.${kind}`)}</span>
    <h1>${question.split(/(“[^”]*”)/).map((part) => (part.startsWith("“") ? html`<strong>${part.slice(1, -1)}</strong>` : part))}</h1>
    <p class="why">${why(item)}</p>
  </header>`;
}
/** @type {Record<string, string>} */
const TAGS = { label: "bad", copies: "warn", border: "accent", novel: "warn", cluster: "accent", unlabelled: "accent", bulk: "good" };

const SHARES = ["probability", "similarity"];

/** The reason, in the user's language where there are words for it. @param {QueueItem} item */
export function why({ reason, text }) {
  const key = `queue.reason.${reason?.code}`;
  if (!reason?.code || !has(key)) return reason?.text ?? text ?? "";
  const shown = Object.fromEntries(Object.entries(reason).map(([name, value]) => [name, typeof value === "number" && SHARES.includes(name) ? percent(value, 0) : /** @type {string | number} */ (value)]));
  return t(key, shown);
}

/** @param {{ item: QueueItem, chosen: import("../ui.js").Signal<ReadonlySet<number>> }} props */
function Pictures({ item, chosen }) {
  void detailsChanged.value;
  const { ids, kind } = item;
  if (GROUPS.includes(kind))
    return html`<div class="group"><${GridView} ids=${Int32Array.from(ids)} sections=${null} of=${item.key} cell=${112} captions=${false} crop=${false} label=${t("queue.group")} chosen=${chosen} open=${(/** @type {number} */ at) => openViewer(ids, at)} /></div>`;
  return html`<div class=${`pictures ${ids.length > 1 ? "several" : ""}`}>${ids.slice(0, 4).map((id, at) => {
    const photo = detail(id);
    return html`<figure key=${id}><button class="look" aria-label=${t("queue.look", { name: photo ? baseName(photo.path) : "" })} onClick=${() => openViewer(ids, at)}>
      <${Picture} id=${id} /></button>
      <figcaption>${photo ? html`<strong>${photo.label ?? t("noClass")}</strong> · <span title=${photo.path}>${baseName(photo.path)}</span>` : " "}</figcaption></figure>`;
  })}</div>`;
}

/** @param {{ id: number }} props */
function Picture({ id }) {
  void detailsChanged.value;
  const [isLoaded, setLoaded] = useState(false);
  return html`<img class="small" hidden=${isLoaded} src=${thumbnailUrl(generation.value, id)} alt="" /><img class=${isLoaded ? "" : "loading"} src=${photoUrl(generation.value, id)} alt=${detail(id)?.label ?? ""} onLoad=${() => setLoaded(true)} />`;
}

/** @param {{ item: QueueItem, chosen: import("../ui.js").Signal<ReadonlySet<number>>, answer: (how: How, label?: string) => void, other: () => void }} props */
function Choices({ item, chosen, answer, other }) {
  void detailsChanged.value;
  const { suggested, kind, ids } = item;
  const isGroup = GROUPS.includes(kind);
  const count = isGroup ? chosen.value.size : ids.length;
  const own = String(item.reason?.label ?? detail(ids[0])?.label ?? "");
  const no = kind === "unlabelled" ? t("queue.noOther") : kind === "copies" ? t("queue.noBoth") : own && own !== suggested && !isGroup ? t("queue.noKeep", { name: own }) : t("queue.no");
  return html`<footer>
    ${isGroup && html`<p class="hint">${t("queue.groupHint", { count })} ${" "}
      <button type="button" class="link" onClick=${() => (chosen.value = new Set(count ? [] : ids))}>${t(count ? "selection.none" : "keys.all")}</button></p>`}
    <div class="answers">
      ${suggested ? html`<button class="primary large" onClick=${() => answer("yes")} disabled=${isGroup && !count}><span class="ellipsis">${isGroup ? t("queue.yesAll", { count, name: suggested }) : t("queue.yes", { name: suggested })}</span><kbd>Y</kbd></button>`
        : html`<button class="primary large" onClick=${other} disabled=${!count}>${t("queue.nameIt")}<kbd>Y</kbd></button>`}
      ${suggested && html`<button class="large" onClick=${() => answer("no")}><span class="ellipsis">${no}</span><kbd>N</kbd></button>`}
      <button class="large quiet" onClick=${() => answer("skip")}>${t("queue.skip")}<kbd>S</kbd></button>
    </div>
    <div class="choices">${classes.value.slice(0, 9).map((each, index) => html`<button key=${each.name} onClick=${() => answer("yes", each.name)}><kbd>${index + 1}</kbd><span class="ellipsis">${each.name}</span></button>`)}
      ${suggested && html`<button onClick=${other}><kbd>L</kbd>${t("selection.other")}</button>`}
      <button onClick=${() => answer("exclude")}><kbd>X</kbd>${t("exclude")}</button></div>
  </footer>`;
}

/** What the next answers bring, how many are left, what comes next. @param {{ queue: Queue, left: number, waiting: QueueItem[] }} props */
function Side({ queue, left, waiting }) {
  const done = session.value;
  const { expected } = queue;
  const accuracy = answers.value?.accuracy;
  return html`<aside class="queue-side">
    <section class="left"><h2>${t("queue.left")}</h2><p class="big number">${t("queue.questions", { count: left })}</p><${Bar} value=${done / Math.max(1, done + left)} label=${t("queue.left")} />
      ${done > 0 && html`<p class="hint">${t("queue.answered", { count: done })}</p>`}</section>
    <section class="expected"><h2>${t("queue.expected")}</h2>
      ${expected?.stop ? html`<p class="notice good"><${Icon} name="check" /><span>${t("queue.stop")}</span></p>` : expected && expected.gain > 0 ? html`<p class="big number">${gainText(expected)}</p>` : null}
      ${expected && html`<p class="hint">${why(/** @type {any} */ (expected))}</p>`}</section>
    ${accuracy && html`<section class="so-far"><h2>${t("status.accuracy")}</h2><p class="big number">${percent(accuracy.value)}</p><p class="hint number">${percent(accuracy.low)} – ${percent(accuracy.high)}</p>
      ${answers.value?.change && html`<p class="hint">${changeText(answers.value.change)}</p>`}</section>`}
    ${waiting.length > 1 && html`<section class="next"><h2>${t("queue.next")}</h2><ul class="plain">${waiting.slice(1, 7).map((item) => html`<li key=${item.key}><img src=${thumbnailUrl(generation.value, item.ids[0])} alt=${t(`queue.kind.${item.kind}`)} title=${t(`queue.kind.${item.kind}`)} />${item.ids.length > 1 && html`<span>${item.ids.length}</span>`}</li>`)}</ul></section>`}
  </aside>`;
}

/** What the next answers bring: labels of photos that have none, or the right one for those that do. @param {{ gain: number, reason?: Record<string, unknown> }} expected */
function gainText({ gain, reason }) {
  if (gain < 1) return t("queue.gain.hardly");
  const kind = { clusters: "label", first_labels: "label", proposals: "more" }[String(reason?.code)] ?? "right";
  return t(`queue.gain.${kind}`, { count: Math.round(gain) });
}

/** @param {{ queue: Queue }} props */
function Done({ queue }) {
  const done = session.value;
  if (features.value || queue.left === null)
    return html`<div class="empty"><span class="spinner" /><h1>${t("queue.waiting")}</h1><p>${t("queue.waitingText")}</p>${features.value?.seconds_left ? html`<p class="hint number">${t("status.left", { time: duration(features.value.seconds_left) })}</p>` : ""}<a class="button" href=${href("photos")}>${t("photos.showAll")}</a></div>`;
  return html`<div class="empty done-asking"><${Icon} name="check" size=${40} /><h1>${t("queue.empty")}</h1>
    <p>${done ? t("queue.emptyAfter", { count: done, changed: labels.value?.changed ?? 0 }) : t("queue.emptyText")}</p>
    ${computing.value.some((stage) => stage !== "map") && html`<p class="hint" role="status"><span class="spinner small" /> ${t("queue.stillLooking")}</p>`}
    <div class="answers"><a class="button primary" href=${href("understand")}>${t("nav.understand")}</a><a class="button" href=${href("photos", { changed: true })}>${t("filter.changed")}</a></div></div>`;
}
