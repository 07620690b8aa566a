// Transformers on Markov sources: they are trained, looked at, held, changed, and fed with a text.

import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { loseDevices, rememberDevices, runOnCommandLine, same, shots } from './lab.mjs';

const small = { context: 16, steps: 40, train_symbols: 20000, tokenizer_symbols: 10000, test_symbols: 5000 };

async function open(page, id, given = {}) {
  await page.goto(`./?experiment=${id}&${new URLSearchParams({ ...given, backend: 'cpu' })}`);
  await expect(page.locator('#lab')).toHaveAttribute('data-phase', 'paused');
}

const phase = (page, word) => expect(page.locator('#lab')).toHaveAttribute('data-phase', word);
const figure = (page, id) => page.locator(`.figure[data-figure="${id}"]`);

test('two transformers are trained, and what they do is seen', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'once is enough');
  await open(page, 'tokenization-markov', small);
  await page.locator('#run').click();
  await phase(page, 'done');
  await expect(page.locator('#seen')).toContainText(/After 40 steps the loss is [\d.]+ on tokens, [\d.]+ on characters/);
  for (const id of ['losses', 'laws', 'text', 'source', 'dictionary', 'heads', 'tokens-attention']) {
    await expect(figure(page, id), id).toBeVisible();
  }
  await page.screenshot({ path: join(shots, `tokenization-${project.name}.png`), fullPage: true });
  // The axis changes without another run, and the budget is extended.
  await expect(figure(page, 'losses')).toContainText('against training steps');
  // What the link sets may have opened them already.
  await page.locator('.more-knobs').evaluate((more) => { more.open = true; });
  await page.locator('#knob-across').selectOption('work');
  await expect(figure(page, 'losses')).toContainText('against floating-point operations');
  await phase(page, 'done');
  await page.locator('#continue').click();
  await phase(page, 'done');
  await expect(page.locator('#lab')).toHaveAttribute('data-step', '80');
});

test('the page trains as the command line does', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'the reference');
  await open(page, 'tokenization-sweep', { train_symbols: 60000, tokenizer_symbols: 30000, test_symbols: 20000, largest: 64 });
  await page.locator('#run').click();
  await phase(page, 'done');
  await expect(figure(page, 'sweep')).toBeVisible();
  await page.locator('#export').click();
  const coming = page.waitForEvent('download');
  await page.locator('#export-json').click();
  const record = JSON.parse(await (await coming).createReadStream().then(async (stream) => {
    let text = '';
    for await (const part of stream) text += part;
    return text;
  }));
  const twin = runOnCommandLine('tokenization-sweep', { train_symbols: 60000, tokenizer_symbols: 30000, test_symbols: 20000, largest: 64 });
  test.skip(!twin, 'there is no command line to compare with');
  for (const [i, scalar] of record.scalars.entries()) same(scalar.value, twin.scalars[i].value, scalar.name);
});

test('a text takes the place of the source', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'once is enough');
  await open(page, 'tokenization-markov', { ...small, steps: 10, dictionary: 40 });
  await page.locator('#knob-source').selectOption('text');
  const knob = page.locator('.knob[data-parameter="text"]');
  await expect(knob.locator('.error')).toContainText('expected at least 200');
  await knob.locator('textarea').fill('the cat sat on the mat and the dog sat on the log. '.repeat(60));
  await knob.locator('textarea').blur();
  await expect(knob.locator('.error')).toBeEmpty();
  await phase(page, 'paused');
  await page.locator('#run').click();
  await phase(page, 'done');
  await expect(page.locator('#seen')).toContainText('the best n-gram model');
  await expect(page.locator('.notes')).toContainText('entropy rate of a text is not known');
});

test('the landscape and the windows are drawn', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'once is enough');
  await open(page, 'markov-landscape');
  await page.locator('#run').click();
  await phase(page, 'done');
  await expect(page.locator('#seen')).toContainText('100 % end at the loss of single symbols');
  await expect(figure(page, 'landscape')).toBeVisible();
  await open(page, 'tokenization-context');
  await page.locator('#run').click();
  await phase(page, 'done');
  await expect(figure(page, 'windows')).toBeVisible();
  await expect(figure(page, 'spans')).toBeVisible();
});

test('a GPU that is lost in the middle of training: the CPU goes on from what was kept', async ({ page }, { project }) => {
  test.skip(project.name !== 'webgpu', 'there is no GPU to lose');
  test.setTimeout(180_000);
  await rememberDevices(page);
  await page.goto(`./?experiment=tokenization-markov&${new URLSearchParams({ ...small, width: 8, steps: 100_000, backend: 'gpu' })}`);
  const lab = page.locator('#lab');
  await expect(lab).toHaveAttribute('data-phase', /running|paused/);
  if ((await lab.getAttribute('data-phase')) === 'paused') await page.locator('#run').click();
  await expect(lab).toHaveAttribute('data-backend', 'gpu', { timeout: 120_000 });
  const step = async () => Number(await lab.getAttribute('data-step'));
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(2);
  // A snapshot is kept once a second.
  await page.waitForTimeout(3000);
  const before = await step();
  await loseDevices(page);
  await expect(lab).toHaveAttribute('data-backend', 'cpu', { timeout: 30_000 });
  await expect(page.locator('.notes')).toContainText(/GPU/);
  // From what was kept, not from the start: at most a few seconds of steps are made again.
  expect(await step()).toBeGreaterThan(0);
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(before);
  await expect(figure(page, 'losses')).toBeVisible();
});
