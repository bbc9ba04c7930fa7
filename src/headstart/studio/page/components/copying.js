// Text to be copied: shown, and a button that copies it.

import { t } from "../i18n.js";
import { html, useState } from "../ui.js";
import { Icon } from "./icon.js";

/** @param {{ text: string, label: string }} props */
export function Copyable({ text, label }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return html`<div class="copyable"><pre tabindex="0" aria-label=${label}><code>${text}</code></pre>
    <button type="button" class="quiet" onClick=${copy}><${Icon} name=${isCopied ? "check" : "copies"} size=${16} /> ${isCopied ? t("copied") : t("copy")}</button></div>`;
}
