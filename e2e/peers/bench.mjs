// node bench.mjs OURS [hardware]: one training step of a small transformer in the same browser, ours (the folder OURS, a
// bound web/examples/nn_bench.rs) beside jax-js and TensorFlow.js. One JSON line a case. `hardware` leaves the adapter to
// the browser; else it is SwiftShader.

import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { chromium } from '@playwright/test';
import { launchOptions } from '../browser.mjs';

const here = import.meta.dirname;
const [ours, adapter = 'webgpu'] = process.argv.slice(2);

// Twice, with all others between: a busy machine may slow one down for a while.
const ROUNDS = 2;
const LIMIT = 8 * 60_000;
const cases = [
  { library: 'surprisal', backend: 'wasm', name: 'Surprisal, wasm' },
  { library: 'jax', backend: 'wasm', name: 'jax-js, wasm' },
  { library: 'tfjs', backend: 'wasm', name: 'TensorFlow.js, wasm' },
];
const onGpu = [
  { library: 'surprisal', backend: 'webgpu', name: 'Surprisal, WebGPU' },
  { library: 'jax', backend: 'webgpu', name: 'jax-js, WebGPU' },
];

const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const roots = [['/ours/', resolve(ours)], ['/npm/', join(here, 'node_modules')], ['/', here]];
  const [prefix, root] = roots.find(([prefix]) => path.startsWith(prefix));
  const file = join(root, path === '/' ? 'index.html' : path.slice(prefix.length));
  if (!file.startsWith(root) || !existsSync(file) || statSync(file).isDirectory()) return response.writeHead(404).end();
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    // Isolated from other origins, a page has a clock of 5 µs instead of 100, and TensorFlow.js has its threads.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  createReadStream(file).pipe(response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/`;

/** Seconds that each thread of the browser has had, where the system tells them (Linux). */
function threads() {
  const parents = new Map();
  const numbers = (folder) => readdirSync(folder).filter((name) => /^\d+$/.test(name));
  const tried = (read) => {
    try {
      return read();
    } catch {
      return null; // It has ended meanwhile.
    }
  };
  for (const id of tried(() => numbers('/proc')) ?? []) {
    const stat = tried(() => readFileSync(`/proc/${id}/stat`, 'latin1'));
    if (stat) parents.set(id, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  const mine = (id) => {
    while (id !== undefined && id !== String(process.pid)) id = parents.get(id);
    return id !== undefined;
  };
  const times = new Map();
  for (const id of parents.keys()) {
    if (id === String(process.pid) || !mine(id)) continue;
    for (const thread of tried(() => numbers(`/proc/${id}/task`)) ?? []) {
      const text = tried(() => readFileSync(`/proc/${id}/task/${thread}/schedstat`, 'latin1'));
      if (text) times.set(thread, Number(text.split(' ')[0]) * 1e-9);
    }
  }
  return times;
}

/** Seconds of all threads together so far, those that have ended included as far as they were seen. */
function clock() {
  let [total, before] = [0, threads()];
  return () => {
    const now = threads();
    for (const [thread, seconds] of now) total += Math.max(0, seconds - (before.get(thread) ?? 0));
    before = now;
    return total;
  };
}

async function inBrowser(kind, work) {
  const browser = await chromium.launch(launchOptions(kind));
  let timer;
  try {
    const page = await browser.newPage();
    await page.exposeFunction('processor', clock());
    await page.goto(url);
    await page.waitForFunction('globalThis.measure !== undefined');
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no result within ${LIMIT / 60_000} minutes`)), LIMIT);
    });
    const working = work(page);
    working.catch(() => {});
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
    await browser.close();
  }
}

/** A line of the bench; a case that fails says why. */
async function measured(kind, { name, ...what }, problem) {
  const line = { problem, library: name };
  try {
    const found = await inBrowser(kind, (page) => page.evaluate((what) => globalThis.measure(what), { ...what, problem }));
    console.log(JSON.stringify({ ...line, ...found }));
  } catch (error) {
    console.log(JSON.stringify({ ...line, note: `failed: ${error.message.split('\n')[0]}` }));
  }
}

const problems = ['large', 'small'];
for (let round = 0; round < ROUNDS; round++) {
  for (const problem of problems) for (const one of cases) await measured('webgpu', one, problem);
}
const told = await inBrowser(adapter, (page) => page.evaluate(() => globalThis.adapter()));
for (const problem of problems) {
  for (const one of onGpu) {
    if (told) await measured(adapter, one, problem);
    else console.log(JSON.stringify({ problem, library: one.name, note: 'not run: no adapter' }));
  }
}
server.close();
