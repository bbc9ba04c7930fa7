// Keys -> what they do. A screen says which of its keys are live; nothing is taken while the user types or a dialog is open.

import { shown } from "./components/dialog.js";
import { signal, useEffect, useRef } from "./ui.js";

/** @typedef {(event: KeyboardEvent) => unknown} Handler false: the key was not meant for this after all */
/** @typedef {Record<string, Handler>} Keys "ctrl+z", "shift+arrowleft", "?", "1"; ctrl is ⌘ on a Mac */

/** Whether single letters do something: may be switched off, for those who speak to their computer. */
export const singleKeys = signal(localStorage.getItem("headstart-single-keys") !== "off");
/** @param {boolean} on */
export function setSingleKeys(on) {
  singleKeys.value = on;
  localStorage.setItem("headstart-single-keys", on ? "on" : "off");
}

/** @type {{ current: Keys }[]} the newest last, and asked first */
const layers = [];

/** @param {KeyboardEvent} event */
export function nameOf(event) {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const isLetter = key.length === 1;
  const shift = event.shiftKey && (!isLetter || event.ctrlKey || event.metaKey); // "?" already says shift
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

/** @param {EventTarget | null} target */
export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type)));

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || shown.value || isTyping(event.target)) return;
  const name = nameOf(event);
  if (name.length === 1 && !singleKeys.value) return;
  // a button that has the focus is pressed by these
  if ((name === "space" || name === "enter") && event.target instanceof Element && event.target.closest("button, a, summary, input, [role=menuitem]")) return;
  for (const layer of [...layers].reverse()) {
    const handler = layer.current[name];
    if (handler && handler(event) !== false) {
      event.preventDefault();
      return;
    }
  }
});

/** Keys that are live as long as the component is there. Those of what was shown last come first. @param {Keys} keys */
export function useKeys(keys) {
  const layer = useRef(keys);
  layer.current = keys;
  useEffect(() => {
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, []);
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
/** "ctrl+z" as it stands on the keyboard. @param {string} name */
export const written = (name) =>
  name
    .split("+")
    .map((part) => ({ ctrl: isMac ? "⌘" : "Ctrl", shift: isMac ? "⇧" : "Shift", alt: isMac ? "⌥" : "Alt", space: "␣", enter: "↵", escape: "Esc",
      arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓" })[part] ?? part.toUpperCase())
    .join(isMac ? "" : "+");
