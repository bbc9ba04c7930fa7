// Keeps the files of the page, so that it opens without a network; and isolates it from other pages, so that the network
// may use threads (https://web.dev/articles/coop-coep): static hosts do not send these headers.

/** @type {any} */
const worker = self;
worker.importScripts("files.js"); // FILES and VERSION, as the exporter wrote them
const OWN = `headstart ${worker.registration.scope} `;
const NAME = OWN + worker.VERSION;
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(forgetOthers()));
addEventListener("fetch", (/** @type {any} */ event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(worker.registration.scope)) event.respondWith(answer(event.request));
});

async function keep() {
  const cache = await caches.open(NAME);
  // asks the host whether what the browser has kept is still so
  await cache.addAll(worker.FILES.map((/** @type {string} */ file) => new Request(file, { cache: "no-cache" })));
  await worker.skipWaiting();
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name.startsWith(OWN) && name !== NAME) await caches.delete(name);
}

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(NAME);
  const found = (await cache.match(request, { ignoreSearch: true })) ?? (await fetch(request));
  const headers = new Headers(found.headers);
  for (const [name, value] of Object.entries(ISOLATED)) headers.set(name, value);
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}
