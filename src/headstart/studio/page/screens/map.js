// To come.

import { html } from "../ui.js";
import { t } from "../i18n.js";

export default function Screen() {
  return html`<div class="empty"><p>${t("loading")}</p></div>`;
}
