// The engine: the page compiles its module, once, and sends it here.

import init from './engine.js';

self.onmessage = async ({ data }) => {
  self.onmessage = null;
  await init({ module_or_path: data });
};
