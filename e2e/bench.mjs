// node bench.mjs URL FILE.npy…: the built page's engine measures the files on its CPU path (wasm SIMD).
// Prints the JSON lines of core/examples/bench.rs, best of some runs by the engine's own clock, and beside it `first`:
// the first measurement that a new worker of a freshly loaded page makes.

import { basename } from 'node:path';
import { readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { launchOptions } from './browser.mjs';

// New pages, and jobs of each.
const PAGES = 3;
// Seconds on one page, and no measure of one file should take longer than the budget.
const ENOUGH = 2;
const BUDGET = 120;
// A user needs longer than this to choose a file.
const PAUSE = 1000;

// [name, measure, parameters, power of n that the time grows with]
const measures = [
  ['perm3', 'perm', { order: 3 }, 1],
  ['perm5', 'perm', { order: 5 }, 1],
  ['sampen', 'sampen', { m: 2 }, 2],
];

const samples = (path) => Number(/'shape': \((\d+),/.exec(readFileSync(path).subarray(0, 128).toString('latin1'))[1]);

/** In the page: a worker as the page makes it, one file, the same job over and over; the records in order. */
async function inEngine({ name, measure, parameters, batch, enough, pause }) {
  const module = await WebAssembly.compileStreaming(fetch('./engine_bg.wasm'));
  const worker = new Worker('./worker.js', { type: 'module' });
  let hear = () => {};
  const seen = [];
  worker.onmessage = ({ data }) => {
    if (data.Measured) seen.push(JSON.parse(data.Measured.record));
    hear(data);
  };
  const until = (what) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      hear = (data) => {
        const word = typeof data === 'string' ? data : Object.keys(data)[0];
        if (word === 'Failed' || word === 'Crashed') reject(new Error(JSON.stringify(data)));
        if (word === what) resolve();
      };
    });
  const ask = async (letter, blob, answer) => {
    const answered = until(answer);
    worker.postMessage([letter, blob]);
    await answered;
  };
  const awake = until('Awake');
  worker.postMessage(module);
  await awake;
  await ask({ Hello: { wish: 'cpu' } }, null, 'Ready');
  await new Promise((resolve) => setTimeout(resolve, pause));
  await ask({ Open: { file: 1, names: [name], table: true } }, await (await fetch(`./bench-file/${name}`)).blob(), 'Done');
  const run = (number, count) => {
    const jobs = Array.from({ length: count }, (_, i) => ({ key: `${number}.${i}`, measure, of: { Column: 0 }, parameters }));
    const options = { file: 1, run: number, resamples: 0, seed: 0, information: 'native', wish: 'cpu' };
    return ask({ Measure: { ...options, jobs } }, null, 'Done');
  };
  await run(1, 1);
  const began = performance.now();
  for (let number = 2; number < 100 && performance.now() - began < 1000 * enough; number++) await run(number, batch);
  worker.terminate();
  return seen.map(({ seconds, value, why }) => ({ seconds, value, why }));
}

const [base, ...files] = process.argv.slice(2);
const browser = await chromium.launch(launchOptions('cpu'));
const context = await browser.newContext({ serviceWorkers: 'block' });
// Isolated from other origins, a page has a clock of 5 µs instead of 100.
await context.route('**/*', async (route) => {
  const named = files.find((file) => route.request().url().endsWith(`/bench-file/${basename(file)}`));
  if (named) return route.fulfill({ path: named });
  const response = await route.fetch();
  const headers = {
    ...response.headers(),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  return route.fulfill({ response, headers });
});
const rates = new Map();
const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

for (const file of files) {
  const n = samples(file);
  for (const [name, measure, parameters, power] of measures) {
    if (rates.get(name) * n ** power > BUDGET) {
      console.log(JSON.stringify({ measure: name, n, seconds: null }));
      continue;
    }
    // Several jobs are timed together where one is short beside the clock's step.
    const batch = power === 1 ? Math.max(1, Math.min(20, 1e6 / n)) : 1;
    const options = { name: basename(file), measure, parameters, batch, enough: ENOUGH, pause: PAUSE };
    let [seconds, first, value] = [Infinity, Infinity, null];
    for (let i = 0; i < PAGES && !(i > 0 && seconds > ENOUGH); i++) {
      const page = await context.newPage();
      await page.goto(base);
      const [one, ...more] = await page.evaluate(inEngine, options);
      if (one.value === null) throw new Error(`${measure} of ${file}: ${one.why}`);
      ({ value } = one);
      first = Math.min(first, one.seconds);
      for (let at = 0; at < more.length; at += batch) {
        seconds = Math.min(seconds, mean(more.slice(at, at + batch).map((record) => record.seconds)));
      }
      await page.close();
    }
    rates.set(name, seconds / n ** power);
    console.log(JSON.stringify({ measure: name, n, seconds, first, value }));
  }
}
await browser.close();
