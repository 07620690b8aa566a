// A recording of animals is dropped: recognised, measured over its frames, compared with simulated schools; the numbers
// are the command line's, and the file can still be measured as a table.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './fixture.mjs';
import { drop, dropFile, openPage, root, settled, shots } from './lab.mjs';

const tracks = join(root, 'core', 'tests', 'files', 'trajectories');
const path = join(tracks, 'wide.csv');

const scalars = (page) =>
  page.locator('#recording tr[data-scalar]').evaluateAll((rows) =>
    Object.fromEntries(rows.map((row) => [row.dataset.scalar, Number(row.dataset.value)])),
  );

/** Compares what the page shows with what the command line prints. */
async function sameAsCommandLine(page, path) {
  const printed = execFileSync(process.env.SURPRISAL_CLI, ['track', path, '--format', 'json'], { encoding: 'utf8' });
  const record = JSON.parse(printed);
  const shown = await scalars(page);
  let compared = 0;
  for (const { name, value } of record.scalars) {
    // The simulated schools may have run on the page's GPU; the recording's own numbers are the CPU's.
    if (value === null || name.startsWith('closest')) continue;
    expect(Math.abs(shown[name] - value), name).toBeLessThan(1e-9 * (1 + Math.abs(value)));
    compared += 1;
  }
  expect(compared).toBeGreaterThan(2);
}

test('a recording is measured as a school', async ({ page }, { project }) => {
  await openPage(page, project);
  await dropFile(page, path);
  await settled(page);
  await expect(page.locator('#recording-seen')).toContainText('closest simulated school');
  await page.screenshot({ path: join(shots, `recording-${project.name}.png`), fullPage: true });
  await sameAsCommandLine(page, path);

  await page.fill('#recording-frame_rate', '-3');
  await page.click('#recording-again');
  await expect(page.locator('.wishes [role=alert]', { hasText: 'expected a number' })).toBeVisible();
  await page.fill('#recording-frame_rate', '10');
  await page.click('#recording-again');
  await settled(page);
  await expect(page.locator('#recording .file-head')).toContainText('10 frames a second');
  await expect(page.locator('.asked #recording-frame_rate')).toHaveValue('10');

  await page.click('#recording-table');
  await settled(page);
  await expect(page.locator('#report')).toBeVisible();
});

test('a tracker’s HDF5 file is read on the page too', async ({ page }, { project }) => {
  await openPage(page, project);
  const file = join(tracks, 'sleap.standard.analysis.h5');
  await dropFile(page, file);
  await settled(page);
  await expect(page.locator('#recording')).toBeVisible();
  await sameAsCommandLine(page, file);
});

test('a pickled dictionary says which file to drop instead', async ({ page }, { project }) => {
  await openPage(page, project);
  const header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }".padEnd(117) + '\n';
  const bytes = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(header), Buffer.from('\x80\x04}.', 'latin1')]);
  await drop(page, 'trajectories.npy', bytes);
  await settled(page, 'failed');
  await expect(page.locator('#status')).toContainText('trajectories.h5');
});

test('a table of something else stays a table', async ({ page }, { project }) => {
  await openPage(page, project);
  await dropFile(page, join(root, 'static', 'samples', 'sunspots.csv'));
  await settled(page);
  await expect(page.locator('#report')).toBeVisible();
  expect(readFileSync(path, 'utf8').split('\n')[0]).toContain('x');
});
