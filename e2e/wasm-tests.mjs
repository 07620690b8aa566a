// node wasm-tests.mjs URL NAME…: opens URL/NAME/ for each binary of wasm tests and prints what it says.

import { chromium } from '@playwright/test';
import { launchOptions } from './browser.mjs';

const LONGEST = 10 * 60 * 1000;

const [url, ...names] = process.argv.slice(2);
const browser = await chromium.launch(launchOptions('webgpu'));
let ok = true;
for (const name of names) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack ?? error}`));
  page.on('crash', () => console.error(`${name}: the page crashed`));
  console.log(name);
  await page.goto(`${url}${name}/`);
  try {
    await page.waitForFunction(() => window.finished !== undefined, undefined, { timeout: LONGEST });
    ok &&= await page.evaluate(() => window.finished.ok);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    ok = false;
  }
  const text = await page.locator('#output').textContent().catch(() => '');
  console.log(text.trim());
  await page.close();
}
await browser.close();
process.exitCode = ok ? 0 : 1;
