// Classes, what needs a look, and findings, with their counts: what the grid shows, and where photos can be dropped.

import { html, useState } from "../ui.js";
import { has, number, percent, t } from "../i18n.js";
import { mergeClass, newClass, renameClass } from "../labelling.js";
import { changed, findingTitle } from "../query.js";
import { go, href } from "../router.js";
import { answers, classes, collection, labels } from "../store.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";

const MANY = 12; // classes, from which on they can be searched

/** @param {{ params: URLSearchParams }} props */
export function Sidebar({ params }) {
  const [text, setText] = useState("");
  const found = collection.value;
  if (!found) return null;
  const shown = classes.value.filter((each) => each.name.toLocaleLowerCase().includes(text.toLocaleLowerCase()));
  const largest = Math.max(1, ...classes.value.map((each) => each.photos));
  const isAll = !["class", "split", "finding", "right", "cell", "confidence", "changed", "unlabelled", "excluded", "text", "ids", "like"].some((name) => params.has(name));
  const wrong = answers.value?.accuracy?.count ? answers.value.accuracy.count - answers.value.accuracy.correct : 0;
  return html`<aside class="sidebar" aria-label=${t("sidebar")}>
    <nav>
      <ul class="plain">
        <${Row} to=${href("photos")} name=${t("photos.all")} count=${Math.max(0, found.photos - found.excluded - found.unreadable_count)} isCurrent=${isAll} />
      </ul>
      <div class="title"><h2>${t("classes")}</h2>
        <button class="icon-button small" aria-label=${t("class.new")} title=${t("class.new")} onClick=${() => newClass()}><${Icon} name="add" size=${18} /></button></div>
      ${classes.value.length > MANY && html`<input class="wide search" type="search" placeholder=${t("classes.search")} aria-label=${t("classes.search")} value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />`}
      <ul class="plain classes">${shown.map((each) => html`<${ClassRow} key=${each.name} ...${each} largest=${largest} params=${params} />`)}</ul>
      ${!classes.value.length && html`<p class="hint pad">${t("classes.none")}</p>`}
      <div class="title"><h2>${t("sidebar.state")}</h2></div>
      <ul class="plain">
        ${(found.unlabelled > 0) && html`<${Row} to=${href("photos", { unlabelled: true })} name=${t("filter.unlabelled")} count=${found.unlabelled} isCurrent=${params.has("unlabelled")} />`}
        ${wrong > 0 && html`<${Row} to=${href("photos", { right: false, sort: "doubt" })} name=${t("sidebar.wrong")} count=${wrong} isCurrent=${params.get("right") === "false"} mark="wrong" />`}
        <${Row} to=${href("photos", { changed: true })} name=${t("filter.changed")} count=${labels.value?.changed ?? 0} isCurrent=${params.has("changed")} mark="changed" />
        <${Row} to=${href("photos", { excluded: true })} name=${t("filter.excluded")} count=${found.excluded} isCurrent=${params.has("excluded")} drop="" mark="excluded" />
      </ul>
      ${found.findings?.length > 0 && html`<div class="title"><h2>${t("findings")}</h2></div>
      <ul class="plain">${found.findings.map((each) => html`<${Row} key=${each.kind} to=${href("photos", { finding: each.kind, sort: "name" })} name=${findingTitle(each.kind, each.title)} hint=${has(`finding.${each.kind}.text`) ? t(`finding.${each.kind}.text`) : each.text} count=${each.photos} isCurrent=${params.get("finding") === each.kind} />`)}</ul>`}
      ${found.unreadable_count > 0 && html`<details class="unreadable"><summary>${t("unreadable", { count: found.unreadable_count })}</summary>
        <ul class="plain">${found.unreadable.map((each) => html`<li><strong>${each.path}</strong><br />${t("unreadable.reason", { reason: each.reason })}</li>`)}</ul></details>`}
    </nav>
  </aside>`;
}

/** @param {{ to: string, name: string, count: number, isCurrent: boolean, drop?: string, hint?: string, mark?: string }} props */
function Row({ to, name, count, isCurrent, drop, hint, mark }) {
  return html`<li class=${`row ${isCurrent ? "current" : ""}`} data-drop=${drop}>
    <a href=${to} aria-current=${isCurrent ? "true" : undefined} title=${hint}>${mark && html`<span class=${`dot ${mark}`} />`}<span class="ellipsis">${name}</span><span class="count">${number(count)}</span></a></li>`;
}

/** @param {{ name: string, photos: number, train?: number, validation?: number, test?: number, largest: number, params: URLSearchParams }} props */
function ClassRow({ name, photos, train, validation, test, largest, params }) {
  const key = classes.value.findIndex((each) => each.name === name) + 1;
  const chosen = params.getAll("class");
  const isCurrent = chosen.includes(name);
  const recall = answers.value?.per_class?.find((/** @type {any} */ each) => each.name === name)?.recall;
  const splits = [["train", train], ["validation", validation], ["test", test]].filter(([, count]) => count).map(([split, count]) => `${t(`split.${split}`)}: ${number(Number(count))}`);
  const onClick = (/** @type {MouseEvent} */ event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
    event.preventDefault(); // one more, or one less
    go("photos", changed(params, { class: isCurrent ? chosen.filter((each) => each !== name) : [...chosen, name] }));
  };
  return html`<li class=${`row class ${isCurrent ? "current" : ""}`} data-drop=${`class:${name}`}>
    <a href=${href("photos", { class: name })} aria-current=${isCurrent ? "true" : undefined} title=${[...splits, recall && `${t("class.recall")}: ${percent(recall.value)}`].filter(Boolean).join("\n")} onClick=${onClick}>
      <span class="key" aria-hidden="true">${key <= 9 ? key : ""}</span><span class="ellipsis">${name}</span><span class="count">${number(photos)}</span>
      <span class="share" aria-hidden="true"><span style=${{ width: `${(100 * photos) / largest}%` }} /></span></a>
    <${Menu} label=${t("class.menu", { name })} button="icon-button small" entries=${() => [
      { label: t("class.rename"), icon: "edit", do: () => renameClass(name) },
      { label: t("class.mergeMenu"), icon: "merge", do: () => mergeClass(name), disabled: classes.value.length < 2 },
      { label: t("class.addPhotos"), icon: "add", do: () => go("add", { class: name }) },
    ]} /></li>`;
}
