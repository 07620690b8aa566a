// In the page: times one training step of one library.

import { SIZES } from './problem.mjs';

// The best of so many runs of at least so many milliseconds each, of steps whose loss is read now and then: all libraries
// may queue that many.
const RUNS = 5;
const ENOUGH = 500;
const QUEUED = 4;
const COMPARED = 10;

// Dispatches do not depend on the machine.
let dispatches = 0;
if (globalThis.GPUComputePassEncoder) {
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) {
    const dispatch = GPUComputePassEncoder.prototype[name];
    GPUComputePassEncoder.prototype[name] = function (...groups) {
      dispatches++;
      return dispatch.apply(this, groups);
    };
  }
}

/** What kind of adapter WebGPU gives here. */
globalThis.adapter = async () => {
  const { info } = (await navigator.gpu?.requestAdapter()) ?? {};
  return info ? { name: [info.vendor, info.architecture, info.description].filter(Boolean).join(' '), fallback: info.isFallbackAdapter } : null;
};

globalThis.measure = async ({ library, backend, problem }) => {
  const { make } = await import(`./${library}.mjs`);
  const began = performance.now();
  const { step, read, drop, note } = await make(backend, SIZES[problem], problem);
  const losses = [await read(step(0))];
  const first = (performance.now() - began) / 1000;
  let done = 1;
  while (losses.length < COMPARED) losses.push(await read(step(done++)));
  let last = NaN;
  const run = async (steps) => {
    for (let i = 1; i < steps; i++) {
      const loss = step(done++);
      if (i % QUEUED) drop(loss);
      else await read(loss);
    }
    last = await read(step(done++));
  };
  const before = dispatches;
  await run(1);
  const counted = dispatches - before;
  let [seconds, processor, steps] = [Infinity, Infinity, 1];
  for (let at = 0; at < RUNS; ) {
    const had = await globalThis.processor();
    const start = performance.now();
    await run(steps);
    const time = performance.now() - start;
    const busy = (await globalThis.processor()) - had;
    if (time < ENOUGH) {
      steps *= 2;
      continue;
    }
    seconds = Math.min(seconds, time / 1000 / steps);
    processor = Math.min(processor, busy / steps);
    at++;
  }
  if (!(processor > 0)) processor = null;
  const compiled = backend === 'webgpu' && `first loss after ${first.toFixed(1)} s`;
  const told = [note?.(), compiled].filter(Boolean).join('; ');
  return { seconds, processor, first, losses, last, dispatches: counted || null, note: told };
};
