// Train: the head's accuracy, which follows each label, and one button for a classifier that can be shipped.

import { lineStart, Scale } from "../components/figures.js";
import { Icon } from "../components/icon.js";
import { useLoaded } from "../components/loaded.js";
import { Bar } from "../components/meter.js";
import { isActive } from "../components/jobs-tray.js";
import { duration, number, percent, t } from "../i18n.js";
import { href } from "../router.js";
import { answers, collection, features, jobs, reading } from "../store.js";
import { api } from "../api.js";
import { html } from "../ui.js";
import { Comparison } from "./train/comparison.js";
import { Running } from "./train/running.js";
import { Runs } from "./train/runs.js";
import { Start } from "./train/start.js";

/** @param {{ params: URLSearchParams, rest: string[] }} props */
export default function Train({ params, rest }) {
  const finished = jobs.value.filter((job) => job.kind === "train" && !isActive(job)).map((job) => job.id).join();
  const { value: runs, reload } = useLoaded(() => api.runs(), [collection.value?.path, finished]);
  const training = jobs.value.filter((job) => job.kind === "train" && job.state !== "forgotten");
  const latest = training.find(isActive) ?? training[0];
  if (rest[0] === "compare") return html`<div class="page"><${Comparison} first=${params.get("a") ?? ""} second=${params.get("b") ?? ""} /></div>`;
  return html`<div class="page train">
    <h1 class="sr-only">${t("nav.train")}</h1>
    <${Head} />
    ${latest && html`<${Running} key=${latest.id} job=${latest} />`}
    ${!(latest && isActive(latest)) && html`<${Start} runs=${runs ?? []} />`}
    <${Runs} runs=${runs} reload=${reload} />
  </div>`;
}

/** Features while they are computed, then what the head is worth. */
function Head() {
  const progress = features.value ?? reading.value;
  if (progress) {
    const { done, total } = progress;
    const speed = features.value?.photos_per_second;
    const left = features.value?.seconds_left;
    return html`<section class="card head" aria-label=${t("train.looking")}>
      <h2>${t(features.value ? "train.looking" : "train.reading")}</h2>
      <${Bar} value=${done / Math.max(1, total)} label=${t("train.looking")} />
      <p class="figures number"><span>${t("train.of", { done, total })}</span>
        ${speed ? html`<span>${t("train.speed", { speed: number(speed, speed < 10 ? 1 : 0) })}</span>` : ""}
        ${left ? html`<span>${t("status.left", { time: duration(left) })}</span>` : ""}</p>
      <p class="hint">${t("train.lookingText")}</p></section>`;
  }
  const found = answers.value;
  if (!found?.accuracy) {
    const isSoon = (collection.value?.classes.filter((each) => each.photos > 0).length ?? 0) > 1;
    return html`<section class="card head">${isSoon ? html`<h2><span class="spinner small" /> ${t("understand.none.soon")}</h2><p class="quiet">${t("understand.none.soonText")}</p>`
      : html`<h2>${t("train.noHead")}</h2><p class="quiet">${t("train.noHeadText")}</p>`}</section>`;
  }
  const from = lineStart(found.accuracy, found.baseline?.value);
  return html`<section class="card head solved" aria-label=${t("train.head")}>
    <p class="huge number" data-stale=${found.stale || undefined}>${percent(found.accuracy.value)}</p>
    <div><h2>${t("train.head")}</h2><${Scale} share=${found.accuracy} baseline=${found.baseline} from=${from} />
      <p class="hint keys"><span class="swatch dot" /> ${t("verdict.interval", { low: percent(found.accuracy.low), high: percent(found.accuracy.high) })}
        ${found.baseline && html`<span class="swatch mark" /> ${t("verdict.baseline", { name: found.baseline.class, score: percent(found.baseline.value) })}`}</p>
      <p class="hint">${t("train.solved", { time: duration(Math.max(0.1, found.seconds)), count: found.accuracy.count })}</p></div>
    <a class="button" href=${href("understand")}>${t("train.understand")} <${Icon} name="right" size=${16} /></a></section>`;
}
