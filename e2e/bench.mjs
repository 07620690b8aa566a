// node bench.mjs URL FILE.npy…: the built page measures the files on its CPU path (wasm SIMD).
// Prints the JSON lines of core/examples/bench.rs: the engine's own time for a measure, best of some runs.

import { readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { launchOptions } from './browser.mjs';

const RUNS = 5;
const ENOUGH = 3;
// No measure of one file should take longer, in seconds.
const BUDGET = 120;

// [name, measure, parameters, power of n that the time grows with]
const measures = [
  ['perm3', 'perm', { order: 3 }, 1],
  ['perm5', 'perm', { order: 5 }, 1],
  ['sampen', 'sampen', { m: 2 }, 2],
];

const samples = (path) => Number(/'shape': \((\d+),/.exec(readFileSync(path).subarray(0, 128).toString('latin1'))[1]);

const [base, ...files] = process.argv.slice(2);
const browser = await chromium.launch(launchOptions('cpu'));
const context = await browser.newContext({ serviceWorkers: 'block' });
const rates = new Map();

for (const file of files) {
  const n = samples(file);
  for (const [measure, id, parameters, power] of measures) {
    if (rates.get(measure) * n ** power > BUDGET) {
      console.log(JSON.stringify({ measure, n, seconds: null }));
      continue;
    }
    const query = new URLSearchParams({ measure: id, resamples: '0', backend: 'cpu' });
    for (const [key, value] of Object.entries(parameters)) query.set(`${id}.${key}`, value);
    let seconds = Infinity;
    let value = null;
    for (let run = 0, spent = 0; run < RUNS && spent < ENOUGH; run++) {
      const page = await context.newPage();
      await page.goto(`${base}?${query}`);
      await page.locator('#file').setInputFiles(file);
      const row = page.locator(`tr[data-measure="${id}"]:not([data-record=""])`).first();
      await row.waitFor({ state: 'attached', timeout: 4 * BUDGET * 1000 });
      const record = JSON.parse(await row.getAttribute('data-record'));
      if (record.value === null) throw new Error(`${id} of ${file}: ${record.why}`);
      seconds = Math.min(seconds, record.seconds);
      spent += record.seconds;
      value = record.value;
      await page.close();
    }
    rates.set(measure, seconds / n ** power);
    console.log(JSON.stringify({ measure, n, seconds, value }));
  }
}
await browser.close();
