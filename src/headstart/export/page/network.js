// The network, in a worker of its own: pictures -> outputs. Also says what is wrong with the browser.

/** other: the probability of none of the classes, of a classifier that learned from `_other` photos
 * @typedef {{ probabilities: Float32Array, familiar: boolean, other?: number, places: import("./cards.js").Places }} Outputs */

/** A picture that the browser cannot decode. */
export class Undecodable extends Error {}

/** What keeps the network from being opened. `code`: of the words for it. */
export class Unusable extends Error {
  /** @param {string} code @param {string} [reason] */
  constructor(code, reason = "") {
    super(reason);
    this.code = code;
  }
}

/**
 * Opens the network.
 * @param {object} facts @param {(share: number) => void} onLoaded how much of it is here, 0 to 1
 * @returns {Promise<(picture: Blob | ImageBitmap) => Promise<Outputs>>} what answers a picture; one after the other
 */
export function openNetwork(facts, onLoaded) {
  if (typeof WebAssembly !== "object") throw new Unusable("wasm");
  if (typeof OffscreenCanvas !== "function") throw new Unusable("old", "OffscreenCanvas");
  const worker = new Worker("worker.js", { type: "module" });
  /** @type {Map<number, { done: (outputs: Outputs) => void, failed: (error: Error) => void }>} */
  const waiting = new Map();
  let count = 0;
  /** @param {Blob | ImageBitmap} picture @returns {Promise<Outputs>} */
  const ask = (picture) =>
    new Promise((done, failed) => {
      waiting.set(++count, { done, failed });
      worker.postMessage({ id: count, picture }, picture instanceof ImageBitmap ? [picture] : []);
    });
  return new Promise((opened, reject) => {
    const failed = (/** @type {Unusable} */ error) => {
      worker.terminate(); // it may still be loading
      reject(error);
    };
    worker.onerror = (event) => failed(new Unusable("old", event.message));
    worker.onmessage = ({ data }) => {
      if (data.loaded) onLoaded(data.loaded);
      else if (data.isReady) opened(ask);
      else if (data.id === undefined) failed(new Unusable(data.problem, data.reason));
      else {
        const asked = waiting.get(data.id);
        waiting.delete(data.id);
        if (!data.problem) asked?.done(data);
        else asked?.failed(data.problem === "undecodable" ? new Undecodable() : new Error(data.problem));
      }
    };
    worker.postMessage({ facts });
  });
}
