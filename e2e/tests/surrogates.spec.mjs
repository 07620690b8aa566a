// Surrogates on the page: the command line's p-values and sentences, a link that keeps the choice, and a way out.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { agree, commandLine, drop, dropFile, freed, openPage, records, same, sample, settled, shots } from './lab.mjs';

test.skip(!process.env.SURPRISAL_CLI, 'SURPRISAL_CLI names no command line to compare with');

const LISTS = ['mean', 'low', 'high', 'p_value', 'p_low', 'p_high'];

/** Every record has its twin's place among the surrogates, or neither has one and both say why. */
function placedAlike(shown, report) {
  agree(shown, report);
  for (const record of shown) {
    const beside = (r) => (r.with ?? []).join();
    const twin = report.results.find((r) => r.measure === record.measure && r.column === record.column && beside(r) === beside(record));
    const where = `${record.measure} of ${record.column}`;
    expect(record.warnings ?? [], where).toEqual(twin.warnings ?? []);
    if (!twin.surrogates) {
      expect(record.surrogates, where).toBeUndefined();
      continue;
    }
    expect(Object.keys(record.surrogates), where).toEqual(Object.keys(twin.surrogates));
    for (const key of ['kind', 'count', 'seed', 'undefined']) expect(record.surrogates[key], where).toEqual(twin.surrogates[key]);
    for (const key of LISTS) same(record.surrogates[key], twin.surrogates[key], `${where}, ${key}`);
    // A difference of nearly equal amplitudes has fewer digits than they have.
    if (twin.surrogates.spectrum_error) expect(record.surrogates.spectrum_error / twin.surrogates.spectrum_error, where).toBeCloseTo(1, 9);
  }
}

const over = (page) => page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
const place = (page, measure) => page.locator(`tr.row[data-measure="${measure}"] .p`);

test('surrogates chosen on the page give the command line\'s p-values, and the link keeps the choice', async ({ page }, { project }) => {
  const path = sample('sunspots.csv');
  await openPage(page, project, 'column=count&measure=perm&measure=perm.complexity_plane&resamples=0&seed=3');
  await dropFile(page, path);
  await settled(page);
  const heading = page.getByRole('columnheader', { name: 'Surrogates' });
  await expect(heading).toHaveCount(0);
  const number = page.getByLabel('Number of surrogates');
  await expect(number).toBeDisabled();
  await page.getByLabel('Compared with surrogates').selectOption('iaaft');
  await expect(page.locator('#surrogates-help')).toContainText('monotone function');
  await expect(number).toHaveValue('99');
  // Nobody waits for the 99: another number takes their place.
  await number.fill('19');
  await number.press('Enter');
  await expect(heading).toBeVisible();
  await expect(place(page, 'perm')).toContainText('(19 IAAFT)');
  await expect(place(page, 'perm.complexity_plane')).toContainText('(19 IAAFT)');
  await settled(page);

  const options = ['--column', 'count', '--measure', 'perm', '--measure', 'perm.complexity_plane', '--resamples', '0', '--seed', '3', '--surrogates', 'iaaft=19', '--backend', 'cpu'];
  const report = commandLine(path, ...options);
  const shown = await records(page);
  expect(shown.length).toBe(2);
  placedAlike(shown, report);
  // p = k/20 is written with all its digits.
  const [, p] = (await place(page, 'perm').textContent()).match(/^p = ([\d.]+)/);
  same(Number(p), report.results.find((r) => r.measure === 'perm').surrogates.p_value[0], 'p in the table');
  await expect(place(page, 'perm.complexity_plane')).toContainText('smallest p = ');

  // The sentence is the command line's.
  const table = execFileSync(process.env.SURPRISAL_CLI, ['measure', path, ...options], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  for (const measure of ['perm', 'perm.complexity_plane']) {
    const line = table.split('\n').find((line) => line.startsWith(`${measure} of count: `));
    const row = page.locator(`tr.row[data-measure="${measure}"]`);
    if ((await row.locator('.pick').getAttribute('aria-expanded')) === 'false') await row.locator('.pick').click();
    await expect(page.locator('.detail .facts')).toContainText(line.slice(line.indexOf(': ') + 2));
    await expect(page.locator('.detail .facts')).toContainText('Their middle 95 %');
  }
  await page.screenshot({ path: join(shots, `surrogates-${project.name}.png`), fullPage: true });

  // What is saved is what the command line writes.
  const saved = async (button) => {
    const download = page.waitForEvent('download');
    await page.locator(button).click();
    return readFileSync(await (await download).path(), 'utf8');
  };
  placedAlike(JSON.parse(await saved('#export-json')).results, report);
  const csv = (await saved('#export-csv')).trim().split('\n');
  expect(csv[0].split(',').at(-1)).toBe('surrogates');
  expect(csv[1]).toContain('""kind"":""iaaft""');

  await page.locator('#command').click();
  await expect(page.locator('#command-text')).toContainText('--seed 3 --surrogates iaaft=19');
  await page.locator('#share').click();
  const link = await page.locator('#share-text').textContent();
  expect(new URL(link).searchParams.get('surrogates')).toBe('iaaft=19');
  await page.goto(link);
  await dropFile(page, path);
  await expect(place(page, 'perm.complexity_plane')).toContainText('(19 IAAFT)');
  await settled(page);
  await expect(page.getByLabel('Compared with surrogates')).toHaveValue('iaaft');
  await expect(page.getByLabel('Number of surrogates')).toHaveValue('19');
  const numbers = (list) => list.map(({ measure, value, surrogates }) => ({ measure, value, surrogates }));
  expect(numbers(await records(page))).toEqual(numbers(shown));

  // Without them nothing is computed that was not known, and the column goes.
  await page.getByLabel('Compared with surrogates').selectOption('');
  await expect(page.getByRole('columnheader', { name: 'Surrogates' })).toHaveCount(0);
  await settled(page);
  expect((await records(page)).every((r) => r.surrogates === undefined)).toBe(true);
  expect(page.url()).not.toContain('surrogates');
});

test('what cannot be compared says so in the command line\'s words', async ({ page }, { project }) => {
  const path = join(mkdtempSync(join(tmpdir(), 'surprisal-surrogates-')), 'mixed.csv');
  const lines = ['x,y,kind'];
  for (let i = 0; i < 200; i++) {
    const x = Math.sin(i * i * 0.37);
    lines.push(`${x.toFixed(6)},${(0.5 * x + Math.cos(i * 1.7)).toFixed(6)},${['a', 'b', 'c'][(i * i) % 3]}`);
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
  await openPage(page, project, 'measure=perm&measure=lz76.count&measure=mi.ksg1&resamples=0&surrogates=phase=9');
  await dropFile(page, path);
  await settled(page);
  const shown = await records(page);
  placedAlike(shown, commandLine(path, '--measure', 'perm', '--measure', 'lz76.count', '--measure', 'mi.ksg1', '--resamples', '0', '--surrogates', 'phase=9', '--backend', 'cpu'));
  expect(shown.filter((r) => r.surrogates).map((r) => `${r.measure} ${r.column}`)).toEqual(['perm x', 'perm y']);
  await expect(place(page, 'mi.ksg1')).toHaveText('not compared');
  await page.locator('tr.row[data-measure="mi.ksg1"] .pick').click();
  await expect(page.locator('.detail .note')).toContainText('surrogates are for measures of one column, and mi.ksg1 is not');
  await page.locator('tr.row[data-measure="lz76.count"] .pick').click();
  await expect(page.locator('.detail .note').filter({ hasText: 'not compared' })).toContainText('shuffle takes labels');
});

test('a curve of the values has the band of the surrogates, and all fits a phone', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&column=count&measure=mse&mse.scales=5&resamples=0&surrogates=shuffle=9');
  await settled(page);
  const figure = page.locator('[data-figure="multiscale"]');
  await expect(figure.locator('figcaption')).toContainText('middle 95 % of 9 shuffled surrogates');
  await figure.getByRole('button', { name: 'Show numbers' }).click();
  await expect(figure.locator('.numbers caption').first()).toContainText('range of');
  expect(await over(page)).toBeLessThanOrEqual(0);
  for (const width of [360, 320]) {
    await page.setViewportSize({ width, height: 740 });
    await expect(place(page, 'mse')).toContainText('(9 shuffled)');
    expect(await over(page)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Measures and parameters' }).click();
    const choice = page.getByLabel('Compared with surrogates');
    await choice.scrollIntoViewIfNeeded();
    await expect(choice).toBeVisible();
    const box = await choice.boundingBox();
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    await page.screenshot({ path: join(shots, `surrogates-${width}-${project.name}.png`) });
    await page.locator('.sheet-close').click();
  }
});

test('the choice is made by keyboard, and a number out of range is refused in words', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=markov.csv&measure=lz76.count&resamples=0&surrogates=twist=9');
  await settled(page);
  await expect(page.locator('.notes')).toContainText('surrogates=twist=9 is not used: \'twist\': expected shuffle, phase or iaaft');
  await page.getByLabel('Compared with surrogates').focus();
  await page.keyboard.press('s');
  await expect(page.getByLabel('Compared with surrogates')).toHaveValue('shuffle');
  // Of some 10⁴ labels 99 shuffles take a moment: fewer do.
  await page.keyboard.press('Tab');
  const number = page.getByLabel('Number of surrogates');
  await expect(number).toBeFocused();
  await number.fill('0');
  await page.keyboard.press('Enter');
  await expect(page.locator('#surrogates-error')).toContainText('whole number from 1 to 100000');
  await expect(number).toHaveAttribute('aria-invalid', 'true');
  await number.fill('9');
  await page.keyboard.press('Enter');
  await expect(page.locator('#surrogates-error')).toHaveText('');
  await expect(place(page, 'lz76.count').first()).toContainText('(9 shuffled)');
  await settled(page);
});

test('surrogates are cancelled at once, within one too, and taken up again', async ({ page }) => {
  await page.goto('./?backend=cpu&resamples=0&measure=perm&surrogates=iaaft=1000');
  const rows = Array.from({ length: 60_000 }, (_, i) => Math.sin(i * i * 0.37).toFixed(6));
  await drop(page, 'long.csv', Buffer.from(`x\n${rows.join('\n')}\n`));
  await settled(page, 'running');
  await expect(page.locator('#status .busy-label')).toHaveText('1000 IAAFT surrogates of x, Permutation entropy');
  await expect(page.locator('#status .num')).toContainText('%');
  await page.keyboard.press('Escape');
  await freed(page);
  // Fewer of them are done in a while.
  await page.getByLabel('Number of surrogates').fill('1');
  await page.getByLabel('Number of surrogates').press('Enter');
  await expect(place(page, 'perm')).toHaveText(/^p = (0\.5|1) \(1 IAAFT\)$/);
  await settled(page);
});
