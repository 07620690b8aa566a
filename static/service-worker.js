// Keeps the files of one version, listed in assets.json, so that the page works offline after the first visit.
// index.html and assets.json come from the network where there is one: an update is seen at the next load.

const PREFIX = 'surprisal-';
// On the maker's own machine every file is asked for first: a rebuild is seen at once.
const local = ['127.0.0.1', 'localhost'].includes(self.location.hostname);
const fresh = new Set(['', 'index.html', 'assets.json']);
// Comes with the first file that needs it, and is kept from then on.
const needed = new Set(['columns.js', 'columns_bg.wasm', 'columns-worker.js']);
const path = (url) => new URL(url).pathname.slice(new URL(self.registration.scope).pathname.length);

async function fill() {
  const list = await (await fetch('./assets.json', { cache: 'no-cache' })).json();
  const name = PREFIX + list.version;
  if (await caches.has(name)) return;
  const cache = await caches.open(name);
  try {
    // Everything but notes for developers and what nobody has needed: the samples are small, and work offline too.
    const used = async (path) => !needed.has(path) || Boolean(await caches.match(`./${path}`));
    const shell = [];
    for (const { path } of list.files) {
      if (!/\.(md|py)$/.test(path) && (await used(path))) shell.push(path);
    }
    await cache.addAll(['./', './assets.json', ...shell.map((path) => `./${path}`)]);
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
  for (const other of await caches.keys()) {
    if (other.startsWith(PREFIX) && other !== name) await caches.delete(other);
  }
}

async function answer(event) {
  const { request } = event;
  const wanted = path(request.url);
  if (local || fresh.has(wanted)) {
    try {
      return await come(event, wanted);
    } catch {
      return (await caches.match(request, { ignoreSearch: true })) ?? Response.error();
    }
  }
  const kept = await caches.match(request, { ignoreSearch: true });
  if (kept) return kept;
  return come(event, wanted);
}

// From the network; what was not kept at first is kept now.
async function come(event, wanted) {
  const response = await fetch(event.request);
  // It is of use where it cannot be kept, too.
  if (needed.has(wanted) && response.ok) event.waitUntil(keep(event.request, response.clone()).catch(() => {}));
  return response;
}

async function keep(request, response) {
  const name = (await caches.keys()).find((name) => name.startsWith(PREFIX));
  if (name) await (await caches.open(name)).put(request, response);
}

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(fill());
});
// The page says when it has loaded all it needs: only then may a newer version take the place of its files.
self.addEventListener('message', (event) => event.waitUntil(fill().catch(() => {})));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const own = request.url.startsWith(self.registration.scope);
  if (own && request.method === 'GET') event.respondWith(answer(event));
});
