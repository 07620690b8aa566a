// The page itself: first view, keyboard, link, themes, narrow screens, offline, and what assistive technology gets.

import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { dropFile, openPage, records, sample, settled, shots } from './lab.mjs';

/** Whether anything has been drawn on the first canvas. */
const drawn = (page) =>
  page.waitForFunction(() => {
    const canvas = document.querySelector('canvas');
    if (!canvas || canvas.width < 200) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4 * 101) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return colours.size > 3;
  });

/** That an equation is MathML, is drawn, and can be scrolled to its end where it is wider than its box. */
async function typeset(equation) {
  await expect(equation.locator('math')).toBeVisible();
  const seen = await equation.evaluate((box) => {
    const math = box.querySelector('math');
    const [outer, inner] = [box, math].map((element) => element.getBoundingClientRect());
    return {
      alternative: math.getAttribute('alttext'),
      namespaces: [...new Set([...box.querySelectorAll('*')].map((element) => element.namespaceURI))],
      styled: box.querySelectorAll('[style]').length,
      height: inner.height,
      outside: outer.right - innerWidth,
      unreachable: inner.right - outer.left - box.scrollWidth,
    };
  });
  expect(seen).toMatchObject({ alternative: expect.stringMatching(/\S/), namespaces: ['http://www.w3.org/1998/Math/MathML'], styled: 0 });
  expect(seen.height).toBeGreaterThan(12);
  expect(seen.outside).toBeLessThanOrEqual(0);
  expect(seen.unreachable).toBeLessThanOrEqual(2);
}

test('the first view says what this is and shows a figure computed here', async ({ page }, { project }) => {
  await openPage(page, project);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.locator('.drop')).toContainText('never leaves your machine');
  await expect(page.locator('.sample')).not.toHaveCount(0);
  await drawn(page);
  await page.screenshot({ path: join(shots, `home-${project.name}.png`), fullPage: true });
});

test('every sample opens', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  const names = await page.locator('.sample').evaluateAll((list) => list.map((item) => item.dataset.sample));
  expect(names.length).toBeGreaterThanOrEqual(7);
  for (const name of names) {
    await page.locator('.wordmark').click();
    await page.locator(`.sample[data-sample="${name}"]`).click();
    await expect(page.locator('#file-name')).toHaveText(name);
    await settled(page);
    const found = await records(page);
    // One sample has gaps: the page says so, and offers what to do.
    if (found.every((r) => r.value === null)) {
      await page.locator('#leave-out').click();
      await expect(page.locator('tr.row[data-measure="perm"]')).toHaveAttribute('data-value', /\d/);
      await settled(page);
    }
    expect((await records(page)).some((r) => r.value !== null), name).toBe(true);
    expect(page.url()).toContain(`sample=${name}`);
  }
});

test('a link holds every choice', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&resamples=20&seed=3');
  await settled(page);
  await page.getByRole('button', { name: 'Parameters of Permutation entropy', exact: true }).click();
  const order = page.locator('#perm-order');
  await order.fill('4');
  await order.press('Enter');
  await page.locator('#option-unit').selectOption('nat');
  await expect(page.locator('tr.row[data-measure="perm"] .unit')).toHaveText('nats');
  await settled(page);
  const before = await records(page);
  await page.locator('#share').click();
  const link = await page.locator('#share-text').textContent();
  expect(link).toContain('perm.order=4');
  expect(link).toContain('unit=nat');
  expect(link.length).toBeLessThan(2000);
  await page.goto(link);
  await settled(page);
  const after = await records(page);
  const numbers = (list) => list.map(({ measure, column, parameters, value, uncertainty }) => ({ measure, column, parameters, value, uncertainty }));
  expect(numbers(after)).toEqual(numbers(before));
});

test('what a link says in vain is kept and reported', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&colour=red&perm.order=99&column=temperature&resamples=0');
  await settled(page);
  const notes = page.locator('.notes');
  await expect(notes).toContainText('colour=red');
  await expect(notes).toContainText('whole number');
  await expect(notes).toContainText('temperature');
  expect(page.url()).toContain('colour=red');
});

test('only what changed is computed again', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&resamples=0');
  await settled(page);
  const before = await records(page);
  await page.getByRole('checkbox', { name: 'Approximate entropy' }).check();
  await expect(page.locator('tr.row[data-measure="apen"]')).toHaveAttribute('data-value', /\d/);
  await settled(page);
  const after = await records(page);
  expect(after.length).toBe(before.length + 1);
  // The very same records, their times included.
  for (const record of before) expect(after).toContainEqual(record);
});

test('the keyboard is enough', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0');
  await expect(page.locator('.sample').first()).toBeVisible();
  /** Tabs on until what has the focus matches. */
  const tabTo = async (selector) => {
    for (let i = 0; i < 120; i++) {
      await page.keyboard.press('Tab');
      const there = await page.evaluate((selector) => document.activeElement?.matches(selector), selector);
      if (there) return;
    }
    throw new Error(`the focus never came to ${selector}`);
  };
  await tabTo('#file');
  await tabTo('.sample[data-sample="sunspots.csv"]');
  await page.keyboard.press('Enter');
  await settled(page);
  // Nobody has to pass every measure there is on the way to the results.
  await tabTo('.choose .skip');
  await page.keyboard.press('Enter');
  await expect(page.locator('#results-title')).toBeFocused();
  await tabTo('.chart');
  await page.keyboard.press('End');
  for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowLeft');
  await expect(page.locator('.readout').first()).toHaveText(/\d/);
  const first = await page.locator('.readout').first().textContent();
  await page.keyboard.press('Shift+ArrowLeft');
  await expect(page.locator('.readout').first()).not.toHaveText(first);
  await tabTo('tr.row[data-measure="perm"] .pick');
  await page.keyboard.press('Enter');
  await expect(page.locator('tr.open .figure').first()).toBeVisible();
  // What has the focus can be seen to have it.
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  expect(outline).not.toBe('none');
});

test('exact values are under the pointer', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&column=count&measure=series.profile&resamples=0');
  await settled(page);
  await drawn(page);
  const chart = page.locator('.chart');
  const { width, height } = await chart.boundingBox();
  await chart.hover({ position: { x: width / 2, y: height / 4 } });
  await expect(page.locator('.readout')).toHaveText(/count.*\d/);
  await expect(page.locator('.cross')).toBeVisible();
  await page.getByRole('button', { name: 'Show numbers' }).click();
  await expect(page.locator('.numbers table').first()).toBeVisible();
});

test('pictures and numbers can be saved', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&column=count&measure=perm&resamples=0');
  await settled(page);
  await drawn(page);
  for (const [name, ending] of [['PNG', '.png'], ['SVG', '.svg'], ['CSV', '.csv']]) {
    const download = page.waitForEvent('download');
    await page.locator('.tools').first().getByRole('button', { name, exact: true }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).toMatch(new RegExp(`\\${ending}$`));
  }
});

test('light, dark, and as the system; the choice is kept', async ({ page }, { project }) => {
  await openPage(page, project);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await paper()).toBe('rgb(251, 250, 247)');
  const toggle = page.getByRole('button', { name: /^Theme/ });
  await toggle.click();
  await toggle.click();
  expect(await paper()).toBe('rgb(16, 19, 21)');
  await page.reload();
  expect(await paper()).toBe('rgb(16, 19, 21)');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('button', { name: /^Theme/ }).click();
  expect(await paper()).toBe('rgb(16, 19, 21)');
});

for (const [width, height, theme, name] of [[1280, 900, 'light', 'desktop'], [360, 740, 'light', 'phone'], [320, 640, 'dark', 'narrow'], [1280, 900, 'dark', 'dark'], [2560, 1440, 'light', 'large']]) {
  test(`nothing is cut off at ${width} pixels, ${theme}`, async ({ page }, { project }) => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: theme });
    await openPage(page, project, 'sample=elnino.csv&resamples=20');
    await settled(page);
    await drawn(page);
    const over = () => page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
    expect(await over()).toBeLessThanOrEqual(0);
    await page.screenshot({ path: join(shots, `report-${name}-${project.name}.png`), fullPage: true });
    await typeset(page.locator('tr.open .equation').first());
    if (width < 900) {
      await page.getByRole('button', { name: 'Measures and parameters' }).click();
      await expect(page.locator('.search')).toBeVisible();
      await page.screenshot({ path: join(shots, `sheet-${name}-${project.name}.png`) });
      await page.keyboard.press('Escape');
      await expect(page.locator('.search')).toBeHidden();
      await page.getByRole('button', { name: 'Change its parameters' }).first().click();
      await expect(page.locator('.measure-body .field').first()).toBeVisible();
      await page.locator('.sheet-close').click();
    }
    await page.goto('./#/measures');
    await expect(page.locator('#measure-perm')).toBeVisible();
    await typeset(page.locator('#measure-perm .equation'));
    // One that is wider than a phone scrolls by itself.
    await typeset(page.locator('[id="measure-te.plugin"] .equation'));
    expect(await over()).toBeLessThanOrEqual(0);
    await page.screenshot({ path: join(shots, `reference-${name}-${project.name}.png`) });
  });
}

test('everything that can be operated has a name and is large enough', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&resamples=0');
  await settled(page);
  const bad = await page.evaluate(() => {
    const found = [];
    for (const element of document.querySelectorAll('button, a[href], input, select, summary, [tabindex="0"]')) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || element.closest('.file-input, .skip')) continue;
      const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
      if (!label?.trim()) found.push(`no name: ${element.outerHTML.slice(0, 120)}`);
      // A checkbox is operated by its label too; links in running text are exempt.
      const target = element.type === 'checkbox' ? element.closest('label') ?? element : element;
      const size = target.getBoundingClientRect();
      const inText = element.matches('p a');
      if (!inText && (size.width < 24 || size.height < 24)) found.push(`${size.width} x ${size.height}: ${element.outerHTML.slice(0, 120)}`);
    }
    for (const canvas of document.querySelectorAll('canvas')) {
      if (canvas.getAttribute('role') !== 'img' || (canvas.getAttribute('aria-label') ?? '').length < 20) found.push('a canvas without a description');
    }
    return found;
  });
  expect(bad).toEqual([]);
});

test('text has contrast enough in both themes', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=co2.csv&resamples=0');
  await settled(page);
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    const bad = await page.evaluate(() => {
      const parse = (text) => text.match(/[\d.]+/g).map(Number);
      const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
      };
      const ground = (element) => {
        for (let e = element; e; e = e.parentElement) {
          const colour = parse(getComputedStyle(e).backgroundColor);
          if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
      };
      const found = new Set();
      for (const element of document.querySelectorAll('main *, header *, footer *')) {
        const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own || element.getBoundingClientRect().width < 2 || element.disabled) continue;
        const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) found.add(`${ratio.toFixed(2)} ${element.className || element.tagName}: ${element.textContent.slice(0, 30)}`);
      }
      return [...found];
    });
    expect(bad, theme).toEqual([]);
  }
});

test('it works without a network after the first visit', async ({ page, context }, { project }) => {
  await openPage(page, project);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => (await caches.keys()).length > 0 && navigator.serviceWorker.controller);
  await context.setOffline(true);
  await page.reload();
  await expect(page.locator('.badge')).toBeVisible();
  await dropFile(page, sample('sunspots.csv'));
  await settled(page);
  expect((await records(page)).length).toBeGreaterThan(0);
  await context.setOffline(false);
});

test('every GPU kernel equals the CPU reference here', async ({ page }, { project }) => {
  test.skip(project.name !== 'webgpu', 'needs WebGPU');
  test.setTimeout(300_000);
  await page.goto('./?selftest&backend=gpu');
  await expect(page.locator('#selftest')).toHaveText(/\ndone$/, { timeout: 280_000 });
  const text = await page.locator('#selftest').textContent();
  expect(text).not.toContain('FAILED');
  expect(text).toMatch(/[1-9]\d* checks, 0 failed/);
});
