// Dialogs: one at a time, over the page. They are the browser's own <dialog>: focus stays inside, Escape closes.

import { html, signal, useEffect, useId, useLayoutEffect, useRef } from "../ui.js";
import { t } from "../i18n.js";
import { Icon } from "./icon.js";

/** What is shown: a component and what it gets. @type {import("../ui.js").Signal<{ component: any, props: any } | null>} */
export const shown = signal(/** @type {{ component: any, props: any } | null} */ (null));

/**
 * Open a dialog. The component gets `done(value)`, which closes it.
 * @template T @param {any} component @param {Record<string, unknown>} [props]
 * @returns {Promise<T | null>} what `done` was given; null: dismissed
 */
export function open(component, props = {}) {
  shown.value?.props.done(null);
  return new Promise((resolve) => {
    const done = (/** @type {T | null} */ value = null) => {
      if (shown.value?.props.done === done) shown.value = null;
      resolve(value);
    };
    shown.value = { component, props: { ...props, done } };
  });
}

/**
 * The frame of a dialog.
 * @param {{ title: string, done: (value?: any) => void, children?: any, actions?: any, width?: "small" | "wide",
 *           onSubmit?: () => void }} props
 */
export function Dialog({ title, done, children, actions, width = "small", onSubmit }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const [opener, dialog] = [document.activeElement, /** @type {HTMLDialogElement} */ (ref.current)];
    dialog.showModal();
    return () => {
      dialog.close(); // what is outside can have the focus again
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return html`<dialog ref=${ref} class=${`dialog ${width}`} aria-labelledby=${id}
    onCancel=${(/** @type {Event} */ event) => (event.preventDefault(), done(null))}
    onPointerDown=${(/** @type {Event} */ event) => event.target === ref.current && done(null)}>
    <form method="dialog" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), onSubmit?.())}>
      <header>
        <h2 id=${id}>${title}</h2>
        <button type="button" class="icon-button" aria-label=${t("close")} onClick=${() => done(null)}><${Icon} name="close" /></button>
      </header>
      <div class="content">${children}</div>
      ${actions && html`<footer>${actions}</footer>`}
    </form>
  </dialog>`;
}

export function Dialogs() {
  const { component, props } = shown.value ?? {};
  return component ? html`<${component} key=${props.done} ...${props} />` : null;
}

/** @param {{ title: string, text: any, yes: string, danger?: boolean, done: (value?: boolean) => void }} props */
function Confirm({ title, text, yes, danger, done }) {
  return html`<${Dialog} title=${title} done=${done} onSubmit=${() => done(true)}
    actions=${html`<button type="button" onClick=${() => done(false)}>${t("cancel")}</button>
      <button class=${danger ? "danger" : "primary"} autofocus>${yes}</button>`}><p>${text}</p><//>`;
}
/** @param {{ title: string, text: any, yes: string, danger?: boolean }} question @returns {Promise<boolean>} */
export const confirm = async (question) => (await open(Confirm, question)) === true;

/** @param {{ title: string, label: string, value?: string, yes: string, hint?: string, check?: (value: string) => string | null, done: (value?: string) => void }} props */
function Prompt({ title, label, value = "", yes, hint, check, done }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const text = useRef(value);
  const problem = useRef(/** @type {HTMLParagraphElement | null} */ (null));
  const id = useId();
  useEffect(() => input.current?.select(), []);
  const submit = () => {
    const given = text.current.trim();
    const fault = given ? (check?.(given) ?? null) : t("prompt.empty");
    if (problem.current) problem.current.textContent = fault ?? "";
    if (!fault) done(given);
  };
  return html`<${Dialog} title=${title} done=${done} onSubmit=${submit}
    actions=${html`<button type="button" onClick=${() => done()}>${t("cancel")}</button><button class="primary">${yes}</button>`}>
    <label for=${id}>${label}</label>
    <input id=${id} ref=${input} class="wide" value=${value} autocomplete="off" spellcheck="false" maxlength="200" autofocus
      aria-describedby=${`${id}-more`} onInput=${(/** @type {any} */ event) => (text.current = event.target.value)} />
    <p id=${`${id}-more`} class="hint">${hint}</p>
    <p class="problem" role="alert" ref=${problem}></p>
  <//>`;
}
/** @param {{ title: string, label: string, value?: string, yes: string, hint?: string, check?: (value: string) => string | null }} question
 *  @returns {Promise<string | null>} */
export const prompt = (question) => open(Prompt, question);
