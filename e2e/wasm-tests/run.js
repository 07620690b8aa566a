// Runs the tests of one wasm binary, in this page or in a worker, and leaves { ok } in window.finished.
// wasm-bindgen-test calls __wbg_test_invoke, writes into #output, and captures console messages through on_console_*.

const output = document.getElementById('output');

async function inPage() {
  const bindings = await import('./tests.js');
  const wasm = await bindings.default();
  const names = Object.keys(wasm).filter((name) => name.startsWith('__wbgt_'));
  if (names.length === 0) return true;
  globalThis.__wbg_test_invoke = (f) => f();
  for (const method of ['debug', 'log', 'info', 'warn', 'error']) {
    globalThis[`on_console_${method}`] = bindings[`__wbgtest_console_${method}`];
    console[method] = (...args) => globalThis[`on_console_${method}`](args);
  }
  const context = new bindings.WasmBindgenTestContext(false);
  context.include_ignored(false);
  context.filtered_count(0);
  return context.run(names.map((name) => wasm[name]));
}

function inWorker() {
  return new Promise((resolve, reject) => {
    const worker = new Worker('worker.js', { type: 'module' });
    worker.onerror = (event) => reject(new Error(`in the worker: ${event.message}`));
    worker.onmessage = ({ data }) => {
      if (data.line !== undefined) output.textContent += `${data.line}\n`;
      if (data.error !== undefined) reject(new Error(data.error));
      if (data.ok !== undefined) resolve(data.ok);
    };
  });
}

try {
  const { worker } = await (await fetch('mode.json')).json();
  window.finished = { ok: await (worker ? inWorker() : inPage()) };
} catch (error) {
  output.textContent += `\n${error.stack ?? error}\n`;
  window.finished = { ok: false };
}
