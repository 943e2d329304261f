/** The page's service worker: what was loaded once is there without a network; with one, the newest comes. */

// The DOM's types do not know service workers; these are the parts that are used.
interface FetchEvent extends globalThis.Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const store = "lsm-playground";

addEventListener("fetch", (event) => {
  const { request, respondWith } = event as FetchEvent;
  if (request.method === "GET" && new URL(request.url).origin === location.origin)
    respondWith.call(event, answerTo(request));
});

async function answerTo(request: Request): Promise<Response> {
  const cache = await caches.open(store);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}
