import { expect, it } from 'vitest';
import type { ScenarioResult } from '../../../../../core/capacity/contract.ts';
import { errorWords } from '../../../../../plugins/models/measure/bench-words.ts';

it.each([
  [{ count: 0 }, 'no errors; no cold start'],
  [{ count: 1, median: 250, max: 250 }, 'no errors; 1 cold start, 250 ms'],
  [{ count: 2, median: 250, max: 300 }, 'no errors; 2 cold starts, 250 ms (median), 300 ms (longest)'],
])('says of %j how many started cold', (cold, words) => {
  const outcomes = { ok: 9, wrong: 0, refused: 0, failed: 0, late: 0, unsent: 0 };
  expect(errorWords({ outcomes, cold } as unknown as ScenarioResult)).toBe(words);
});
