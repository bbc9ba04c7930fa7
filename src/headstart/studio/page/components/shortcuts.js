// The list of keys.

import { html } from "../ui.js";
import { t } from "../i18n.js";
import { setSingleKeys, singleKeys, written } from "../keyboard.js";
import { Dialog, open } from "./dialog.js";

const GROUPS = {
  everywhere: [["alt+1", "alt+6"], ["ctrl+z"], ["ctrl+shift+z"], ["?"]],
  photos: [["arrowleft", "arrowright"], ["shift+arrowright"], ["ctrl+a"], ["escape"], ["enter"], ["1", "9"], ["l"], ["n"], ["x"], ["m"], ["/"]],
  queue: [["y"], ["n"], ["s"], ["1", "9"], ["enter"]],
};
const NAMES = ["screens", "undo", "redo", "help", "move", "extend", "all", "none", "open", "class", "label", "newClass", "exclude", "like", "search",
  "yes", "no", "skip", "otherClass", "look"];

/** @param {{ done: () => void }} props */
function Shortcuts({ done }) {
  let index = 0;
  return html`<${Dialog} title=${t("keys.title")} done=${done} width="wide">
    <div class="shortcuts">
      ${Object.entries(GROUPS).map(
        ([group, rows]) => html`<section><h3>${t(`keys.${group}`)}</h3><dl>
          ${rows.map((keys) => html`<div><dt>${t(`keys.${NAMES[index++]}`)}</dt>
            <dd>${keys.map((key, at) => html`${at > 0 && " – "}<kbd>${written(key)}</kbd>`)}</dd></div>`)}
        </dl></section>`,
      )}
    </div>
    <label class="check"><input type="checkbox" checked=${singleKeys.value} onChange=${(/** @type {any} */ event) => setSingleKeys(event.target.checked)} /> ${t("keys.single")}</label>
  <//>`;
}
export const showShortcuts = () => open(Shortcuts);
