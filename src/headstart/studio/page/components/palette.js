// Choosing a class by name: type, arrows, Enter. A name that is new becomes a class.

import { html, useEffect, useId, useRef, useState } from "../ui.js";
import { t } from "../i18n.js";
import { classes } from "../store.js";
import { Dialog, open } from "./dialog.js";
import { Icon } from "./icon.js";

/** @typedef {{ name: string, isNew: boolean }} Choice */

/** @param {{ title: string, without?: string[], mayBeNew?: boolean, done: (value?: Choice) => void }} props */
function Palette({ title, without = [], mayBeNew = true, done }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const id = useId();
  const wanted = text.trim().toLocaleLowerCase();
  const offered = classes.value.filter((each) => !without.includes(each.name));
  /** @type {(Choice & { count?: number, key?: number })[]} */
  const found = offered
    .map((each) => ({ name: each.name, isNew: false, count: each.photos, key: classes.value.indexOf(each) + 1 }))
    .filter((each) => each.name.toLocaleLowerCase().includes(wanted))
    .sort((a, b) => Number(b.name.toLocaleLowerCase().startsWith(wanted)) - Number(a.name.toLocaleLowerCase().startsWith(wanted)));
  if (mayBeNew && wanted && !classes.value.some((each) => each.name.toLocaleLowerCase() === wanted)) found.push({ name: text.trim(), isNew: true });
  const chosen = Math.min(at, found.length - 1);
  useEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: "nearest" }), [chosen]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    setAt((chosen + step + found.length) % found.length);
  };
  return html`<${Dialog} title=${title} done=${done} onSubmit=${() => found[chosen] && done(found[chosen])}>
    <input class="wide" type="text" autofocus placeholder=${t(mayBeNew ? "palette.hintNew" : "palette.hint")} aria-label=${t("class.name")} role="combobox" aria-expanded="true"
      aria-controls=${id} aria-activedescendant=${`${id}-${chosen}`} autocomplete="off" spellcheck="false" value=${text}
      onInput=${(/** @type {any} */ event) => (setText(event.target.value), setAt(0))} onKeyDown=${onKeyDown} />
    <ul class="plain palette" role="listbox" id=${id} aria-label=${t("classes")} ref=${list}>
      ${found.map((each, index) => html`<li key=${`${each.name} ${each.isNew}`} id=${`${id}-${index}`} role="option" aria-selected=${index === chosen} onClick=${() => done(each)} onPointerMove=${() => index !== at && setAt(index)}>
        ${each.isNew ? html`<${Icon} name="add" size=${18} /><span>${t("palette.create", { name: each.name })}</span>`
          : html`<span class="ellipsis">${each.name}</span><span class="count">${each.count?.toLocaleString()}</span>${/** @type {number} */ (each.key) <= 9 && html`<kbd>${each.key}</kbd>`}`}
      </li>`)}
    </ul>
  <//>`;
}
/** @param {{ title: string, without?: string[], mayBeNew?: boolean }} question @returns {Promise<Choice | null>} */
export const chooseClass = (question) => open(Palette, question);
