import { expect, it } from 'vitest';
import { sinceOf } from '../../../../../plugins/models/context/context.ts';

it('reads how far back to look', () => {
  expect(sinceOf({})).toBe(86_400);
  expect(sinceOf({ since: '455d' }, 455)).toBe(455 * 86_400);
  // Documents of drift are kept for good.
  expect(sinceOf({ since: '1000d' })).toBe(1000 * 86_400);
});

it('refuses what CloudWatch keeps nothing of', () => {
  for (const since of ['456d', '999999999d', `${'9'.repeat(400)}d`])
    expect(() => sinceOf({ since }, 455)).toThrow(
      /--since: .* is further back than CloudWatch keeps metrics\. Write at most 455d\./,
    );
  expect(() => sinceOf({ since: '0s' })).toThrow('0s is no time at all. Write for example 2h or 7d.');
});
