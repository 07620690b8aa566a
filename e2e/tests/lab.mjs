// What the journeys share: bringing files in, reading the report, asking the command line.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from './fixture.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const sample = (name) => join(root, 'static', 'samples', name);
export const shots = join(root, 'e2e', 'shots');
mkdirSync(shots, { recursive: true });

/** Opens the page with the back end of this project. */
export async function openPage(page, project, query = '') {
  const backend = project.name === 'webgpu' ? 'gpu' : 'cpu';
  const extra = query ? `&${query}` : '';
  await page.goto(`./?backend=${backend}${extra}`);
  await expect(page.locator('.badge')).toHaveAttribute('data-backend', project.name === 'webgpu' ? 'gpu' : 'cpu');
}

/** Drops files on the page as a user does: a drag event that holds them. */
async function dropAll(page, files) {
  const data = await page.evaluateHandle(
    (files) => {
      const transfer = new DataTransfer();
      for (const { name, text } of files) {
        transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
      }
      return transfer;
    },
    files.map(({ name, bytes }) => ({ name, text: Buffer.from(bytes).toString('base64') })),
  );
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: data });
  await page.dispatchEvent('body', 'dragover', { dataTransfer: data });
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
}

export const drop = (page, name, bytes) => dropAll(page, [{ name, bytes }]);
export const dropFiles = (page, paths) => dropAll(page, paths.map((path) => ({ name: basename(path), bytes: readFileSync(path) })));
export const dropFile = (page, path) => dropFiles(page, [path]);

/** Waits for the end of everything that was asked for. */
export async function settled(page, stage = 'done') {
  await expect(page.locator('#status')).toHaveAttribute('data-stage', stage, { timeout: 90_000 });
}

/** Cancelled by now: milliseconds until the engine was free for something else. 100 is the aim; a shared machine gets some slack. */
export async function freed(page) {
  await settled(page, 'cancelled');
  await expect.poll(() => page.evaluate(() => window.__surprisal.cancelled)).toBeGreaterThan(0);
  const waited = await page.evaluate(() => window.__surprisal.cancelled);
  console.log(`  free after ${waited.toFixed(0)} ms`);
  expect(waited).toBeLessThan(500);
}

/** All records that the page shows, in its order. */
export function records(page) {
  return page.locator('tr.row').evaluateAll((rows) => rows.map((row) => JSON.parse(row.dataset.record)));
}

/** The command line's JSON for the same file, or for a list of files. */
export function commandLine(paths, ...options) {
  const binary = process.env.SURPRISAL_CLI;
  const args = ['measure', ...[paths].flat(), '--format', 'json', ...options];
  try {
    return JSON.parse(execFileSync(binary, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch (error) {
    // Exit code 1 is a report in which nothing has a value: still a report.
    if (error.status === 1 && error.stdout) return JSON.parse(error.stdout);
    throw error;
  }
}

/** The command line's record of the same run; none where it cannot run experiments yet. */
export function runOnCommandLine(id, parameters) {
  const binary = process.env.SURPRISAL_CLI;
  const set = Object.entries(parameters).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  try {
    return JSON.parse(execFileSync(binary, ['run', id, ...set, '--backend', 'cpu', '--format', 'json'], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return null;
  }
}

/** Equal to 1e-12 of the larger one; arrays element by element. */
export function same(a, b, where = '') {
  if (Array.isArray(a) && Array.isArray(b)) {
    expect(a.length, where).toBe(b.length);
    a.forEach((x, i) => same(x, b[i], `${where}[${i}]`));
  } else if (typeof a === 'number' && typeof b === 'number') {
    const scale = Math.max(Math.abs(a), Math.abs(b), 1e-300);
    expect(Math.abs(a - b) / scale <= 1e-12 || Math.abs(a - b) < 1e-15, `${where}: ${a} on the page, ${b} from the command line`).toBe(true);
  } else {
    expect(a, where).toEqual(b);
  }
}

/** Every record of the page has its twin in the command line's report, with the same value. */
export function agree(page, report) {
  expect(page.length).toBeGreaterThan(0);
  for (const record of page) {
    const beside = (r) => (r.with ?? []).join();
    const where = `${record.measure} of ${record.column} ${beside(record)}`;
    const isTwin = (r) => r.measure === record.measure && r.column === record.column && beside(r) === beside(record);
    const twin = report.results.find(isTwin);
    expect(twin, `${where} is not in the command line's report`).toBeTruthy();
    same(record.value, twin.value, where);
    expect(record.unit, where).toBe(twin.unit);
    expect(record.n, where).toBe(twin.n);
    expect(record.parameters, where).toEqual(twin.parameters);
    if (record.why || twin.why) expect(record.why, where).toBe(twin.why);
    if (record.uncertainty && twin.uncertainty) {
      expect(record.uncertainty.method, where).toBe(twin.uncertainty.method);
      same(record.uncertainty.low, twin.uncertainty.low, `${where}, low`);
      same(record.uncertainty.high, twin.uncertainty.high, `${where}, high`);
    } else {
      expect(Boolean(record.uncertainty), where).toBe(Boolean(twin.uncertainty));
    }
  }
}

/** Has the worker remember its GPU devices, so that one can be lost in the middle of a run. Before the page is opened. */
export async function rememberDevices(page) {
  const remember = `self.devices = [];
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...wanted) {
      const device = await request.apply(this, wanted);
      self.devices.push(device);
      return device;
    };\n`;
  await page.route('**/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/(import .*;\n)/, `$1${remember}`) });
  });
}

/** Loses them all. */
export async function loseDevices(page) {
  const lost = await Promise.all(page.workers().map((worker) => worker.evaluate(() => {
    const devices = self.devices ?? [];
    for (const device of devices) device.destroy();
    return devices.length;
  })));
  expect(lost.reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
}
