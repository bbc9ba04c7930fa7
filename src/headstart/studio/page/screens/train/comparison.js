// Two runs, photo by photo, on the held-out photos that both have.

import { api, thumbnailUrl } from "../../api.js";
import { ShareText, Whisker } from "../../components/figures.js";
import { Icon } from "../../components/icon.js";
import { useLoaded } from "../../components/loaded.js";
import { number, t } from "../../i18n.js";
import { comparisonText, pValue } from "../../results.js";
import { href } from "../../router.js";
import { generation } from "../../store.js";
import { html } from "../../ui.js";

const SHOWN = 12;

/** @param {{ first: string, second: string }} props */
export function Comparison({ first, second }) {
  const { value: found, problem, isLoading } = useLoaded(() => api.compareRuns(first, second), [first, second]);
  return html`<p><a href=${href("train")} class="back"><${Icon} name="left" size=${16} /> ${t("compare.back")}</a></p>
    <h1>${t("compare.title")}</h1>
    ${isLoading && html`<p><span class="spinner" /></p>`}
    ${problem && html`<div class="notice bad"><${Icon} name="alert" /><p>${problem.message}</p></div>`}
    ${found && html`<${Result} found=${found} first=${first} second=${second} />`}`;
}

/** @param {{ found: any, first: string, second: string }} props */
function Result({ found, first, second }) {
  const total = found.both_right + found.only_a + found.only_b + found.neither;
  return html`<p class="lead">${comparisonText(found, first, second)}</p>
    <p class="quiet">${t("compare.on", { count: total })} ${pValue(found.p)} (McNemar).</p>
    ${found.a && html`<dl class="two-shares"><div><dt>${first}</dt><dd><${Whisker} share=${found.a} /><${ShareText} share=${found.a} /></dd></div>
      <div><dt>${second}</dt><dd><${Whisker} share=${found.b} /><${ShareText} share=${found.b} /></dd></div></dl>`}
    <table class="two-by-two"><caption class="sr-only">${t("compare.caption")}</caption>
      <thead><tr><td></td><th scope="col">${t("compare.right", { name: second })}</th><th scope="col">${t("compare.wrong", { name: second })}</th></tr></thead>
      <tbody><tr><th scope="row">${t("compare.right", { name: first })}</th><td>${number(found.both_right)}</td><td class="differs">${number(found.only_a)}</td></tr>
        <tr><th scope="row">${t("compare.wrong", { name: first })}</th><td class="differs">${number(found.only_b)}</td><td>${number(found.neither)}</td></tr></tbody></table>
    <${Only} title=${t("compare.only", { name: first })} ids=${found.ids_only_a ?? []} />
    <${Only} title=${t("compare.only", { name: second })} ids=${found.ids_only_b ?? []} />`;
}

/** @param {{ title: string, ids: number[] }} props */
function Only({ title, ids }) {
  if (!ids.length) return null;
  return html`<section><h2>${title} <span class="quiet number">${number(ids.length)}</span></h2>
    <ul class="thumbnails plain">${ids.slice(0, SHOWN).map((id) => html`<li key=${id}><img src=${thumbnailUrl(generation.value, id)} alt=${t("compare.photo")} loading="lazy" /></li>`)}</ul>
    <a href=${href("photos", { ids: ids.join() })}>${t("compare.show", { count: ids.length })}</a></section>`;
}
