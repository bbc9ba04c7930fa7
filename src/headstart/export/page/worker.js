// Photos -> what the network says of them, away from the page, so that this stays responsive. One photo at a time.

import { env, InferenceSession, Tensor } from "./onnxruntime.js";

const LARGEST = 2 ** 22; // pixels: an answer takes some 30 bytes for each; a larger photo is halved until it has no more
const MOST_THREADS = 4; // more bring little, and phones have few fast cores

/** @type {InferenceSession} */
let session;
/** @type {{ resizing: string, bytes: Record<string, number> }} */
let facts;

onmessage = async ({ data }) => {
  if (data.facts) return open(data.facts);
  try {
    postMessage({ id: data.id, ...(await answered(data.picture)) });
  } catch (error) {
    postMessage({ id: data.id, problem: error instanceof Undecodable ? "undecodable" : String(error) });
  }
};

/** @param {typeof facts} known */
async function open(known) {
  facts = known;
  try {
    const [network, runtime] = await loaded(["network.onnx", "onnxruntime.wasm"]);
    env.wasm.wasmBinary = runtime;
    // threads share memory, which browsers allow only where the page is isolated from others, see service-worker.js
    env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
    session = await InferenceSession.create(network, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
    postMessage({ isReady: true, threads: env.wasm.numThreads });
  } catch (error) {
    postMessage({ problem: error instanceof Missing ? "files" : error instanceof RangeError ? "memory" : "old", reason: String(error instanceof Error ? error.message : error) });
  }
}

class Missing extends Error {}
class Undecodable extends Error {}

/** The content of files; says meanwhile how much of it is here. @param {string[]} names */
function loaded(names) {
  const total = names.reduce((sum, name) => sum + facts.bytes[name], 0);
  let here = 0;
  return Promise.all(
    names.map(async (name) => {
      const content = new Uint8Array(facts.bytes[name]);
      let length = 0;
      try {
        const response = await fetch(name);
        if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
        for (let reader = response.body.getReader(), piece; !(piece = await reader.read()).done; length += piece.value.length) {
          content.set(piece.value, length);
          postMessage({ loaded: (here += piece.value.length) / total });
        }
      } catch (error) {
        throw new Missing(`${name}: ${error instanceof Error ? error.message : error}`);
      }
      if (length !== content.length) throw new Missing(`${name}: ${length} / ${content.length} bytes`);
      return content;
    }),
  );
}

/** @param {Blob | ImageBitmap} picture */
async function answered(picture) {
  const photo = await pixelsOf(picture);
  const pixels = new Tensor("uint8", withoutAlpha(photo.data), [1, photo.height, photo.width, 3]);
  const { probabilities, places, familiar, other } = await session.run({ pixels });
  const [, height, width] = places.dims;
  return {
    probabilities: probabilities.data,
    familiar: familiar ? Boolean(familiar.data[0]) : true,
    other: other?.data[0],
    places: { height, width, resizing: facts.resizing, values: places.data },
  };
}

/** sRGB, upright, transparent parts on white: canvases are so. @param {Blob | ImageBitmap} picture */
async function pixelsOf(picture) {
  const bitmap = picture instanceof Blob ? await decoded(picture) : picture;
  let { width, height } = bitmap;
  while (width * height > LARGEST) [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new RangeError("no memory for the photo");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** RGBA -> RGB @param {Uint8ClampedArray} rgba */
function withoutAlpha(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from++) { // at the end of each turn past alpha
    rgb[to++] = rgba[from++];
    rgb[to++] = rgba[from++];
    rgb[to++] = rgba[from++];
  }
  return rgb;
}

/** @param {Blob} file */
async function decoded(file) {
  try {
    return await createImageBitmap(file);
  } catch (error) {
    throw new Undecodable(String(error));
  }
}
