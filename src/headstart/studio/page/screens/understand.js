// Understand: how good the classifier is, where it is wrong, how sure it is, and what to do next.

import { Icon } from "../components/icon.js";
import { duration, t } from "../i18n.js";
import { href } from "../router.js";
import { answers, collection, features } from "../store.js";
import { html, useEffect } from "../ui.js";
import { Calibration } from "./understand/calibration.js";
import { Classes } from "./understand/classes.js";
import { Confusion } from "./understand/confusion.js";
import { Corrections } from "./understand/corrections.js";
import { Findings } from "./understand/findings.js";
import { Mistakes } from "./understand/mistakes.js";
import { Sureness } from "./understand/sureness.js";
import { TestSet } from "./understand/test-set.js";
import { Verdict } from "./understand/verdict.js";

const SECTIONS = /** @type {const} */ ([
  ["verdict", Verdict], ["mistakes", Mistakes], ["confusion", Confusion], ["sureness", Sureness], ["classes", Classes],
  ["calibration", Calibration], ["findings", Findings], ["corrections", Corrections],
  ["test", TestSet],
]);

/** @param {{ rest: string[] }} props rest: the section that the address names */
export default function Understand({ rest: [section] }) {
  const found = answers.value;
  const isMeasured = Boolean(found?.accuracy);
  useEffect(() => {
    const wanted = section && isMeasured ? document.getElementById(`understand-${section}`) : null;
    if (wanted) return keepInView(wanted);
  }, [section, isMeasured]);
  if (!found || !isMeasured) return html`<${Nothing} />`;
  return html`<div class="with-contents">
    <nav class="contents" aria-label=${t("understand.contents")}>
      ${SECTIONS.map(([name]) => html`<a key=${name} href=${href(`understand/${name}`)} aria-current=${name === section ? "true" : undefined}>${t(`understand.${name}`)}</a>`)}
    </nav>
    <div class="sections">
      <h1 class="sr-only">${t("nav.understand")}</h1>
      ${SECTIONS.map(([name, Section]) => html`<section key=${name} id=${`understand-${name}`} aria-label=${t(`understand.${name}`)}><${Section} answers=${found} /></section>`)}
    </div>
  </div>`;
}

const SETTLED = 3000; // milliseconds, after which what stands above has its size

/** Show a section, also while those above it get their photos; until the user goes elsewhere. @param {HTMLElement} section */
function keepInView(section) {
  const observer = new ResizeObserver(() => section.scrollIntoView({ block: "start" }));
  const end = () => (observer.disconnect(), clearTimeout(timer), ACTS.forEach((act) => removeEventListener(act, end, true)));
  const timer = setTimeout(end, SETTLED);
  observer.observe(/** @type {Element} */ (section.parentElement)); // which tells its size at once
  for (const act of ACTS) addEventListener(act, end, { capture: true, once: true });
  return end;
}
const ACTS = /** @type {const} */ (["wheel", "pointerdown", "keydown"]);

/** There is nothing to understand yet; why, and what to do. */
function Nothing() {
  const isLooking = Boolean(features.value);
  const isLabelled = (collection.value?.classes.filter((each) => each.photos > 0).length ?? 0) > 1;
  const why = isLooking ? "looking" : isLabelled ? "soon" : "labels";
  return html`<div class="empty"><${Icon} name="understand" size=${32} /><h1>${t(`understand.none.${why}`)}</h1><p>${t(`understand.none.${why}Text`)}</p>
    ${features.value?.seconds_left ? html`<p class="hint number">${t("status.left", { time: duration(features.value.seconds_left) })}</p>` : ""}
    ${why === "labels" ? html`<a class="button primary" href=${href("queue")}>${t("understand.toQueue")}</a>` : html`<span class="spinner" />`}</div>`;
}
