// `page` that fails the test when the page says something is wrong, or talks to anyone but its own host.

import { test as base, expect } from '@playwright/test';

export const test = base.extend({
  /** What the page may say on the console; a test that provokes an error sets its own. */
  allowed: [[], { option: true }],

  page: async ({ page, baseURL, allowed }, use) => {
    const complaints = [];
    const own = new URL(baseURL).origin;
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && !allowed.some((pattern) => pattern.test(text))) {
        complaints.push(`console: ${text} (${message.location().url})`);
      }
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== own) complaints.push(`request to ${url.origin}`);
    });
    await use(page);
    expect(complaints).toEqual([]);
  },
});

export { expect };

/** Whether this browser gives the page a GPU. */
export function hasAdapter(page) {
  return page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
}
