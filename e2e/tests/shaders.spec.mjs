// Chrome's own WGSL compiler over the composed text of every shader.
// The texts come from `cargo run -p surprisal-gpu --example shaders -- DIR`, with DIR in WGSL_DIR.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, expect } from './fixture.mjs';

const folder = process.env.WGSL_DIR;
const names = folder ? readdirSync(folder).filter((name) => name.endsWith('.wgsl')).sort() : [];

test('every shader compiles without a word', async ({ page }) => {
  expect(names.length, 'WGSL_DIR names the folder of the shaders').toBeGreaterThan(0);
  await page.goto('./');
  const shaders = names.map((name) => ({ name, code: readFileSync(join(folder, name), 'utf8') }));
  const complaints = await page.evaluate(async (shaders) => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter.requestDevice();
    const complaints = [];
    for (const { name, code } of shaders) {
      device.pushErrorScope('validation');
      const { messages } = await device.createShaderModule({ label: name, code }).getCompilationInfo();
      await device.popErrorScope();
      for (const { type, lineNum, linePos, message } of messages) {
        complaints.push(`${name}:${lineNum}:${linePos} ${type}: ${message}`);
      }
    }
    return complaints;
  }, shaders);
  expect(complaints).toEqual([]);
});
