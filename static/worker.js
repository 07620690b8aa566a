// The engine: the same wasm module as the page, which sends it here compiled.

import init from './surprisal.js';

self.onmessage = async ({ data }) => {
  self.onmessage = null;
  await init({ module_or_path: data });
};
