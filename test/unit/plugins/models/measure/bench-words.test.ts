import { expect, it } from 'vitest';
import type { BenchDocument, ScenarioResult } from '../../../../../core/capacity/contract.ts';
import { errorWords, millionWords } from '../../../../../plugins/models/measure/bench-words.ts';

it.each([
  [{ count: 0 }, 'no errors; no cold start'],
  [{ count: 1, median: 250, max: 250 }, 'no errors; 1 cold start, 250 ms'],
  [{ count: 2, median: 250, max: 300 }, 'no errors; 2 cold starts, 250 ms (median), 300 ms (longest)'],
])('says of %j how many started cold', (cold, words) => {
  const outcomes = { ok: 9, wrong: 0, refused: 0, failed: 0, late: 0, unsent: 0 };
  expect(errorWords({ outcomes, cold } as unknown as ScenarioResult)).toBe(words);
});

it('says what is in the cost of a million rows: of a small model logs are most of it', () => {
  const million = { total: 0.647, rate: 527, duration: 0.95, from: 'Lambda’s own duration' };
  expect(millionWords({ million } as unknown as BenchDocument)).toBe(
    '$0.647 a million rows on Lambda, its logs and metrics included, at 527 requests/s and 0.95 ms a request (Lambda’s own duration)',
  );
});
