// The numbers on the page are the command line's, with WebGPU and without.

import { gzipSync } from 'node:zlib';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { agree, commandLine, drop, dropFile, openPage, records, root, sample, settled } from './lab.mjs';

test.skip(!process.env.SURPRISAL_CLI, 'SURPRISAL_CLI names no command line to compare with');

const files = [
  ['a CSV', sample('sunspots.csv')],
  ['a CSV with gaps', sample('co2.csv')],
  ['labels', sample('markov.csv')],
  ['an NPY array', sample('logistic.npy')],
  ['a WAV recording', join(root, 'core/tests/files/i16_stereo.wav')],
  ['a PNG picture', sample('hubble.png')],
  ['a text', sample('constitution.txt')],
];

for (const [what, path] of files) {
  test(`${what} dropped on the page gives the command line's values`, async ({ page }, { project }) => {
    await openPage(page, project, 'resamples=20');
    await dropFile(page, path);
    await settled(page);
    agree(await records(page), commandLine(path, '--backend', 'cpu', '--resamples', '20'));
  });
}

test('a gzipped CSV gives the values of the CSV', async ({ page }, { project }) => {
  const path = join(mkdtempSync(join(tmpdir(), 'surprisal-')), 'sunspots.csv.gz');
  writeFileSync(path, gzipSync(readFileSync(sample('sunspots.csv'))));
  await openPage(page, project, 'resamples=0');
  await dropFile(page, path);
  await settled(page);
  await expect(page.locator('.file-head')).toContainText('inside gzip');
  const shown = await records(page);
  agree(shown, commandLine(path, '--backend', 'cpu', '--resamples', '0'));
  agree(shown, commandLine(sample('sunspots.csv'), '--backend', 'cpu', '--resamples', '0'));
});

test('a file chosen in the dialogue is read too', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  const chooser = page.waitForEvent('filechooser');
  await page.locator('.drop label').click();
  await (await chooser).setFiles(sample('markov.csv'));
  await settled(page);
  agree(await records(page), commandLine(sample('markov.csv'), '--backend', 'cpu', '--resamples', '0'));
});

test('parameters, unit and missing values are those of the command line', async ({ page }, { project }) => {
  const query = 'sample=co2.csv&column=co2&measure=perm&measure=sampen&measure=hist.entropy&perm.order=5&sampen.m=3&missing=omit&unit=nat&resamples=50&seed=7';
  await openPage(page, project, query);
  await settled(page);
  const options = '--column co2 --measure perm --measure sampen --measure hist.entropy --set perm.order=5 --set sampen.m=3 --missing omit --unit nat --resamples 50 --seed 7 --backend cpu';
  const shown = await records(page);
  expect(shown.length).toBe(3);
  agree(shown, commandLine(sample('co2.csv'), ...options.split(' ')));
});

test('the command line that the page shows gives the values that it shows', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=ecg.csv&measure=perm&measure=perm.weighted&perm.order=4&perm.delay=2&resamples=0');
  await settled(page);
  await page.locator('#command').click();
  const line = await page.locator('#command-text').textContent();
  expect(line).toMatch(/^surprisal measure ecg\.csv /);
  const words = line.split(' ').slice(3).map((word) => (word === 'gpu' ? 'cpu' : word));
  const unquoted = words.join(' ').match(/'[^']*'|\S+/g).map((word) => word.replaceAll("'", ''));
  agree(await records(page), commandLine(sample('ecg.csv'), ...unquoted));
});

test('the GPU counts where it is asked to, and the cross-check finds no difference', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=logistic.npy&measure=perm&measure=sampen&resamples=0');
  await settled(page);
  const backend = project.name === 'webgpu' ? 'gpu' : 'cpu';
  expect((await records(page)).map((r) => r.backend)).toEqual([backend, backend]);
  await page.locator('#cross-check').click();
  await expect(page.locator('#verdict')).toContainText('to the last digit');
});

test('a pasted text is read', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text/plain', 'x,y\n1,a\n2,b\n4,a\n3,a\n5,b\n7,a\n6,b\n8,b\n');
    window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await settled(page);
  await expect(page.locator('#file-name')).toHaveText('pasted text');
  await expect(page.locator('.chip')).toHaveCount(2);
});

test('the JSON record is the command line\'s contract', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&column=count&resamples=20');
  await settled(page);
  const download = page.waitForEvent('download');
  await page.locator('#export-json').click();
  const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
  const report = commandLine(sample('sunspots.csv'), '--column', 'count', '--backend', 'cpu', '--resamples', '20');
  expect(Object.keys(saved)).toEqual(Object.keys(report));
  expect(saved.input).toEqual(report.input);
  expect(Object.keys(saved.results[0]).sort()).toEqual(Object.keys(report.results[0]).sort());
  agree(saved.results, report);
});

test('what is dropped on a report takes its place', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  await dropFile(page, sample('sunspots.csv'));
  await settled(page);
  await drop(page, 'new.csv', 'a;b\n1,5;x\n2,25;y\n3,5;x\n2,75;y\n9,5;x\n');
  await expect(page.locator('#file-name')).toHaveText('new.csv');
  await settled(page);
  await expect(page.locator('.preview thead')).toContainText('real');
});
