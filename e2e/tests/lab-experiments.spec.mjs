// The laboratory: an experiment runs, is held, changed, shared, saved and brought back.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { drop, loseDevices, rememberDevices, runOnCommandLine, same, shots } from './lab.mjs';

const backend = (project) => (project.name === 'webgpu' ? 'gpu' : 'cpu');

/** Opens an experiment with the back end of this project. */
async function openLab(page, project, id = 'fish-schooling', query = '') {
  await page.goto(`./?experiment=${id}${query ? `&${query}` : ''}&backend=${backend(project)}`);
  await expect(page.locator('#lab')).toHaveAttribute('data-phase', /running|paused|done/);
}

const step = async (page) => Number(await page.locator('#lab').getAttribute('data-step'));
const phase = (page, word) => expect(page.locator('#lab')).toHaveAttribute('data-phase', word);

async function hold(page) {
  if ((await page.locator('#lab').getAttribute('data-phase')) === 'running') await page.locator('#run').click();
  await phase(page, 'paused');
}

/** Everything that can be chosen has been sent, and its address written. */
const settle = (page) => page.waitForTimeout(500);

test('every experiment has a card that opens it', async ({ page }, { project }) => {
  await page.goto('./');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Experiments' }).click();
  const cards = page.locator('.card');
  await expect(cards.first()).toBeVisible();
  expect(await cards.count()).toBeGreaterThanOrEqual(8);
  await page.screenshot({ path: join(shots, `experiments-${project.name}.png`), fullPage: true });
  await page.locator('.card[data-experiment="vicsek"] a').click();
  await expect(page.locator('#lab')).toHaveAttribute('data-experiment', 'vicsek');
  expect(page.url()).toContain('experiment=vicsek');
  await page.goBack();
  await expect(cards.first()).toBeVisible();
  await page.goForward();
  await expect(page.locator('#lab')).toBeVisible();
});

test('it runs, pauses and steps', async ({ page }, { project }) => {
  await openLab(page, project);
  await phase(page, 'running');
  await expect.poll(() => step(page)).toBeGreaterThan(20);
  const before = [await page.locator('#polarization').textContent(), await page.locator('#rotation').textContent()];
  await expect
    .poll(async () => [await page.locator('#polarization').textContent(), await page.locator('#rotation').textContent()])
    .not.toEqual(before);
  await hold(page);
  const held = await step(page);
  await page.waitForTimeout(400);
  expect(await step(page)).toBe(held);
  await page.locator('#step').click();
  await expect.poll(() => step(page)).toBe(held + 1);
  await expect(page.locator('#seen')).toContainText(/P = \d/);
  await page.locator('#reset').click();
  await expect.poll(() => step(page)).toBe(0);
});

test('the live view is drawn', async ({ page }, { project }) => {
  await openLab(page, project, 'fish-schooling', 'count=60');
  await expect.poll(() => step(page)).toBeGreaterThan(5);
  await hold(page);
  const canvas = page.locator('.stage canvas');
  await expect(canvas).toHaveAttribute('role', 'img');
  await expect(canvas).toHaveAttribute('aria-label', /P = \d/);
  const picture = await canvas.screenshot();
  // A plain surface packs to next to nothing.
  expect(picture.length).toBeGreaterThan(8000);
});

test('a parameter is in the address and survives a reload', async ({ page }, { project }) => {
  await openLab(page, project, 'fish-schooling', 'count=50');
  const width = page.locator('#knob-orientation_width');
  await width.fill('6');
  await width.press('Enter');
  await page.waitForURL(/orientation_width=6/);
  expect(page.url()).toContain('count=50');
  expect(page.url()).not.toContain('noise');
  await page.reload();
  await expect(width).toHaveValue('6');
  await page.locator('#share').click();
  const link = await page.locator('#share-text').textContent();
  expect(link).toContain('orientation_width=6');
  await page.locator('#defaults').click();
  await expect(width).toHaveValue('2.25');
  await page.waitForURL((url) => !url.search.includes('orientation_width'));
});

test('what does not fit says at its control what would', async ({ page }, { project }) => {
  await openLab(page, project, 'fish-schooling', 'count=50&noise=99&colour=red');
  await expect(page.locator('.notes')).toContainText('noise=99');
  await expect(page.locator('.notes')).toContainText('from 0 to 2');
  await expect(page.locator('.notes')).toContainText('colour=red');
  const knob = page.locator('.knob[data-parameter="field_of_view"]');
  await knob.locator('.number').fill('720');
  await knob.locator('.number').press('Enter');
  await expect(knob.locator('.error')).toContainText('from 1 to 360');
  // What only the experiment as a whole can tell comes back to the control too.
  const start = page.locator('.knob[data-parameter="start"]');
  await page.locator('.more-knobs summary').click();
  await start.locator('select').selectOption('uniform');
  await expect(start.locator('.error')).toContainText('open water');
});

test('an experiment that does not exist names the nearest', async ({ page }) => {
  await page.goto('./?experiment=fish-schoolin');
  await expect(page.locator('.failure')).toContainText("did you mean 'fish-schooling'");
});

test('the record is the one of the command line', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'the reference');
  const given = { count: 30, steps: 40, measure_every: 5, seed: 3 };
  await openLab(page, project, 'fish-schooling', `${new URLSearchParams(given)}&view.speed=most`);
  await phase(page, 'done');
  await page.locator('#export').click();
  const coming = page.waitForEvent('download');
  await page.locator('#export-json').click();
  const saved = await coming;
  expect(saved.suggestedFilename()).toBe('fish-schooling-seed-3.json');
  const record = JSON.parse(readFileSync(await saved.path(), 'utf8'));
  expect(record.experiment).toBe('fish-schooling');
  expect(record.parameters).toMatchObject(given);
  expect(record.steps).toBe(40);
  const table = page.waitForEvent('download');
  await page.locator('[data-table="series"]').click();
  expect(readFileSync(await (await table).path(), 'utf8')).toMatch(/^time,polarization/);
  const twin = runOnCommandLine('fish-schooling', given);
  test.skip(!twin, 'the command line has no run yet');
  expect(record.parameters).toEqual(twin.parameters);
  for (const [i, scalar] of record.scalars.entries()) {
    expect(scalar.name).toBe(twin.scalars[i].name);
    same(scalar.value, twin.scalars[i].value, scalar.name);
  }
  for (const [i, { name, columns }] of record.tables.entries()) {
    columns.forEach((column, k) => same(column.values, twin.tables[i].columns[k].values, `${name}.${column.name}`));
  }
});

test('a dropped record is shown as it was, and runs again', async ({ page }, { project }) => {
  const record = {
    surprisal: '0.1.0', experiment: 'vicsek', parameters: { count: 40, noise: 2, steps: 30, seed: 9 }, steps: 30,
    backend: 'cpu', adapter: null, seconds: 1,
    scalars: [
      { name: 'polarization', title: 'order φ', value: 0.625, unit: '1', uncertainty: null, n: 3 },
      { name: 'heading_entropy', title: 'heading entropy', value: 0.5, unit: '1', uncertainty: null, n: 3 },
    ],
    tables: [{
      name: 'series', title: 'Order over time',
      columns: [
        { name: 'time', title: 'time', unit: '1', values: [0, 10, 20] },
        { name: 'polarization', title: 'φ', unit: '1', values: [0.1, 0.5, 0.625] },
        { name: 'heading_entropy', title: 'H', unit: '1', values: [0.9, 0.6, null] },
      ],
    }],
  };
  await page.goto(`./?backend=${backend(project)}`);
  await expect(page.locator('.badge')).toBeVisible();
  await drop(page, 'old run.json', Buffer.from(JSON.stringify(record)));
  await expect(page.locator('#lab')).toHaveAttribute('data-experiment', 'vicsek');
  await expect(page.locator('.notes')).toContainText('old run.json');
  await expect(page.locator('#seen')).toContainText('0.625');
  await expect(page.locator('.chart-card .figure').first()).toBeVisible();
  await expect(page.locator('#knob-count')).toHaveValue('40');
  await phase(page, 'paused');
  await page.locator('#run').click();
  await expect.poll(() => step(page)).toBeGreaterThan(0);
  await expect(page.locator('.notes')).not.toContainText('old run.json');
});

test('a claim runs its seeds and says how it stands', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'once is enough');
  await openLab(page, project, 'vicsek');
  const claim = page.locator('tr[data-claim="ordered"]');
  await expect(claim).toHaveAttribute('data-standing', 'not enough runs yet');
  await claim.getByRole('button').click();
  await expect(claim.getByRole('button')).toHaveText('Running');
  expect(page.url()).toBeTruthy();
  await expect(page.locator('#knob-study')).toHaveValue('transition');
});

test('what can be passed on', async ({ page }, { project }) => {
  await openLab(page, project, 'fish-schooling', 'count=70');
  await page.locator('#embed').click();
  await expect(page.locator('#embed-text')).toContainText('<surprisal-figure figure="fish-schooling" count="70"');
  await expect(page.locator('#iframe-text')).toContainText('embed/fish-schooling.html?count=70');
  await page.locator('#command').click();
  await expect(page.locator('#command-text')).toHaveText(`surprisal run fish-schooling --set count=70 --backend ${backend(project)}`);
});

test('a cross-check says what deviates', async ({ page }, { project }) => {
  await openLab(page, project, 'fish-schooling', 'count=40');
  await page.locator('#cross-check').click();
  await expect(page.locator('#verdict')).toContainText('Cross-check');
});

test('the live view has keys', async ({ page }, { project }) => {
  await openLab(page, project, 'fish-schooling', 'count=40');
  await phase(page, 'running');
  await page.locator('#lab-stage').focus();
  await page.keyboard.press('Space');
  await phase(page, 'paused');
  const held = await step(page);
  await page.keyboard.press('.');
  await expect.poll(() => step(page)).toBe(held + 1);
  await page.keyboard.press('?');
  await expect(page.locator('.keys')).toBeVisible();
  await page.keyboard.press('?');
  await page.keyboard.press('s');
  await page.waitForURL(/seed=2/);
  await page.keyboard.press('r');
  await expect.poll(() => step(page)).toBeLessThan(held);
});

test('a lost GPU device: the CPU goes on from what was kept', async ({ page }, { project }) => {
  test.skip(project.name !== 'webgpu', 'there is no GPU to lose');
  await rememberDevices(page);
  await openLab(page, project, 'fish-schooling', 'count=60');
  await phase(page, 'running');
  await expect(page.locator('#lab')).toHaveAttribute('data-backend', 'gpu');
  // A snapshot is kept once a second.
  await page.waitForTimeout(2500);
  const before = await step(page);
  expect(before).toBeGreaterThan(0);
  await loseDevices(page);
  await expect(page.locator('#lab')).toHaveAttribute('data-backend', 'cpu');
  await expect(page.locator('.notes')).toContainText(/GPU/);
  // It went on from what was kept, not from the start.
  await expect.poll(() => step(page)).toBeGreaterThan(before);
  await expect(page.locator('#lab .stage canvas')).toBeVisible();
  await hold(page);
  await page.locator('#step').click();
  const picture = await page.locator('.stage canvas').screenshot();
  expect(picture.length).toBeGreaterThan(8000);
});

test('with reduced motion nothing moves by itself', async ({ page }, { project }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openLab(page, project, 'fish-schooling', 'count=40');
  await phase(page, 'paused');
  await page.waitForTimeout(300);
  expect(await step(page)).toBe(0);
});

for (const [width, height, theme, name] of [[1280, 900, 'light', 'desktop'], [360, 740, 'light', 'phone'], [1280, 900, 'dark', 'dark'], [320, 640, 'dark', 'narrow']]) {
  test(`the laboratory fits ${width} pixels, ${theme}`, async ({ page }, { project }) => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: theme });
    await openLab(page, project, 'fish-schooling', 'view.speed=fast');
    await expect.poll(() => step(page), { timeout: 60_000 }).toBeGreaterThan(120);
    await hold(page);
    const over = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
    expect(over).toBeLessThanOrEqual(0);
    await page.screenshot({ path: join(shots, `lab-${name}-${project.name}.png`), fullPage: true });
    await page.screenshot({ path: join(shots, `lab-${name}-top-${project.name}.png`) });
    if (width < 900) {
      await page.getByRole('button', { name: 'Parameters' }).click();
      await expect(page.locator('#knob-count')).toBeVisible();
      await page.screenshot({ path: join(shots, `lab-sheet-${name}-${project.name}.png`) });
    }
  });
}
