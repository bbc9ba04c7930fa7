// What a component asks of the server: loaded when it appears and again when what it depends on changes.

import { report } from "../store.js";
import { useEffect, useState } from "../ui.js";

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} dependencies
 * @returns {{ value: T | null, isLoading: boolean, problem: Error | null, reload: () => void }} value: the last one, while the next is on its way
 */
export function useLoaded(load, dependencies) {
  const [state, setState] = useState({ value: /** @type {any} */ (null), isLoading: true, problem: /** @type {Error | null} */ (null) });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setState((known) => ({ ...known, isLoading: true }));
    load(controller.signal).then(
      (value) => controller.signal.aborted || setState({ value, isLoading: false, problem: null }),
      (error) => {
        if (controller.signal.aborted) return;
        if (!error.status) report(error); // a refusal is shown where it belongs
        setState({ value: null, isLoading: false, problem: error });
      },
    );
    return () => controller.abort();
  }, [...dependencies, times]);
  return { ...state, reload: () => setTimes((count) => count + 1) };
}
