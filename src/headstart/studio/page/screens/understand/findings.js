// What inspection found in the collection. Each finding opens its photos.

import { Icon } from "../../components/icon.js";
import { has, number, t } from "../../i18n.js";
import { href } from "../../router.js";
import { collection } from "../../store.js";
import { html } from "../../ui.js";

export function Findings() {
  const found = collection.value?.findings ?? [];
  const shown = found.filter((finding) => finding.photos > 0);
  return html`<h2>${t("understand.findings")}</h2>
    ${shown.length === 0 && html`<p class="quiet">${t("findings.none")}</p>`}
    <ul class="findings plain">${shown.map((finding) => html`<li key=${finding.kind} class="card">
      <p class="tally number">${number(finding.photos)}</p>
      <div><h3>${words(finding.kind, "title", finding.title)}</h3><p class="quiet">${words(finding.kind, "text", finding.text)}</p>
        <a href=${href("photos", { finding: finding.kind })}>${t("findings.show")} <${Icon} name="right" size=${14} /></a></div></li>`)}</ul>`;
}

/** In the user's language where there are words for it. @param {string} kind @param {string} part @param {string} own */
const words = (kind, part, own) => (has(`finding.${kind}.${part}`) ? t(`finding.${kind}.${part}`) : own);
