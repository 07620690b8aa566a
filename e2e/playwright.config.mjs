import { defineConfig } from '@playwright/test';
import { launchOptions } from './browser.mjs';

const project = (name) => ({ name, use: { launchOptions: launchOptions(name) } });

export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  // One at a time: a software GPU takes every core it gets.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 45_000 },
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  use: {
    baseURL: process.env.BASE_URL ?? 'http://127.0.0.1:8080/',
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    serviceWorkers: 'allow',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  // Shaders need something that compiles them.
  projects: [project('webgpu'), { ...project('cpu'), testIgnore: /shaders/ }],
});
