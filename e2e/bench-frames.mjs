// node bench-frames.mjs URL: how smoothly a school swims on the page with its entropies measured: frames that the live view
// drew in a second, the longest wait for one, and the longest wait of the page itself. One JSON line each.

import { chromium } from '@playwright/test';
import { launchOptions } from './browser.mjs';

const SECONDS = 8;

/** Runs in the page and in its workers: notes when frames come. */
const watch = () => {
  const ask = self.requestAnimationFrame.bind(self);
  self.frames = [];
  self.requestAnimationFrame = (then) =>
    ask((time) => {
      self.frames.push(performance.now());
      then(time);
    });
};
/** What was noted since the last time. */
const noted = () => self.frames.splice(0);
const gaps = (times) => times.slice(1).map((time, i) => time - times[i]);

for (const [kind, wish, name, count] of [
  ['cpu', 'cpu', 'no GPU', 500],
  // What the page chooses where the GPU is emulated by the processor.
  ['webgpu', 'auto', 'SwiftShader', 1000],
]) {
  const browser = await chromium.launch(launchOptions(kind));
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.addInitScript(watch);
  const school = { experiment: 'fish-schooling', count, backend: wish, steps: 1_000_000 };
  await page.goto(`${process.argv[2]}?${new URLSearchParams(school)}`);
  const lab = page.locator('#lab');
  await lab.and(page.locator('[data-phase="running"]')).waitFor({ timeout: 120_000 });
  const workers = page.workers();
  await Promise.all(workers.map((worker) => worker.evaluate(watch)));
  // The page draws its charts when there is news; asking for every frame shows when it could not have.
  await page.evaluate(() => {
    const again = () => self.requestAnimationFrame(again);
    again();
  });
  const step = () => lab.evaluate((lab) => [Number(lab.dataset.step), lab.dataset.backend]);
  await page.waitForTimeout(3000);
  await Promise.all([page, ...workers].map((thread) => thread.evaluate(noted)));
  const [before] = await step();
  await page.waitForTimeout(1000 * SECONDS);
  const [after, ran] = await step();
  const [ofPage, ...ofWorkers] = await Promise.all([page, ...workers].map((thread) => thread.evaluate(noted)));
  const drawn = ofWorkers.reduce((most, times) => (times.length > most.length ? times : most), []);
  if (drawn.length < 2) throw new Error(`${name}: no frame in ${SECONDS} seconds`);
  const line = {
    measure: `${count} fish, ${name}: steps by the ${ran.toUpperCase()}`,
    n: count,
    frames: drawn.length / SECONDS,
    longest: Math.max(...gaps(drawn)),
    page: ofPage.length / SECONDS,
    longest_of_page: Math.max(...gaps(ofPage)),
    steps: (after - before) / SECONDS,
  };
  console.log(JSON.stringify(line));
  await browser.close();
}
