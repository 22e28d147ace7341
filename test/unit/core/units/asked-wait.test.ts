import { expect, it } from 'vitest';
import { askedWait } from '../../../../core/units/asked-wait.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');

it.each([
  [{ 'retry-after': '7' }, 7000],
  [{ 'retry-after': 'Fri, 20 Nov 2026 10:00:09 GMT' }, 9000],
  [{ 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '7', ratelimit: '"api";r=0;t=55' }, 7000],
  [{ ratelimit: '"api";r=0;t=55' }, 55_000],
  [{ ratelimit: '"pages";r=0;t=5, "api"; r=0; t=9, "resolvers";r=01;t=300' }, 9000],
  [{ ratelimit: '"api";r=489;t=189' }, undefined],
  [{ ratelimit: '"api";r=0' }, undefined],
  [{}, undefined],
])('%j is %s ms', (headers, wait) => {
  expect(askedWait(headers, NOW)).toBe(wait);
});
