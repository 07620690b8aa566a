// Figures in other people's pages: in a sandbox, on another origin, as an element.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';
import { shots } from './lab.mjs';

const heard = (page, type) => page.evaluate((type) => window.heard.filter((m) => m.type === type), type);

test('a sandboxed frame on another origin runs, says its height and its result', async ({ browser, baseURL }, { project }) => {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const server = await serve(`<iframe id="f" src="${baseURL}embed/fish-schooling.html?count=40&steps=60&backend=cpu" sandbox="allow-scripts allow-downloads" title="fish" width="100%" height="500" style="border:0"></iframe>`);
  await page.goto(server.address);
  const frame = page.frameLocator('#f');
  await expect(frame.locator('#embed')).toHaveAttribute('data-phase', /running|done/, { timeout: 60_000 });
  await expect.poll(async () => (await heard(page, 'height')).length).toBeGreaterThan(0);
  expect((await heard(page, 'height'))[0].height).toBeGreaterThan(200);
  expect((await heard(page, 'hello'))[0]).toMatchObject({ id: 'fish-schooling', origin: 'null' });
  await page.screenshot({ path: join(shots, `embed-${project.name}.png`) });
  // A record goes to whoever has spoken.
  await page.evaluate(() => document.getElementById('f').contentWindow.postMessage({ surprisal: 1, type: 'hello' }, '*'));
  await expect(frame.locator('#embed')).toHaveAttribute('data-phase', 'done', { timeout: 60_000 });
  await page.evaluate(() => document.getElementById('f').contentWindow.postMessage({ surprisal: 1, type: 'get' }, '*'));
  await expect.poll(async () => (await heard(page, 'result')).length).toBeGreaterThan(0);
  const { record } = (await heard(page, 'result')).at(-1);
  expect(record.parameters).toMatchObject({ count: 40, steps: 60 });
  expect(record.steps).toBe(60);
  expect(errors).toEqual([]);
  server.close();
  await context.close();
});

test('the element forwards its attributes', async ({ browser, baseURL }, { project }) => {
  const context = await browser.newContext({ viewport: { width: 900, height: 1000 } });
  const page = await context.newPage();
  const server = await serve(`<script type="module" src="${baseURL}embed.js"></script>
    <surprisal-figure figure="vicsek" count="80" noise="0.5" backend="cpu" theme="dark"></surprisal-figure>
    <script>
      const figure = document.querySelector('surprisal-figure');
      window.events = [];
      for (const type of ['ready', 'result', 'error']) figure.addEventListener(type, (e) => events.push([type, e.detail]));
    </script>`);
  await page.goto(server.address);
  const frame = page.locator('surprisal-figure').frameLocator('iframe');
  await expect(frame.locator('#embed')).toHaveAttribute('data-phase', 'running', { timeout: 60_000 });
  await expect.poll(() => page.evaluate(() => events.map(([type]) => type))).toContain('ready');
  await expect.poll(() => page.locator('surprisal-figure').getAttribute('height')).toMatch(/^\d+$/);
  const before = Number(await frame.locator('#embed').getAttribute('data-step'));
  await page.evaluate(() => document.querySelector('surprisal-figure').setAttribute('noise', '3'));
  await page.waitForTimeout(600);
  // Live: it did not begin again.
  expect(Number(await frame.locator('#embed').getAttribute('data-step'))).toBeGreaterThanOrEqual(before);
  await page.screenshot({ path: join(shots, `element-${project.name}.png`) });
  await page.evaluate(() => document.querySelector('surprisal-figure').pause());
  await expect(frame.locator('#embed')).toHaveAttribute('data-phase', 'paused');
  await expect.poll(() => page.evaluate(() => events.filter(([type]) => type === 'result').length)).toBeGreaterThan(0);
  const record = await page.evaluate(() => events.filter(([type]) => type === 'result').at(-1)[1].record);
  expect(record.parameters).toMatchObject({ count: 80, noise: 3 });
  await page.evaluate(() => document.querySelector('surprisal-figure').setAttribute('noise', 'loud'));
  await expect.poll(() => page.evaluate(() => events.filter(([type]) => type === 'error').length)).toBeGreaterThan(0);
  server.close();
  await context.close();
});

test('a figure out of sight sleeps', async ({ browser, baseURL }, { project }) => {
  test.skip(project.name !== 'cpu', 'once is enough');
  const context = await browser.newContext({ viewport: { width: 900, height: 600 } });
  const page = await context.newPage();
  const server = await serve(`<iframe id="f" src="${baseURL}embed/vicsek.html?count=40&backend=cpu" sandbox="allow-scripts" title="vicsek" width="100%" height="500"></iframe><div style="height:3000px"></div>`);
  await page.goto(server.address);
  const step = async () => Number(await page.frameLocator('#f').locator('#embed').getAttribute('data-step'));
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(5);
  await page.evaluate(() => scrollTo(0, 2500));
  await page.waitForTimeout(600);
  const away = await step();
  await page.waitForTimeout(600);
  expect(await step()).toBe(away);
  await page.evaluate(() => scrollTo(0, 0));
  await expect.poll(step).toBeGreaterThan(away);
  server.close();
  await context.close();
});

/** A page on another origin with this in its body. */
async function serve(body) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>A paper</title>
      <body style="margin:24px;font:16px/1.5 Georgia,serif">
      <script>window.heard = []; addEventListener('message', (e) => { if (e.data?.surprisal) heard.push({ origin: e.origin, ...e.data }); });</script>
      <p>A paragraph of a paper, set by somebody else.</p>${body}`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://localhost:${server.address().port}/`, close: () => server.close() };
}
