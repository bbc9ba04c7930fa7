// Loss and accuracy after each epoch, drawn by uPlot as they come. The colours are those of the page.

import { number, percent, t } from "../../i18n.js";
import { theme } from "../../store.js";
import { html, useEffect, useRef } from "../../ui.js";
import uPlot from "../../vendor/uPlot.js";

const HEIGHT = 200;

/**
 * @param {{ epochs: Record<string, any>[], head?: Record<string, any> }} props head: before the first epoch. What it scores on the
 * training photos is left out: it saw them as they are, fine-tuning sees them turned and recoloured.
 */
export function Curves({ epochs, head }) {
  const last = epochs.at(-1);
  const rows = [...(head ? [{ ...head, accuracy: null, loss: null, epoch: (epochs[0]?.epoch ?? 1) - 1 }] : []), ...epochs];
  const x = rows.map((each) => each.epoch);
  return html`<div class="curves">
    <${Plot} label=${t("curves.accuracy")} x=${x} training=${rows.map((each) => each.accuracy)} held=${rows.map((each) => each.val_accuracy)} write=${(/** @type {number} */ value) => percent(value, 1)} />
    <${Plot} label=${t("curves.loss")} x=${x} training=${rows.map((each) => each.loss)} held=${rows.map((each) => each.val_loss)} write=${(/** @type {number} */ value) => number(value, 3)} />
    <p class="keys hint"><span class="swatch line-training" /> ${t("curves.training")} <span class="swatch line-held" /> ${t("curves.held")}</p>
    ${last && html`<p class="sr-only" role="status">${t("curves.spoken", { epoch: last.epoch, accuracy: percent(last.val_accuracy), loss: number(last.val_loss, 3) })}</p>`}
  </div>`;
}

/** @param {{ label: string, x: number[], training: (number | null)[], held: number[], write: (value: number) => string }} props */
function Plot({ label, x, training, held, write }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  useEffect(() => {
    if (!place.current) return;
    const element = place.current;
    const style = getComputedStyle(element);
    const colour = (/** @type {string} */ name) => resolved(element, style.getPropertyValue(name));
    const axis = { stroke: colour("--ink-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter, system-ui, sans-serif" };
    plot.current = new uPlot({
      width: element.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { drag: { x: false, y: false } }, scales: { x: { time: false } },
      axes: [{ ...axis, size: 28, incrs: [1, 2, 5, 10, 20, 50] }, { ...axis, size: 58, values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map(write) }],
      series: [{}, { stroke: colour("--ink-3"), width: 1.5, dash: [4, 4], points: { show: x.length < 20, size: 4 } }, { stroke: colour("--accent"), width: 2, points: { show: x.length < 40, size: 6 } }],
    }, [x, training, held], element);
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => (observer.disconnect(), plot.current?.destroy());
  }, [theme.value]);
  useEffect(() => plot.current?.setData([x, training, held]), [x.length]);
  return html`<figure class="plot"><figcaption>${label}</figcaption><div ref=${place} aria-hidden="true" /></figure>`;
}

/** A colour as the canvas takes it: light-dark() and others are worked out. @param {HTMLElement} element @param {string} colour */
function resolved(element, colour) {
  const probe = document.createElement("span");
  probe.style.color = colour;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
