// A button that opens a menu: arrows move, letters find, Escape closes, the focus returns.

import { listenOutside } from "../listening.js";
import { html, useEffect, useId, useRef, useState } from "../ui.js";
import { Icon } from "./icon.js";

/**
 * @typedef {{ label: string, do?: () => void, icon?: string, checked?: boolean, hint?: string, danger?: boolean, disabled?: boolean } | "line" | { heading: string }} Entry
 */

/** @param {{ label: string, entries: Entry[] | (() => Entry[]), children?: any, button?: string, align?: "start" | "end" }} props */
export function Menu({ label, entries, children, button = "icon-button", align = "end" }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const items = () => /** @type {HTMLElement[]} */ ([...(list.current?.querySelectorAll("[role^=menuitem]:not([aria-disabled=true])") ?? [])]);
  const close = (refocus = true) => {
    setOpen(false);
    if (refocus) root.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    place(/** @type {HTMLElement} */ (root.current), /** @type {HTMLElement} */ (list.current), align);
    (items().find((each) => each.ariaChecked === "true") ?? items()[0])?.focus();
    return listenOutside(root, () => close(false));
  }, [isOpen]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const all = items();
    const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: (now + 1) % all.length, ArrowUp: (now - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key] ??
      (event.key.length === 1 && event.key !== " " ? all.findIndex((each, index) => index > now && each.innerText.trim().toLowerCase().startsWith(event.key.toLowerCase())) : -1);
    if (event.key === "Escape" || event.key === "Tab") close(event.key === "Escape");
    else if (to >= 0) all[to].focus();
    if (event.key !== "Tab" && event.key !== "Enter" && event.key !== " ") event.preventDefault();
    event.stopPropagation();
  };
  const shown = isOpen ? (typeof entries === "function" ? entries() : entries) : [];
  return html`<div class="menu-root" ref=${root}>
    <button type="button" class=${button} aria-label=${label} title=${label} aria-haspopup="menu" aria-expanded=${isOpen} aria-controls=${isOpen ? id : undefined}
      onClick=${() => setOpen(!isOpen)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "ArrowDown" && !isOpen && (event.preventDefault(), setOpen(true))}>
      ${children ?? html`<${Icon} name="more" />`}</button>
    ${isOpen &&
    html`<div class="menu" role="menu" id=${id} aria-label=${label} ref=${list} onKeyDown=${onKeyDown}>
      ${shown.map((entry) => {
        if (entry === "line") return html`<hr />`;
        if ("heading" in entry) return html`<p class="menu-heading">${entry.heading}</p>`;
        const isChoice = entry.checked !== undefined;
        return html`<div role=${isChoice ? "menuitemradio" : "menuitem"} aria-checked=${isChoice ? String(entry.checked) : undefined} aria-disabled=${entry.disabled ? "true" : undefined}
          tabindex="-1" class=${`menu-item ${entry.danger ? "danger" : ""}`}
          onClick=${() => entry.disabled || (close(), entry.do?.())}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), event.stopPropagation(), entry.disabled || (close(), entry.do?.()))}>
          ${isChoice ? html`<span class="tick">${entry.checked && html`<${Icon} name="check" size=${16} />`}</span>` : entry.icon && html`<${Icon} name=${entry.icon} size=${18} />`}
          <span>${entry.label}</span>${entry.hint && html`<kbd>${entry.hint}</kbd>`}</div>`;
      })}
    </div>`}
  </div>`;
}

/** Keep the menu on the screen. @param {HTMLElement} root @param {HTMLElement} list @param {"start" | "end"} align */
function place(root, list, align) {
  const anchor = root.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const left = align === "end" ? anchor.right - width : anchor.left;
  const below = anchor.bottom + 6 + height <= innerHeight || anchor.top < height;
  list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  list.style.top = `${below ? Math.min(anchor.bottom + 6, Math.max(8, innerHeight - height - 8)) : anchor.top - height - 6}px`;
  list.style.visibility = "visible";
}
