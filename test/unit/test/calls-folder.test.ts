import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { callsOf } from '../../aws-calls/folder.ts';

it('two runs at once keep their records apart, and the last that ended is looked at afterwards', () => {
  const root = mkdtempSync(join(tmpdir(), 'calls-'));
  try {
    const folder = join(root, 'aws-calls');
    const [whole, part, ended] = [1, 2, 3].map((run) => callsOf(run, folder));
    for (const [run, file] of [
      [whole, 'whole'],
      [part, 'part'],
      [ended, 'ended'],
    ] as const) {
      mkdirSync(run?.own ?? '');
      writeFileSync(join(run?.own ?? '', file), '');
    }
    part?.keep();
    expect(readdirSync(whole?.own ?? '')).toEqual(['whole']);
    expect(readdirSync(folder)).toEqual(['part']);
    whole?.keep();
    ended?.remove();
    expect(readdirSync(folder)).toEqual(['whole']);
    expect(readdirSync(root)).toEqual(['aws-calls']);
    // Nothing was asked.
    callsOf(4, folder).keep();
    expect(existsSync(join(folder, 'whole'))).toBe(true);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
