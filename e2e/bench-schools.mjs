// node bench-schools.mjs URL: seconds of one step of a school of 1000 in which everybody looks at everybody, as the page
// runs it at its greatest speed: on its CPU path (wasm SIMD) and on SwiftShader. One JSON line each.

import { chromium } from '@playwright/test';
import { launchOptions } from './browser.mjs';

const FISH = 1000;
const SECONDS = 6;
const school = {
  experiment: 'fish-schooling',
  mode: 'dewi',
  count: FISH,
  zone_of_repulsion: 1,
  orientation_width: 4,
  attraction_width: 5,
  field_of_view: 300,
  water: 'periodic',
  box_size: 25,
  start: 'uniform',
  speed: 1,
  steps: 100_000_000,
  measure_every: 100_000,
  'view.speed': 'most',
};

for (const [kind, backend, name] of [
  ['cpu', 'cpu', 'wasm SIMD'],
  ['webgpu', 'gpu', 'SwiftShader'],
]) {
  const browser = await chromium.launch(launchOptions(kind));
  const page = await browser.newPage();
  await page.goto(`${process.argv[2]}?${new URLSearchParams({ ...school, backend })}`);
  const lab = page.locator('#lab');
  await lab.and(page.locator('[data-phase="running"]')).waitFor({ timeout: 120_000 });
  const refused = await page.locator('.note.warn').allTextContents();
  if (refused.length) throw new Error(`the page does not take the school: ${refused.join(' ')}`);
  const seen = () => lab.evaluate((lab) => [Number(lab.dataset.step), lab.dataset.backend, performance.now()]);
  let seconds = Infinity;
  await page.waitForTimeout(2000);
  for (let run = 0; run < 3; run++) {
    const [before, , begun] = await seen();
    await page.waitForTimeout((1000 * SECONDS) / 3);
    const [after, ran, now] = await seen();
    if (ran !== backend) throw new Error(`it ran on ${ran} instead of ${backend}`);
    if (after > before) seconds = Math.min(seconds, (now - begun) / 1000 / (after - before));
  }
  if (!Number.isFinite(seconds)) throw new Error(`${name}: no step in ${SECONDS} seconds`);
  console.log(JSON.stringify({ measure: name, n: FISH, seconds }));
  await browser.close();
}
