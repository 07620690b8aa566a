// Charts are looked at closer: by dragging, by the wheel, by the keyboard, and back.

import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { openPage, settled, shots } from './lab.mjs';

/** The report's series with its windowed entropy. */
async function series(page, project) {
  await openPage(page, project, 'sample=sunspots.csv&column=count&measure=series.profile&resamples=0');
  await settled(page);
  const chart = page.locator('[data-figure="series"] .chart');
  await chart.scrollIntoViewIfNeeded();
  await expect(chart.locator('canvas')).toHaveJSProperty('width', await chart.evaluate((e) => Math.round(e.clientWidth * Math.max(2, devicePixelRatio))));
  return { chart, part: page.locator('.part'), readout: page.locator('[data-figure="series"] .readout') };
}

/** The ends of the part that is shown. */
const ends = async (part) => (await part.textContent()).replace(/[\u202f\s]/g, ' ').match(/sample ([\d .]+) to ([\d .]+\d)/).slice(1).map((text) => Number(text.replaceAll(' ', '')));

test('a drag shows a part, the readout reads it, and Reset shows all again', async ({ page }, { project }) => {
  const { chart, part, readout } = await series(page, project);
  await expect(part).toHaveCount(0);
  const box = await chart.boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
  await expect(page.locator('.dragged')).toBeVisible();
  await page.mouse.up();
  await expect(part).toContainText('PNG, SVG and CSV have the whole chart');
  const [low, high] = await ends(part);
  expect(high - low).toBeGreaterThan(200);
  expect(high - low).toBeLessThan(400);
  await chart.hover({ position: { x: box.width / 2, y: 60 } });
  await expect(readout).toHaveText(/count.*\d/);
  const at = Number((await readout.textContent()).match(/= ([\d.]+)\D*$/)[1]);
  expect(at).toBeGreaterThanOrEqual(low);
  expect(at).toBeLessThanOrEqual(high);
  await page.screenshot({ path: join(shots, `zoom-${project.name}.png`), fullPage: true });
  await part.getByRole('button', { name: 'Reset' }).click();
  await expect(part).toHaveCount(0);
  await expect(chart).toBeFocused();
});

test('ctrl and wheel look closer where the pointer is, and a double click goes back', async ({ page }, { project }) => {
  const { chart, part } = await series(page, project);
  const { width } = await chart.boundingBox();
  await chart.hover({ position: { x: width / 2, y: 60 } });
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -100);
  await page.mouse.wheel(0, -100);
  await page.keyboard.up('Control');
  await expect(part).toBeVisible();
  const [low, high] = await ends(part);
  expect(high - low).toBeLessThan(800);
  expect(low).toBeGreaterThan(500);
  await chart.dblclick({ position: { x: width / 2, y: 60 } });
  await expect(part).toHaveCount(0);
});

test('the keyboard looks closer, moves on at the end, and goes back', async ({ page }, { project }) => {
  const { chart, part, readout } = await series(page, project);
  await chart.focus();
  await chart.press('+');
  await chart.press('+');
  const before = await ends(part);
  for (let i = 0; i < 8; i++) await chart.press('Shift+ArrowRight');
  await expect(readout).toHaveText(/\d/);
  const after = await ends(part);
  expect(after[0]).toBeGreaterThan(before[0]);
  await chart.press('-');
  const wider = await ends(part);
  expect(wider[1] - wider[0]).toBeGreaterThan(after[1] - after[0]);
  await chart.press('0');
  await expect(part).toHaveCount(0);
});

test('two fingers pinch', async ({ page }, { project }) => {
  const { chart, part } = await series(page, project);
  const box = await chart.boundingBox();
  const touch = (type, pointerId, share) => chart.dispatchEvent(type, { pointerId, pointerType: 'touch', clientX: box.x + box.width * share, clientY: box.y + 60, bubbles: true });
  await touch('pointerdown', 11, 0.4);
  await touch('pointerdown', 12, 0.6);
  await touch('pointermove', 12, 0.8);
  await touch('pointerup', 11, 0.4);
  await touch('pointerup', 12, 0.8);
  const [low, high] = await ends(part);
  expect(high - low).toBeLessThan(1800);
});

test('a part of a chart on a narrow dark page cuts nothing off', async ({ page }, { project }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const { chart, part } = await series(page, project);
  await chart.focus();
  await chart.press('+');
  await expect(part).toBeVisible();
  expect(await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth)).toBeLessThanOrEqual(0);
  await page.screenshot({ path: join(shots, `zoom-phone-${project.name}.png`), fullPage: true });
});
