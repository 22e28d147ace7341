/**
 * The bench at a hundredth of its work: every claim that there is runs to its line, and both its sides agree
 * (else there is none). The figures of so little work mean nothing, and no test looks at them.
 */
import { beforeAll, expect, it } from 'vitest';
import { command, PATIENCE_MS, type Ran } from './command.ts';

const BENCH = 'bench/bench.ts';
const { lines: listed } = await command(BENCH, '--list');
const claims = listed.map((line) => line.split(' ', 1)[0] ?? '');

let run: Ran;
beforeAll(async () => {
  run = await command(BENCH, '--short');
}, PATIENCE_MS);

const WELL_FORMED = /^bench \S+ (?:-?\d+\.\d{3} \d[\d.e-]* (?:ok|miss)|- \d[\d.e-]* unmeasured \(.+\))$/;

it.each(claims)('%s', (claim) => {
  const lines = run.lines.filter((line) => line.startsWith(`bench ${claim} `));
  expect(lines, run.progress).toEqual([expect.stringMatching(WELL_FORMED)]);
});

it('prints nothing else, and a miss is no failure', () => {
  expect(run.lines).toHaveLength(claims.length);
  expect(run.code, run.progress).toBe(0);
});
