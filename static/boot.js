// Loads the wasm module of the page, saying how much of it has come, and starts it.

import init from './page.js';

const line = document.getElementById('boot-line');
const say = (text) => {
  if (line?.isConnected) line.textContent = text;
};

async function load() {
  const response = await fetch(new URL('./page_bg.wasm', import.meta.url));
  if (!response.ok) throw new Error(`page_bg.wasm: ${response.status} ${response.statusText}`);
  const began = performance.now();
  let bytes = 0;
  const counting = new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (performance.now() - began > 300) say(`Loading the laboratory: ${(bytes / 1e6).toFixed(1)} MB`);
      controller.enqueue(chunk);
    },
  });
  const counted = new Response(response.body.pipeThrough(counting), { headers: { 'Content-Type': 'application/wasm' } });
  await init({ module_or_path: await WebAssembly.compileStreaming(counted) });
}

try {
  await load();
} catch (error) {
  document.querySelector('main.boot')?.removeAttribute('aria-busy');
  say(`Surprisal could not start: ${error.message ?? error}. Reload the page; a current browser with WebAssembly SIMD is needed.`);
  throw error;
}

// Works offline after the first visit, where the origin may keep anything at all.
try {
  // A figure in somebody's page leaves nothing behind.
  const worker = document.documentElement.dataset.embed ? null : await navigator.serviceWorker?.register(new URL('./service-worker.js', import.meta.url));
  setTimeout(() => worker?.active?.postMessage('update'), 5000);
} catch {
  // An opaque origin, plain http, or storage is off: the page works all the same.
}
