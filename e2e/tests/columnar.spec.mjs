// Parquet and Arrow files: read by a module that is loaded when the first of them is opened, and never before.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { agree, commandLine, drop, dropFile, freed, openPage, records, root, sample, settled } from './lab.mjs';

const files = join(root, 'core', 'tests', 'files');
const columnar = (name) => join(files, 'columnar', name);

/** The files of the module that a page has asked for so far, and its service worker too. */
function modules(page) {
  const asked = [];
  const note = (request) => {
    const name = new URL(request.url()).pathname.split('/').at(-1);
    if (/^columns[-_.]/.test(name)) asked.push(name);
  };
  page.on('request', note);
  page.context().on('request', note);
  return asked;
}

const kept = (page, name) => page.evaluate(async (name) => Boolean(await caches.match(new URL(name, document.baseURI))), name);

test('the first view does without the module, and Parquet and Arrow files give the values of the command line', async ({ page }, { project }) => {
  const asked = modules(page);
  await openPage(page, project, 'resamples=0');
  await page.waitForLoadState('networkidle');
  await dropFile(page, sample('markov.csv'));
  await settled(page);
  expect(asked).toEqual([]);
  for (const [name, told] of [['snappy.parquet', 'Parquet, 4 rows'], ['lz4.feather', 'Arrow, 4 rows'], ['stream.arrows', 'Arrow, 4 rows']]) {
    await dropFile(page, columnar(name));
    await expect(page.locator('#file-name')).toHaveText(name);
    await settled(page);
    const shown = await records(page);
    expect(shown.some((r) => typeof r.value === 'number'), name).toBe(true);
    agree(shown, commandLine(columnar(name), '--resamples', '0', '--backend', 'cpu'));
    await expect(page.locator('.file-head')).toContainText(told);
    await expect(page.locator('.notes')).toContainText('list (of type List');
    // Units, gaps, dates and texts come through as well.
    const rows = page.getByRole('region', { name: 'First rows of the file' });
    await expect(rows.locator('th', { hasText: /^wait/ })).toContainText(/real.*s/);
    await expect(rows.locator('th', { hasText: /^gaps/ })).toContainText('1 missing');
    await expect(rows.locator('tbody tr').first()).toContainText('2024-02-28');
    await expect(rows.locator('tbody tr').nth(1)).toContainText('b, c');
  }
  expect(new Set(asked)).toEqual(new Set(['columns-worker.js', 'columns.js', 'columns_bg.wasm']));
});

test('a damaged file is explained, and the page goes on with the next', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  const whole = readFileSync(columnar('snappy.parquet'));
  const feather = readFileSync(columnar('plain.feather'));
  const bad = [
    ['panics.parquet', readFileSync(join(files, 'hostile', 'panics.parquet')), /not a valid Parquet file/],
    ['panics.arrow', readFileSync(join(files, 'hostile', 'panics.arrow')), /not a valid Arrow file/],
    ['cut.parquet', whole.subarray(0, whole.length - 9), /not a valid Parquet file/],
    ['cut.feather', feather.subarray(0, feather.length - 1), /must end with ARROW1/],
    ['zstd.parquet', readFileSync(columnar('zstd.parquet')), /zstd inside cannot be read; snappy, gzip/],
  ];
  for (const [name, bytes, message] of bad) {
    await drop(page, name, bytes);
    await expect(page.locator('.failure')).toContainText(name);
    await expect(page.locator('.failure .reason')).toHaveText(message);
    await settled(page, 'failed');
  }
  await dropFile(page, columnar('brotli.parquet'));
  await settled(page);
  agree(await records(page), commandLine(columnar('brotli.parquet'), '--resamples', '0', '--backend', 'cpu'));
  await dropFile(page, sample('markov.csv'));
  await settled(page);
  expect((await records(page)).some((r) => typeof r.value === 'number')).toBe(true);
});

test.describe('without a network', () => {
  test.use({ allowed: [/Failed to load resource|ERR_INTERNET_DISCONNECTED/] });

  test('the module is there once it was needed, and before that its absence is explained', async ({ page, context }, { project }) => {
    await openPage(page, project, 'resamples=0');
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(async () => (await caches.keys()).length > 0 && navigator.serviceWorker.controller);
    await expect.poll(() => kept(page, 'engine_bg.wasm')).toBe(true);
    expect(await kept(page, 'columns_bg.wasm')).toBe(false);
    await page.reload();
    await context.setOffline(true);
    await dropFile(page, columnar('none.parquet'));
    await settled(page, 'failed');
    await expect(page.locator('.failure .reason')).toHaveText(/Parquet and Arrow files could not be loaded.*reloading the page/);
    await context.setOffline(false);
    await dropFile(page, columnar('none.parquet'));
    await settled(page);
    await expect.poll(() => kept(page, 'columns_bg.wasm')).toBe(true);
    await context.setOffline(true);
    await page.reload();
    await dropFile(page, columnar('lz4.feather'));
    await settled(page);
    expect((await records(page)).length).toBeGreaterThan(0);
    await context.setOffline(false);
  });
});

test.describe('a module', () => {
  // Where a service worker asks, nothing can be put in between.
  test.use({ serviceWorkers: 'block', allowed: [/Failed to load resource.*503/] });

  test('that a host does not give is named with the reason', async ({ page }, { project }) => {
    await page.route('**/columns_bg.wasm', (route) => route.fulfill({ status: 503 }));
    await openPage(page, project, 'resamples=0');
    await dropFile(page, columnar('none.parquet'));
    await settled(page, 'failed');
    await expect(page.locator('.failure .reason')).toHaveText(/could not be loaded: columns_bg.wasm: 503.*reloading the page may help/);
    await page.unroute('**/columns_bg.wasm');
    await dropFile(page, columnar('none.parquet'));
    await settled(page);
  });

  test('that does not come can be cancelled', async ({ page }, { project }) => {
    let waiting;
    const asked = new Promise((resolve) => {
      page.route('**/columns_bg.wasm', (route) => {
        waiting = route;
        resolve();
      });
    });
    await openPage(page, project, 'resamples=0');
    await dropFile(page, columnar('none.parquet'));
    await asked;
    await page.keyboard.press('Escape');
    await freed(page);
    await waiting.abort().catch(() => {});
    await page.unroute('**/columns_bg.wasm');
    await dropFile(page, columnar('none.parquet'));
    await settled(page);
  });

  test('that fails without a word of its own is told as that, and loaded anew', async ({ page }, { project }) => {
    // Its memory does not suffice: as the browser would say it.
    const failing = 'export default async () => {}; export const read = () => { throw new WebAssembly.RuntimeError("unreachable"); };';
    await page.route('**/columns.js', (route) => route.fulfill({ contentType: 'text/javascript', body: failing }));
    await openPage(page, project, 'resamples=0');
    await dropFile(page, columnar('none.parquet'));
    await settled(page, 'failed');
    await expect(page.locator('.failure .reason')).toHaveText(/Parquet and Arrow files failed: unreachable/);
    await page.unroute('**/columns.js');
    await dropFile(page, columnar('none.parquet'));
    await settled(page);
  });
});
