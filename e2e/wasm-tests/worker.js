// The same as run.js for tests that ask for a worker: no page, lines go out as messages.

self.__wbg_test_invoke = (f) => f();
self.__wbg_test_output_writeln = (...parts) => self.postMessage({ line: parts.map(String).join(' ') });

try {
  const bindings = await import('./tests.js');
  const wasm = await bindings.default();
  const names = Object.keys(wasm).filter((name) => name.startsWith('__wbgt_'));
  for (const method of ['debug', 'log', 'info', 'warn', 'error']) {
    self[`on_console_${method}`] = bindings[`__wbgtest_console_${method}`];
    console[method] = (...args) => self[`on_console_${method}`](args);
  }
  let ok = true;
  if (names.length > 0) {
    const context = new bindings.WasmBindgenTestContext(false);
    context.include_ignored(false);
    context.filtered_count(0);
    ok = await context.run(names.map((name) => wasm[name]));
  }
  self.postMessage({ ok });
} catch (error) {
  self.postMessage({ error: String(error.stack ?? error) });
}
