// Reads one Parquet or Arrow file for the engine, which starts this worker when such a file is opened and ends it when it
// has the columns: the memory of the module goes with it, and a module that has failed is not used again.

async function load() {
  const [bound, response] = await Promise.all([import('./columns.js'), fetch(new URL('./columns_bg.wasm', import.meta.url))]);
  if (!response.ok) throw new Error(`columns_bg.wasm: ${response.status} ${response.statusText}`);
  await bound.default({ module_or_path: response });
  return bound.read;
}

// It comes while the file is read; whether it came is told when it is asked for.
const loading = load().then((read) => ({ read }), (error) => ({ error }));
const chunks = [];

self.onmessage = async ({ data }) => {
  if (data instanceof Uint8Array) {
    chunks.push(data);
    return;
  }
  const { read, error } = await loading;
  if (error) {
    self.postMessage(['absent', String(error.message ?? error)]);
    return;
  }
  try {
    const [answer, buffers] = read(chunks, ...data);
    self.postMessage(answer, buffers);
  } catch (thrown) {
    // A panic comes as a text, a trap or too little memory as an error.
    self.postMessage(typeof thrown === 'string' ? ['panicked', thrown] : ['failed', String(thrown.message ?? thrown)]);
  }
};
