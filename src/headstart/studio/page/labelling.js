// What the user does to labels: each is one step that can be undone, and says what it did.

import { api } from "./api.js";
import { prompt, confirm } from "./components/dialog.js";
import { chooseClass } from "./components/palette.js";
import { toast } from "./components/toast.js";
import { relabelled } from "./details.js";
import { t } from "./i18n.js";
import { attempt, classNames, classes, labels, showLabels } from "./store.js";

const undoAction = () => ({ label: t("undo"), do: () => void undo() });

/** @param {number[]} ids @param {string | null} label null: exclude @returns {Promise<boolean>} */
export async function setLabel(ids, label) {
  if (!ids.length) return false;
  const found = await attempt(() => api.label(ids, label));
  if (!found) return false;
  relabelled(ids, label);
  showLabels(found);
  const count = ids.length;
  toast(label === null ? t("labels.excluded", { count }) : t("labels.moved", { count, name: label }), { action: undoAction() });
  return true;
}

/** Note that labels are right: they are not doubted any more. @param {number[]} ids */
export async function confirmLabel(ids) {
  const found = await attempt(() => api.confirmLabel(ids));
  if (!found) return;
  showLabels(found);
  toast(t("labels.confirmed", { count: ids.length }), { action: undoAction() });
}

/** What changes labels is sent one after the other, in the order of the user: an undo waits for the answer that it takes
 *  back. @type {Promise<unknown>} */
let last = Promise.resolve();

/** @template T @param {() => Promise<T>} act @returns {Promise<T>} */
export function inOrder(act) {
  const next = last.then(act);
  last = next.catch(() => {}); // told by whoever waits for it
  return next;
}

export const undo = () =>
  inOrder(async () => {
    if (!labels.value?.undo) return;
    const found = await attempt(api.undo);
    if (!found) return;
    showLabels(found);
    toast(t("labels.undone"), { action: { label: t("redo"), do: () => void redo() } });
  });

export const redo = () =>
  inOrder(async () => {
    if (!labels.value?.redo) return;
    const found = await attempt(api.redo);
    if (!found) return;
    showLabels(found);
    toast(t("labels.redone"), { action: undoAction() });
  });

/** @param {string} name @param {string} [own] its name now */
const checkName = (name, own) => {
  if (/[/\\\0]/.test(name) || name.startsWith(".")) return t("class.badName");
  return name !== own && classNames.value.includes(name) ? t("class.exists", { name }) : null;
};

/** @param {number[]} [ids] photos to move into it @returns {Promise<string | null>} its name */
export async function newClass(ids = []) {
  const name = await prompt({ title: t("class.new"), label: t("class.name"), yes: t("class.create"), check: (given) => checkName(given),
    hint: ids.length ? t("class.newHint", { count: ids.length }) : "" });
  if (!name) return null;
  const found = await attempt(() => api.newClass(name));
  if (!found) return null;
  showLabels(found);
  if (ids.length) await setLabel(ids, name);
  return name;
}

/** Ask for the class and move photos into it; it may be a new one. @param {number[]} ids @returns {Promise<string | null>} its name */
export async function moveTo(ids) {
  if (!ids.length) return null;
  const choice = await chooseClass({ title: t("labels.moveTitle", { count: ids.length }) });
  if (!choice) return null;
  if (choice.isNew) {
    const fault = checkName(choice.name);
    if (fault) return toast(fault, { kind: "bad" }), null;
    const found = await attempt(() => api.newClass(choice.name));
    if (!found) return null;
    showLabels(found);
  }
  return (await setLabel(ids, choice.name)) ? choice.name : null;
}

/** @param {string} name */
export async function renameClass(name) {
  const photos = classes.value.find((each) => each.name === name)?.photos ?? 0;
  const given = await prompt({ title: t("class.rename"), label: t("class.name"), value: name, yes: t("class.renameYes"),
    check: (value) => checkName(value, name), hint: t("class.renameHint", { count: photos }) });
  if (!given || given === name) return;
  const found = await attempt(() => api.renameClass(name, given));
  if (!found) return;
  showLabels(found);
  toast(t("class.renamed", { name, given }), { action: undoAction() });
}

/** @param {string} name */
export async function mergeClass(name) {
  const choice = await chooseClass({ title: t("class.mergeInto", { name }), without: [name], mayBeNew: false });
  if (!choice) return;
  const into = choice.name;
  const photos = classes.value.find((each) => each.name === name)?.photos ?? 0;
  if (!(await confirm({ title: t("class.merge"), text: t("class.mergeText", { count: photos, name, into }), yes: t("class.mergeYes") }))) return;
  const found = await attempt(() => api.mergeClasses([name], into));
  if (!found) return;
  showLabels(found);
  toast(t("class.merged", { name, into }), { action: undoAction() });
}
