// The button, and behind "more" the settings of a training. What is not set is as the command line has it.

import { api } from "../../api.js";
import { Icon } from "../../components/icon.js";
import { useLoaded } from "../../components/loaded.js";
import { number, t } from "../../i18n.js";
import { inWords } from "../../problems.js";
import { href } from "../../router.js";
import { attempt, can, collection, computing, generation, labels, OTHER, reading, showJob } from "../../store.js";
import { html, useState } from "../../ui.js";

const RESIZING = ["stretch", "crop", "pad", "resize-crop", "auto"];
const VIEWS = ["auto", "original", "mirrored", "all"];
const FINE_TUNE = ["auto", "never", "always"];
const MINUTES = [0, 2, 5, 10, 30, 60];

/** @typedef {{ name: string, backbone: string, image_size: string, resizing: string, views: string, fine_tune: string, balanced: boolean, minutes: number, group_by: string, recall: string }} Settings */
/** @type {Settings} */
const DEFAULTS = { name: "", backbone: "", image_size: "", resizing: "stretch", views: "auto", fine_tune: "auto", balanced: false, minutes: 0, group_by: "", recall: "" };

/** What differs from the defaults, as the server takes it. @param {Settings} settings */
export function settingsOf(settings) {
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const key of /** @type {const} */ (["name", "backbone", "resizing", "views", "fine_tune", "balanced", "group_by"]))
    if (settings[key] !== DEFAULTS[key]) found[key] = settings[key];
  if (settings.image_size) found.image_size = Number(settings.image_size);
  if (settings.minutes) found.time_limit = 60 * settings.minutes;
  if (settings.recall.trim()) found.recall = settings.recall.split(",").map((each) => each.trim());
  return found;
}

/** @param {{ runs: any[] }} props */
export function Start({ runs }) {
  const [settings, setSettings] = useState(DEFAULTS);
  const [isStarting, setStarting] = useState(false);
  const labelled = collection.value?.classes.filter((each) => each.photos > 0 && each.name !== OTHER) ?? [];
  const { value: trainable } = useLoaded(() => api.trainable(), [labels.value?.state, generation.value, reading.value === null, computing.value.includes("copies")]);
  const why = labelled.length < 2 ? t("train.needsClasses") : trainable?.problem ? inWords(trainable.problem) : null;
  const start = async () => {
    setStarting(true);
    const job = await attempt(() => api.start("train", settingsOf(settings)));
    setStarting(false);
    if (job) showJob(job);
  };
  const photos = labelled.reduce((sum, each) => sum + each.photos, 0);
  return html`<section class="card start"><div class="start-main"><div>
      <h2>${t(runs.length ? "train.again" : "train.title")}</h2>
      <p class=${why ? "" : "quiet"} role="status">${why ?? t(can.value.fine_tune ? "train.textHead" : "train.text", { count: photos, classes: number(labelled.length) })}</p></div>
      ${why && html`<a class="button" href=${href(labelled.length < 2 ? "queue" : "photos")}>${t(labelled.length < 2 ? "try.toQueue" : "nav.photos")}</a>`}
      <button type="button" class="primary large" disabled=${Boolean(why) || isStarting} onClick=${start}>${isStarting ? html`<span class="spinner small" />` : html`<${Icon} name="train" />`} ${t("train.button")}</button></div>
    ${can.value.fine_tune && html`<p class="hint">${t("train.headOnly")}</p>`}
    <details class="more"><summary>${t("train.more")}</summary><${More} settings=${settings} set=${(/** @type {Partial<Settings>} */ some) => setSettings({ ...settings, ...some })} /></details>
  </section>`;
}

/** @param {{ settings: Settings, set: (some: Partial<Settings>) => void }} props */
function More({ settings, set }) {
  const backbones = /** @type {any[]} */ (can.value.backbones ?? []);
  const chosen = backbones.find((each) => each.name === settings.backbone);
  const value = (/** @type {any} */ event) => event.target.value;
  return html`<div class="settings">
    <${Field} label=${t("train.name")} hint=${t("train.nameHint")}><input value=${settings.name} maxlength="80" onInput=${(/** @type {any} */ event) => set({ name: value(event) })} placeholder=${t("train.nameAuto")} /><//>
    <${Field} label=${t("train.backbone")} hint=${chosen ? facts(chosen) : t(settings.backbone ? "train.bestHint" : "train.backboneHint")}><select value=${settings.backbone} onChange=${(/** @type {any} */ event) => set({ backbone: value(event) })}>
      <option value="">${t("train.default")}</option><option value="auto">${t("train.best")}</option>${backbones.map((each) => html`<option key=${each.name} value=${each.name}>${each.name}${each.at_hand ? "" : ` (${t("train.downloaded")})`}</option>`)}</select><//>
    <${Field} label=${t("train.imageSize")} hint=${t("train.imageSizeHint")}><input type="number" min="32" max="1024" step="1" value=${settings.image_size} placeholder=${chosen?.image_size ?? t("train.default")} onInput=${(/** @type {any} */ event) => set({ image_size: value(event) })} /><//>
    <${Choice} name="resizing" values=${RESIZING} settings=${settings} set=${set} />
    <${Choice} name="views" values=${VIEWS} settings=${settings} set=${set} />
    <${Choice} name="fine_tune" values=${FINE_TUNE} settings=${settings} set=${set} disabled=${Boolean(can.value.fine_tune)} />
    <${Field} label=${t("train.time")} hint=${t("train.timeHint")}><select value=${settings.minutes} onChange=${(/** @type {any} */ event) => set({ minutes: Number(value(event)) })}>
      ${MINUTES.map((minutes) => html`<option key=${minutes} value=${minutes}>${minutes ? t("train.minutes", { count: minutes }) : t("train.noLimit")}</option>`)}</select><//>
    <${Field} label=${t("train.groups")} hint=${t("train.groupsHint")}><input value=${settings.group_by} spellcheck="false" placeholder="parent-folder" onInput=${(/** @type {any} */ event) => set({ group_by: value(event) })} /><//>
    <${Field} label=${t("train.recall")} hint=${t("train.recallHint")}><input value=${settings.recall} spellcheck="false" placeholder=${`${collection.value?.classes.find((each) => each.name !== OTHER)?.name ?? ""}=0.99`} onInput=${(/** @type {any} */ event) => set({ recall: value(event) })} /><//>
    <label class="check"><input type="checkbox" checked=${settings.balanced} onChange=${(/** @type {any} */ event) => set({ balanced: event.target.checked })} /> ${t("train.balanced")}</label>
    <button type="button" class="quiet reset" onClick=${() => set(DEFAULTS)}>${t("train.reset")}</button>
  </div>`;
}

/** @param {{ label: string, hint?: string, children?: any }} props */
const Field = ({ label, hint, children }) => html`<label class="setting"><span>${label}</span>${children}<span class="hint">${hint}</span></label>`;

/** @param {{ name: "resizing" | "views" | "fine_tune", values: string[], settings: Settings, set: (some: Partial<Settings>) => void, disabled?: boolean }} props */
const Choice = ({ name, values, settings, set, disabled = false }) => html`<${Field} label=${t(`train.${name}`)} hint=${t(`train.${name}.${settings[name]}.hint`)}>
  <select value=${settings[name]} disabled=${disabled} onChange=${(/** @type {any} */ event) => set({ [name]: event.target.value })}>
    ${values.map((each) => html`<option key=${each} value=${each}>${t(`train.${name}.${each}`)}</option>`)}</select><//>`;

/** What is known of a base. @param {any} backbone */
function facts(backbone) {
  const size = backbone.megabytes ? t("train.megabytes", { size: number(backbone.megabytes, backbone.megabytes < 10 ? 1 : 0) }) : "";
  const speed = backbone.milliseconds ? t("train.milliseconds", { time: number(backbone.milliseconds, 1) }) : "";
  const pixels = backbone.image_size ? t("train.pixels", { size: backbone.image_size }) : "";
  return [pixels, size, speed].filter(Boolean).join(" · ");
}
