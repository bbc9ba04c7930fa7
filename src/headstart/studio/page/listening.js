// Events of the whole page, for as long as a component wants them.

/**
 * Calls handlers of events of the document; what it returns ends that.
 * @param {Record<string, (event: any) => unknown>} handlers
 */
export function listen(handlers) {
  for (const [name, handler] of Object.entries(handlers)) document.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) document.removeEventListener(name, handler);
  };
}

/** As `listen`: calls `away` when something outside an element is pressed. @param {{ current: HTMLElement | null }} root @param {() => void} away */
export const listenOutside = (root, away) => listen({ pointerdown: (event) => root.current?.contains(event.target) || away() });

/**
 * As `listen`: files are dragged over the page, and dropped.
 * @param {(isOver: boolean) => void} setOver
 * @param {(dropped: DataTransfer) => unknown} take
 */
export const listenToDrops = (setOver, take) =>
  listen({
    dragover: (event) => (event.preventDefault(), setOver(true)),
    dragleave: (event) => event.relatedTarget || setOver(false),
    drop: (event) => {
      event.preventDefault();
      setOver(false);
      return event.dataTransfer && take(event.dataTransfer);
    },
  });
