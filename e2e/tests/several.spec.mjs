// Measures of several columns and of arrays: the numbers of the command line, pairs as a grid, presets.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { agree, commandLine, dropFile, dropFiles, openPage, records, sample, settled, shots } from './lab.mjs';

const folder = mkdtempSync(join(tmpdir(), 'surprisal-several-'));

/** Three channels of which the second follows the first, a fourth with labels. */
function channels() {
  let state = 12345;
  const noise = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const lines = ['flow,pressure,noise,valve'];
  let [flow, pressure] = [0, 0];
  for (let i = 0; i < 300; i++) {
    [flow, pressure] = [0.6 * flow + noise(), 0.7 * flow + 0.3 * noise()];
    lines.push(`${flow.toFixed(5)},${pressure.toFixed(5)},${noise().toFixed(5)},${flow > 0 ? 'open' : 'shut'}`);
  }
  const path = join(folder, 'channels.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** A little-endian f64 array of two axes. */
function matrix(rows, columns, value) {
  let header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const head = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([header.length & 255, header.length >> 8]), Buffer.from(header)]);
  const data = Float64Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));
  const path = join(folder, 'weights.npy');
  writeFileSync(path, Buffer.concat([head, Buffer.from(data.buffer)]));
  return path;
}

test('every pair of columns is measured, drawn as a grid, and equal to the command line', async ({ page }, { project }) => {
  const path = channels();
  await openPage(page, project, 'measure=mi.ksg1&measure=te.ksg&measure=nmi&resamples=0');
  await dropFile(page, path);
  await settled(page);
  const shown = await records(page);
  // Three channels of numbers: three pairs, and six with a direction; labels are compared with nothing else of their kind.
  expect(shown.filter((r) => r.measure === 'mi.ksg1').length).toBe(3);
  expect(shown.filter((r) => r.measure === 'te.ksg').length).toBe(6);
  agree(shown.filter((r) => r.measure !== 'nmi'), commandLine(path, '--measure', 'mi.ksg1', '--measure', 'te.ksg', '--resamples', '0', '--backend', 'cpu'));
  const value = (a, b) => shown.find((r) => r.measure === 'te.ksg' && r.column === a && r.with[0] === b).value;
  expect(value('flow', 'pressure')).toBeGreaterThan(value('pressure', 'flow') + 0.2);
  await expect(page.locator('tr.grid [data-figure="pairs"] canvas')).toHaveCount(3);
  await page.screenshot({ path: join(shots, `pairs-${project.name}.png`), fullPage: true });
  // The grid is read like any chart.
  const chart = page.locator('tr.grid .chart').first();
  await chart.focus();
  await chart.press('ArrowRight');
  await expect(page.locator('tr.grid .readout').first()).toContainText(/flow|pressure|noise/);
});

test('an array gets its spectrum without being asked, equal to the command line', async ({ page }, { project }) => {
  const path = matrix(40, 6, (i, j) => Math.sin(0.37 * i * (j + 1)) + (j === 0 ? 3 : 0));
  await openPage(page, project, 'resamples=0');
  await dropFile(page, path);
  await settled(page);
  const shown = await records(page);
  expect(shown.map((r) => r.measure)).toEqual(expect.arrayContaining(['matrix.entropy', 'matrix.condition']));
  agree(shown, commandLine(path, '--resamples', '0', '--backend', 'cpu'));
  await page.locator('tr.row[data-measure="matrix.entropy"] .pick').click();
  await expect(page.locator('[data-figure="spectrum"] canvas')).toHaveCount(1);
  await page.locator('.methods').click();
  await expect(page.locator('#methods-text')).toContainText('Definition:');
  await page.screenshot({ path: join(shots, `array-${project.name}.png`), fullPage: true });
});

test('a preset chooses for a kind of data, and the link keeps the choice', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  await dropFile(page, sample('markov.csv'));
  await settled(page);
  await page.locator('#preset').selectOption('estimators');
  await settled(page);
  const ids = (await records(page)).map((r) => r.measure);
  expect(ids).toEqual(['shannon.plugin', 'shannon.miller_madow', 'shannon.grassberger', 'shannon.chao_shen', 'shannon.nsb']);
  expect(page.url()).toContain('measure=shannon.grassberger');
  agree(await records(page), commandLine(sample('markov.csv'), '--preset', 'estimators', '--resamples', '0', '--backend', 'cpu'));
});

test('files that are dropped together stand side by side, and one more can be added', async ({ page }, { project }) => {
  await openPage(page, project, 'measure=perm&measure=perm.complexity_plane&resamples=0');
  await dropFiles(page, [sample('sunspots.csv'), sample('logistic.npy')]);
  await settled(page);
  const both = await records(page);
  agree(both, commandLine([sample('sunspots.csv'), sample('logistic.npy')], '--measure', 'perm', '--measure', 'perm.complexity_plane', '--resamples', '0', '--backend', 'cpu'));
  await expect(page.locator('#compare')).toHaveAttribute('open', '');
  const lines = page.locator('#compare tbody tr');
  const before = await lines.count();
  expect(before).toBeGreaterThan(1);
  // The cells are those of the lines below.
  for (const record of both.filter((r) => r.measure === 'perm')) {
    const cell = page.locator(`#compare tr[data-column="${record.column}"] td`).first();
    await expect(cell).toHaveAttribute('title', String(record.value));
  }
  await expect(page.locator('#compare [data-figure="planes"] canvas')).toHaveCount(1);
  await page.locator('#file-beside').setInputFiles(sample('elnino.csv'));
  await settled(page);
  await expect(page.locator('.files li')).toHaveCount(3);
  expect(await lines.count()).toBeGreaterThan(before);
  // What they are compared by stays chosen.
  expect(new Set((await records(page)).map((r) => r.measure))).toEqual(new Set(['perm', 'perm.complexity_plane']));
  await page.screenshot({ path: join(shots, `beside-${project.name}.png`), fullPage: true });
  await page.setViewportSize({ width: 360, height: 740 });
  const over = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
  expect(over).toBeLessThanOrEqual(0);
  await page.screenshot({ path: join(shots, `beside-phone-${project.name}.png`), fullPage: true });
});

test('of several files the one that cannot be read is named', async ({ page }, { project }) => {
  const path = join(folder, 'ragged.csv');
  writeFileSync(path, 'a,b\n1,2\n3\n');
  await openPage(page, project);
  await dropFiles(page, [sample('sunspots.csv'), path]);
  await expect(page.locator('#status')).toContainText('ragged.csv');
  await expect(page.locator('#status')).toContainText('line 3');
  await expect(page.locator('#back')).toHaveCount(0);
  // Beside an open file it takes nothing away.
  await page.goto('./?backend=cpu&measure=perm&resamples=0');
  await dropFile(page, sample('logistic.npy'));
  await settled(page);
  const known = await records(page);
  await page.locator('#file-beside').setInputFiles(path);
  await expect(page.locator('#status')).toContainText('ragged.csv');
  await page.locator('#back').click();
  await settled(page);
  expect((await records(page)).map((r) => [r.measure, r.column, r.value])).toEqual(known.map((r) => [r.measure, r.column, r.value]));
});
