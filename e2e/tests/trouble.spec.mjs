// Bad files, huge files and impatience: each has a clear answer, and the page stays usable.

import { gzipSync, deflateRawSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { test, expect } from './fixture.mjs';
import { drop, dropFile, freed, openPage, records, sample, settled } from './lab.mjs';

/** An NPY file whose header claims `shape`. */
function npy(shape, data) {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([118, 0]), Buffer.from(header), data]);
}

/** A zip archive with one deflated member. */
function zip(name, content) {
  const packed = deflateRawSync(content, { level: 9 });
  const head = (signature, extra) => {
    const b = Buffer.alloc(extra);
    b.writeUInt32LE(signature, 0);
    return b;
  };
  const local = head(0x04034b50, 30);
  local.writeUInt16LE(20, 4);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  const central = head(0x02014b50, 46);
  central.writeUInt16LE(20, 4);
  central.writeUInt16LE(20, 6);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  const end = head(0x06054b50, 22);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
}

const zeros = Buffer.alloc(80 << 20);

const bad = [
  ['a truncated NPY', 'cut.npy', npy('(1000,)', Buffer.alloc(800)), /cut off|claims|needs|expected/i],
  ['a ragged CSV', 'ragged.csv', Buffer.from('a,b\n1,2\n3,4\n5\n6,7\n'), /line 4.*expected 2 fields.*found 1/i],
  ['a zip bomb', 'bomb.zip', zip('zeros.csv', zeros), /refused to unpack/i],
  ['a gzip bomb', 'bomb.csv.gz', gzipSync(zeros, { level: 9 }), /refused to unpack/i],
  ['an empty file', 'empty.csv', Buffer.alloc(0), /empty.*no byte/i],
  ['a header that claims a gigabyte', 'claim.npy', npy('(134217728,)', Buffer.alloc(64)), /1073741824|cut off|claims/i],
];

for (const [what, name, bytes, message] of bad) {
  test(`${what} is explained, and the page goes on`, async ({ page }, { project }) => {
    await openPage(page, project, 'resamples=0');
    await drop(page, name, bytes);
    await settled(page, 'failed');
    const failure = page.locator('.failure');
    await expect(failure).toContainText(name);
    await expect(failure.locator('.reason')).toHaveText(message);
    await dropFile(page, sample('markov.csv'));
    await settled(page);
    expect((await records(page)).some((r) => typeof r.value === 'number')).toBe(true);
    expect(await page.evaluate(() => window.__surprisal.heapMost)).toBeLessThan(300e6);
  });
}

test('a column of NaN says what is wrong where the value would be', async ({ page }, { project }) => {
  await openPage(page, project, 'resamples=0&measure=perm');
  await drop(page, 'nan.csv', Buffer.from(`x,y\n${Array.from({ length: 50 }, (_, i) => `nan,${(i * 7) % 11}.5`).join('\n')}\n`));
  await settled(page);
  const [x, y] = await records(page);
  expect(x.value).toBeNull();
  expect(x.why).toMatch(/non-finite|missing/);
  expect(typeof y.value).toBe('number');
  await expect(page.locator('tr.row').first()).toContainText(x.why);
});

test('a parameter out of range is refused in words, and the report stays', async ({ page }, { project }) => {
  await openPage(page, project, 'sample=sunspots.csv&column=count&measure=perm&resamples=0');
  await settled(page);
  const before = await records(page);
  await page.getByRole('button', { name: 'Parameters of Permutation entropy', exact: true }).click();
  const order = page.locator('[data-parameter="order"] input').first();
  await order.fill('99');
  await order.blur();
  await expect(page.locator('[data-parameter="order"] .error').first()).toContainText('whole number');
  expect(await records(page)).toEqual(before);
  await order.fill('5');
  await order.blur();
  await settled(page);
  expect((await records(page))[0].parameters.order).toBe(5);
  expect(page.url()).toContain('perm.order=5');
});

test('a GPU that is not there is said so, and the CPU is offered', async ({ page }, { project }) => {
  test.skip(project.name !== 'cpu', 'needs a browser without WebGPU');
  await page.goto('./?backend=gpu&sample=sunspots.csv&measure=perm&resamples=0');
  await settled(page);
  expect((await records(page))[0].why).toMatch(/GPU/);
  await expect(page.locator('.badge p')).toContainText('CPU');
  await page.locator('#use-cpu').click();
  await expect(page.locator('tr.row').first()).toHaveAttribute('data-value', /\d/);
  expect(page.url()).toContain('backend=cpu');
});

test('200 MB of CSV stream through with less than 300 MB of memory', async ({ page }, { project }) => {
  test.setTimeout(600_000);
  await openPage(page, project, 'resamples=0&measure=perm&measure=hist.entropy&column=a');
  // The file is made of references to one block: the browser holds 1 MB, the engine reads 200.
  await page.evaluate(() => {
    const rows = [];
    let x = 0.3;
    for (let i = 0; i < 20_000; i++) {
      x = 4 * x * (1 - x);
      rows.push(`${x.toFixed(8)},${(i % 97) / 8},${i % 13},${(x * 1e3).toFixed(5)},label${i % 5}`);
    }
    const block = new Blob([`${rows.join('\n')}\n`]);
    const copies = Math.ceil(200e6 / block.size);
    const file = new File(['a,b,c,d,e\n', ...Array.from({ length: copies }, () => block)], 'big.csv');
    const transfer = new DataTransfer();
    transfer.items.add(file);
    window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  await expect(page.locator('#status progress')).toBeVisible();
  await expect(page.locator('#status')).toHaveAttribute('data-stage', 'done', { timeout: 500_000 });
  const found = await records(page);
  expect(found.length).toBe(2);
  for (const record of found) expect(typeof record.value, record.why).toBe('number');
  const most = await page.evaluate(() => window.__surprisal.heapMost);
  console.log(`  most memory of the engine: ${(most / 1e6).toFixed(0)} MB`);
  expect(most).toBeLessThan(300e6);
});

test('cancel is felt at once', async ({ page }, { project }) => {
  await page.goto('./?backend=cpu&resamples=0&measure=sampen');
  // Long enough to be cancelled: seconds of pairs.
  const rows = Array.from({ length: 600_000 }, (_, i) => Math.sin(i * i * 0.37).toFixed(6));
  await drop(page, 'long.csv', Buffer.from(`x\n${rows.join('\n')}\n`));
  await settled(page, 'running');
  await expect(page.locator('#status .num')).toContainText('%');
  await page.keyboard.press('Escape');
  await freed(page);
  // What was cancelled can be taken up again, and cancelled with the button.
  await page.getByRole('button', { name: /^Measure the other/ }).click();
  await settled(page, 'running');
  await page.locator('#cancel').click();
  await settled(page, 'cancelled');
});
