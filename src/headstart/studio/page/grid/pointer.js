// Mouse, pen and finger on a grid: click, shift, lasso, dragging to a class, a long press.
// A drag that begins on a photo carries it (all that are selected, if it is); one that begins between the photos, or with
// shift or ctrl held, is a lasso. A finger scrolls; it selects by a long press, and then by taps.

/** @import { Grid } from "./grid.js" */

const MOVED = 5; // pixels, from which on a press is a drag
const LONG = 450; // milliseconds
const EDGE = 48; // pixels from the edge of the grid, within which a lasso scrolls it

/** @param {Grid} grid @param {AbortSignal} signal */
export function watchPointer(grid, signal) {
  const { element } = grid;
  element.addEventListener("pointerdown", (event) => event.button === 0 && press(grid, event), { signal });
  element.addEventListener("dblclick", (event) => {
    const index = indexOf(event.target);
    if (index !== null) grid.served.open(index);
  }, { signal });
  element.addEventListener("contextmenu", (event) => event.pointerType === "touch" && event.preventDefault(), { signal });
}

/** @param {EventTarget | null} target @returns {number | null} */
function indexOf(target) {
  const cell = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".cell")) : null;
  return cell ? Number(cell.dataset.index) : null;
}

/** @param {Grid} grid @param {PointerEvent} start */
function press(grid, start) {
  const index = indexOf(start.target);
  const isOnTick = start.target instanceof Element && start.target.matches(".tick");
  const isOnPhoto = index !== null && (isOnTick || (start.target instanceof Element && start.target.matches("img, .caption")) || grid.options.crop);
  const isHeading = start.target instanceof Element && start.target.closest(".heading");
  if (start.pointerType === "touch") return touch(grid, start, index, isOnTick);
  if (start.offsetX >= grid.element.clientWidth && start.target === grid.element) return; // the scrollbar
  const held = start.shiftKey || start.ctrlKey || start.metaKey;
  /** @type {{ move: (event: PointerEvent) => void, end: (event: PointerEvent | null) => void } | null} */
  let drag = null;
  follow(start, {
    move(event) {
      if (!drag && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < MOVED) return;
      drag ??= isOnPhoto && !held && grid.served.drop ? carry(grid, /** @type {number} */ (index)) : lasso(grid, start, held);
      drag.move(event);
    },
    end(event) {
      if (drag) drag.end(event);
      else if (event && isHeading) selectSection(grid, isHeading, held);
      else if (event) click(grid, index, event, isOnTick);
    },
  });
}

/** @param {Grid} grid @param {Element} heading @param {boolean} add */
function selectSection(grid, heading, add) {
  const number = Number(/** @type {HTMLElement} */ (heading).dataset.section);
  const sections = /** @type {import("./layout.js").Section[]} */ (grid.sections);
  const first = sections.slice(0, number).reduce((sum, section) => sum + section.count, 0);
  const ids = grid.ids.subarray(first, first + sections[number].count);
  grid.active = grid.anchor = first;
  grid.served.select(add ? [...grid.served.selected(), ...ids] : ids);
}

/** @param {Grid} grid @param {number | null} index @param {PointerEvent} event @param {boolean} isOnTick */
function click(grid, index, event, isOnTick) {
  if (index === null) {
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) grid.served.select([]);
    return;
  }
  if (event.shiftKey) {
    grid.active = index;
    grid.served.select(event.ctrlKey || event.metaKey ? [...grid.served.selected(), ...grid.range(grid.anchor, index)] : grid.range(grid.anchor, index));
  } else if (event.ctrlKey || event.metaKey || isOnTick) grid.toggle(index);
  else {
    grid.active = grid.anchor = index;
    grid.served.select([grid.ids[index]]);
  }
  grid.repaint();
}

/** @param {Grid} grid @param {PointerEvent} start @param {number | null} index @param {boolean} isOnTick */
function touch(grid, start, index, isOnTick) {
  if (index === null) return;
  let isDone = false;
  const timer = setTimeout(() => {
    isDone = true;
    navigator.vibrate?.(10);
    grid.toggle(index);
    grid.repaint();
  }, LONG);
  const ending = new AbortController();
  const stop = () => (clearTimeout(timer), ending.abort());
  const { signal } = ending;
  addEventListener("pointermove", (event) => Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > 8 && stop(), { signal });
  addEventListener("pointercancel", stop, { signal }); // it scrolls
  addEventListener("pointerup", () => {
    stop();
    if (isDone) return;
    if (isOnTick || grid.served.selected().size) {
      grid.toggle(index);
      grid.repaint();
    } else grid.served.open(index);
  }, { signal });
}

/** @param {Grid} grid @param {PointerEvent} start @param {boolean} add to what is selected */
function lasso(grid, start, add) {
  const { element, layout } = grid;
  const base = add ? new Set(grid.served.selected()) : new Set();
  const frame = document.createElement("div");
  frame.className = "lasso";
  grid.surface.append(frame);
  const from = within(grid, start);
  let last = start;
  let timer = 0;
  const draw = () => {
    const to = within(grid, last);
    const x = Math.max(0, Math.min(from.x, to.x));
    const y = Math.max(0, Math.min(from.y, to.y));
    frame.style.transform = `translate(${x}px, ${y}px)`;
    frame.style.width = `${Math.min(element.clientWidth, Math.max(from.x, to.x)) - x}px`;
    frame.style.height = `${Math.min(layout.height, Math.max(from.y, to.y)) - y}px`;
    const inside = layout.within(from.x, from.y, to.x, to.y);
    grid.served.select([...base, ...inside.map((index) => grid.ids[index])]);
    if (inside.length) grid.active = grid.anchor = inside[0];
  };
  const scroll = () => {
    const box = element.getBoundingClientRect();
    const beyond = Math.min(0, last.clientY - box.top - EDGE) + Math.max(0, last.clientY - box.bottom + EDGE);
    if (beyond) {
      element.scrollTop += beyond / 2;
      draw();
    }
    timer = requestAnimationFrame(scroll);
  };
  timer = requestAnimationFrame(scroll);
  return {
    move(/** @type {PointerEvent} */ event) {
      last = event;
      draw();
    },
    end() {
      cancelAnimationFrame(timer);
      frame.remove();
      grid.repaint();
    },
  };
}

/** @param {Grid} grid @param {{ clientX: number, clientY: number }} event */
function within(grid, event) {
  const box = grid.element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top + grid.element.scrollTop };
}

/** Photos in hand, on their way to a class. @param {Grid} grid @param {number} index */
function carry(grid, index) {
  const id = grid.ids[index];
  if (!grid.served.selected().has(id)) {
    grid.active = grid.anchor = index;
    grid.served.select([id]);
  }
  const ids = [...grid.served.selected()];
  const hand = document.createElement("div");
  hand.className = "hand";
  for (const each of [id, ...ids.filter((other) => other !== id)].slice(0, 3).reverse()) {
    const picture = document.createElement("img");
    picture.src = grid.served.url(each);
    picture.alt = "";
    hand.append(picture);
  }
  if (ids.length > 1) {
    const count = document.createElement("span");
    count.textContent = ids.length.toLocaleString(document.documentElement.lang);
    hand.append(count);
  }
  document.body.append(hand);
  document.body.classList.add("carrying");
  /** @type {HTMLElement | null} */
  let target = null;
  const aim = (/** @type {HTMLElement | null} */ next) => {
    target?.classList.remove("aimed");
    target = next;
    target?.classList.add("aimed");
  };
  return {
    move(/** @type {PointerEvent} */ event) {
      hand.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 8}px)`;
      aim(/** @type {HTMLElement | null} */ (document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-drop]") ?? null));
    },
    end(/** @type {PointerEvent | null} */ event) {
      hand.remove();
      document.body.classList.remove("carrying");
      const to = target;
      aim(null);
      if (event && to) grid.served.drop?.(ids, to);
      grid.repaint();
    },
  };
}

/** Follow a pointer until it is let go, or Escape. @param {PointerEvent} start @param {{ move: (event: PointerEvent) => void, end: (event: PointerEvent | null) => void }} what */
export function follow(start, { move, end }) {
  const ending = new AbortController();
  const { signal } = ending;
  const finish = (/** @type {PointerEvent | null} */ event) => (ending.abort(), end(event));
  addEventListener("pointermove", (event) => event.pointerId === start.pointerId && move(event), { signal });
  addEventListener("pointerup", (event) => event.pointerId === start.pointerId && finish(event), { signal });
  addEventListener("pointercancel", () => finish(null), { signal });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    finish(null);
  }, { signal, capture: true });
}
