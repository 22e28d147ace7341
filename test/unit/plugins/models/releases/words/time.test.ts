import { expect, it } from 'vitest';
import { answerLine } from '../../../../../../plugins/models/releases/words/lines.ts';
import { moment } from '../../../../../../plugins/models/releases/words/time.ts';

it('shows what is no time as a person wrote it, and ends no command', () => {
  const until = 'until 2026-11-28T24:30Z';
  const answer = { model: 'churn', phase: 'HELD', running: false, reason: `held by ann: ${until}` } as const;
  expect(answerLine(answer).line).toContain(until);
  expect(moment('2026-11-28T23:30Z', Date.parse('2026-11-28T23:00Z'))).toBe('23:30:00 UTC (in 30 min)');
});
