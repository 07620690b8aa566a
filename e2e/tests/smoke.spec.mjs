import { test, expect, hasAdapter } from './fixture.mjs';

test('the page opens in silence and asks nobody else', async ({ page }) => {
  const answer = await page.goto('./');
  expect(answer.status()).toBe(200);
  await expect(page).toHaveTitle(/Surprisal/);
  await page.waitForLoadState('networkidle');
});

test('everything lies under the path of the page', async ({ page, baseURL }) => {
  const paths = [];
  page.on('request', (request) => paths.push(request.url()));
  await page.goto('./');
  await page.waitForLoadState('networkidle');
  const elsewhere = paths.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(baseURL));
  expect(elsewhere).toEqual([]);
});

test('this browser has a GPU exactly when it should', async ({ page }, { project }) => {
  await page.goto('./');
  expect(await hasAdapter(page)).toBe(project.name === 'webgpu');
});
