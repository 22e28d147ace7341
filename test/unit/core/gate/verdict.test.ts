import { expect, it } from 'vitest';
import type { CaseFailure, GateState } from '../../../../core/gate/contract.ts';
import { gathered, passed } from '../../../../core/gate/verdict.ts';

const failed = (line: number, more: number, of?: 'metric'): CaseFailure => ({
  case: line,
  ...(of && { of }),
  kind: 'different',
  differences: [],
  more,
});

it('a case that a slice runs again counts once, as it was last', () => {
  const before = [failed(2, 0), failed(5, 0), failed(5, 0, 'metric')];
  expect(gathered(before, [failed(5, 1), failed(8, 1)])).toEqual([
    failed(2, 0),
    failed(5, 0, 'metric'),
    failed(5, 1),
    failed(8, 1),
  ]);
});

it('the first twenty are kept', () => {
  const all = Array.from({ length: 25 }, (_, line) => failed(line, 0));
  expect(gathered(all.slice(0, 15), all.slice(15))).toEqual(all.slice(0, 20));
});

it('one is told as one', () => {
  const load = { sent: 200, errors: 1, cold: 1, p95: 40 };
  const state = { count: 1, done: 1, failed: [], load } as unknown as GateState;
  const gate = { tolerance: 1e-4, load: { rate: 20, duration: 10 } };
  expect(passed(state, { gate, memory: 512 })).toBe('1 case; p95 40 ms at 20/s, 1 error, 1 cold start.');
});
