// Photos that are dropped, pasted or chosen -> what the classifier says of each, and what that is based on.

import { ask } from "../../api.js";
import { Probabilities } from "../../components/figures.js";
import { Icon } from "../../components/icon.js";
import { Nearest } from "../../components/nearest.js";
import { MapToggle, PhotoWithMap } from "../../components/photo.js";
import { photosIn, photosOf } from "../../dropping.js";
import { isTyping } from "../../keyboard.js";
import { duration, t } from "../../i18n.js";
import { classNames } from "../../store.js";
import { listen, listenToDrops } from "../../listening.js";
import { html, useEffect, useRef, useState } from "../../ui.js";
import { Headline, kindOf, rowsOf } from "./said.js";

/** @import { Said } from "./said.js" */
/** @typedef {{ key: number, name: string, url: string, said: Said | null, problem: string | null }} Tried */

const AT_ONCE = 2;
const KEPT = 60;
const CLASSES = 5;
let last = 0;

/** @param {{ run: { name: string } | null }} props */
export function Photos({ run }) {
  const [tried, setTried] = useState(/** @type {Tried[]} */ ([]));
  const [isOver, setOver] = useState(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const waiting = useRef(/** @type {{ key: number, file: File }[]} */ ([]));
  const busy = useRef(0);
  const which = useRef(run);
  which.current = run;

  const next = async () => {
    while (busy.current < AT_ONCE && waiting.current.length) {
      const { key, file } = /** @type {{ key: number, file: File }} */ (waiting.current.shift());
      busy.current++;
      tryPhoto(file, which.current?.name)
        .then((said) => update(key, { said }), (error) => update(key, { problem: error.message }))
        .finally(() => (busy.current--, next()));
    }
  };
  const update = (/** @type {number} */ key, /** @type {Partial<Tried>} */ some) => setTried((known) => known.map((each) => (each.key === key ? { ...each, ...some } : each)));
  const add = (/** @type {File[]} */ files) => {
    const fresh = files.map((file) => ({ key: ++last, name: file.name || t("try.pasted"), url: URL.createObjectURL(file), said: null, problem: null, file }));
    waiting.current.push(...fresh.map(({ key, file }) => ({ key, file })));
    setTried((known) => {
      const all = [...fresh, ...known];
      for (const gone of all.slice(KEPT)) URL.revokeObjectURL(gone.url);
      return all.slice(0, KEPT);
    });
    next();
  };
  useEffect(() => listenToDrops(setOver, async (dropped) => add((await photosIn(dropped)).photos.map((each) => each.file))), []);
  useEffect(() => {
    const paste = (/** @type {ClipboardEvent} */ event) => !isTyping(event.target) && event.clipboardData?.files.length && add([...event.clipboardData.files]);
    return listen({ paste });
  }, []);
  return html`<div class=${`drop-zone ${isOver ? "over" : ""} ${tried.length ? "small" : ""}`}>
      <${Icon} name="photos" size=${28} /><p>${t("try.drop")}</p>
      <button type="button" class=${tried.length ? "" : "primary"} onClick=${() => input.current?.click()}>${t("try.choose")}</button>
      <input ref=${input} type="file" accept="image/*" multiple hidden onChange=${(/** @type {any} */ event) => (add(photosOf(event.target.files).map((each) => each.file)), (event.target.value = ""))} />
      <p class="hint">${t("try.notKept")}</p></div>
    <ul class="tried plain" aria-live="polite">${tried.map((each) => html`<${Card} key=${each.key} tried=${each} />`)}</ul>`;
}

/** @param {File} file @param {string | undefined} run @returns {Promise<Said>} */
async function tryPhoto(file, run) {
  const query = run ? `?${new URLSearchParams({ run })}` : "";
  return (await ask(`api/try${query}`, { body: file, headers: { "Content-Type": file.type || "application/octet-stream" } })).json();
}

/** @param {{ tried: Tried }} props */
function Card({ tried: { name, url, said, problem } }) {
  const [isOn, setOn] = useState(false);
  const [isShown, setShown] = useState(true); // browsers cannot show every photo that headstart reads
  return html`<li class=${`card try-card ${said ? kindOf(said) : ""}`}>
    <div class="framed" onErrorCapture=${() => setShown(false)}>${isShown && html`<${PhotoWithMap} src=${url} alt=${name} overlay=${said?.overlay} places=${said?.map} isOn=${isOn} />`}
      ${isShown && said && (said.overlay || said.map) && html`<${MapToggle} isOn=${isOn} set=${setOn} />`}</div>
    <div class="words"><p class="hint ellipsis" title=${name}>${name}</p>
      ${!said && !problem && html`<p><span class="spinner small" /> ${t("try.looking")}</p>`}
      ${problem && html`<p class="problem">${problem}</p>`}
      ${said && html`<${Headline} said=${said} />
        <${Probabilities} rows=${rowsOf(said, classNames.value, CLASSES)} kind=${kindOf(said)} />
        <${Nearest} nearest=${said.nearest ?? []} isLoading=${false} />
        ${said.milliseconds !== undefined && html`<p class="hint number">${t("try.time", { time: duration(said.milliseconds / 1000) })}</p>`}`}
    </div></li>`;
}
