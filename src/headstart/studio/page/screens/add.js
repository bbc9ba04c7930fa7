// Add photos: drop folders and files, or take pictures with the camera, into a class.

import { Icon } from "../components/icon.js";
import { number, t } from "../i18n.js";
import { newClass } from "../labelling.js";
import { go, href } from "../router.js";
import { classes, collection } from "../store.js";
import { html } from "../ui.js";
import { Camera } from "./add/camera.js";
import { Files } from "./add/files.js";

/** @param {{ params: URLSearchParams, rest: string[] }} props */
export default function Add({ params, rest }) {
  const known = classes.value.map((each) => each.name);
  const isCamera = rest[0] === "camera";
  const into = params.get("class") ?? "";
  const chosen = known.includes(into) ? into : isCamera ? (known[0] ?? "") : "";
  const choose = (/** @type {string} */ name) => go(isCamera ? "add/camera" : "add", name ? { class: name } : {}, { replace: true });
  const create = async () => {
    const name = await newClass();
    if (name) choose(name);
  };
  return html`<div class="page add">
    <h1>${t("add.title", { name: collection.value?.name ?? "" })}</h1>
    <p class="quiet">${t("add.lead")}</p>
    <nav class="segments" aria-label=${t("add.ways")}>
      <a href=${href("add", { class: chosen || null })} aria-current=${isCamera ? undefined : "page"}><${Icon} name="file" size=${18} /> ${t("add.files")}</a>
      <a href=${href("add/camera", { class: chosen || null })} aria-current=${isCamera ? "page" : undefined}><${Icon} name="camera" size=${18} /> ${t("add.camera")}</a></nav>
    <fieldset class="into"><legend>${t("add.into")}</legend>
      ${!isCamera && html`<label class="pick"><input type="radio" name="into" checked=${chosen === ""} onChange=${() => choose("")} /><span>${t("add.byFolder")}</span></label>`}
      ${classes.value.map((each) => html`<label key=${each.name} class="pick"><input type="radio" name="into" checked=${chosen === each.name} onChange=${() => choose(each.name)} /><span>${each.name} <span class="hint number">${number(each.photos)}</span></span></label>`)}
      <button type="button" class="quiet" onClick=${create}><${Icon} name="add" size=${16} /> ${t("class.new")}</button></fieldset>
    ${isCamera ? html`<${Camera} into=${chosen} key="camera" />` : html`<${Files} into=${chosen} key="files" />`}
  </div>`;
}
