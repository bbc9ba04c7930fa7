// Try and ship: photos and the live camera through a classifier; export, service, and the lines of Python.

import { useLoaded } from "../components/loaded.js";
import { isActive } from "../components/jobs-tray.js";
import { api } from "../api.js";
import { Icon } from "../components/icon.js";
import { percent, t } from "../i18n.js";
import { go, href } from "../router.js";
import { answers, collection, jobs } from "../store.js";
import { html } from "../ui.js";
import { Live } from "./try/live.js";
import { Photos } from "./try/photos.js";
import { Ship } from "./try/ship.js";

const PARTS = /** @type {const} */ ([["photos", "photos", Photos], ["camera", "camera", Live], ["ship", "export", Ship]]);

/** @param {{ params: URLSearchParams, rest: string[] }} props */
export default function Try({ params, rest }) {
  const finished = jobs.value.filter((job) => job.kind === "train" && !isActive(job)).map((job) => job.id).join();
  const { value: runs, isLoading } = useLoaded(() => api.runs(), [collection.value?.path, finished]);
  const [part, , Part] = PARTS.find(([name]) => name === rest[0]) ?? PARTS[0];
  const hasHead = Boolean(answers.value?.accuracy);
  const wanted = params.get("run");
  const run = (wanted && runs?.find((each) => each.name === wanted)) || (part === "ship" || !hasHead ? runs?.[0] : null) || null;
  if (isLoading && !runs) return html`<div class="empty"><span class="spinner" /></div>`;
  if (!run && !hasHead && !runs?.length) return html`<${Nothing} />`;
  const choose = (/** @type {any} */ event) => go(`try/${part}`, event.target.value ? { run: event.target.value } : {}, { replace: true });
  return html`<div class="page try">
    <h1 class="sr-only">${t("nav.try")}</h1>
    <div class="try-head">
      <nav class="segments" aria-label=${t("try.parts")}>${PARTS.map(([name, icon]) => html`<a key=${name} href=${href(`try/${name}`, { run: wanted })} aria-current=${name === part ? "page" : undefined}><${Icon} name=${icon} size=${18} /> ${t(`try.${name}`)}</a>`)}</nav>
      ${(run || part !== "ship") && html`<label class="which"><span>${t("try.classifier")}</span><select value=${run?.name ?? ""} onChange=${choose}>
        ${hasHead && part !== "ship" && html`<option value="">${t("try.head")}</option>`}
        ${(runs ?? []).map((each) => html`<option key=${each.name} value=${each.name}>${each.name}${each.accuracy ? ` · ${percent(each.accuracy.value)}` : ""}</option>`)}</select></label>`}
    </div>
    <${Part} run=${run} runs=${runs ?? []} />
  </div>`;
}

/** There is nothing to try yet, and what to do about it. */
function Nothing() {
  const open = collection.value;
  const isLabelled = (open?.classes.filter((each) => each.photos > 0).length ?? 0) > 1;
  const [screen, words] = !open ? ["open", "try.toOpen"] : isLabelled ? ["train", "try.toTrain"] : ["queue", "try.toQueue"];
  return html`<div class="empty"><${Icon} name="try" size=${32} /><h1>${t("try.none")}</h1><p>${t("try.noneText")}</p><a class="button primary" href=${href(screen)}>${t(words)}</a></div>`;
}
