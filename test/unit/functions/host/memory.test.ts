import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { memoryOf, pageBytesOf } from '../../../../functions/host/memory.ts';

const auxv = (...entries: readonly (readonly [number, number])[]): Buffer => {
  const words = BigUint64Array.from(entries.flat(), BigInt);
  return Buffer.from(words.buffer);
};

it('a page is as large as the kernel tells, and 4 kB where it does not', () => {
  const entries = [
    [33, 0x7ffd],
    [16, 6],
    [6, 65_536],
    [0, 0],
  ] as const;
  expect(pageBytesOf(auxv(...entries))).toBe(65_536);
  expect(pageBytesOf(auxv([16, 6], [0, 0]))).toBe(4096);
  expect(pageBytesOf(Buffer.from([6, 0, 0]))).toBe(4096);
  expect(pageBytesOf(readFileSync('/proc/self/auxv'))).toBe(Number(execFileSync('getconf', ['PAGESIZE'])));
});

it('a process has the memory that the kernel counts as no file’s', () => {
  const anonymous = Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) / 1024;
  const found = memoryOf(process.pid);
  expect(found).toBeGreaterThan(anonymous / 2);
  expect(found).toBeLessThan(anonymous * 2);
  expect(memoryOf(2 ** 22 + 1)).toBe(0);
});
