import { expect, test } from 'vitest';
import { isRun } from '../../account/check.ts';
import { CHECKS } from '../../account/checks.ts';
import { mostDollars, standing, UNITS } from '../../account/prices.ts';
import { DEPLOY_MINUTES, dollarsText, quoteOf, quoteText, REMOVE_MINUTES } from '../../account/quote.ts';

const items = [
  ...Array.from({ length: 12 }, (_, i) => ({ what: 'alarm', name: `a${i}`, resources: 1 })),
  { what: 'function', name: 'f', resources: 5 },
];

test('minutes are those after which everything is given up', () => {
  const checks = CHECKS.filter(isRun).slice(0, 2);
  const [one, two] = checks.map(({ minutes }) => minutes);
  expect(quoteOf(checks, items).minutes).toBe(DEPLOY_MINUTES + (one ?? 0) + (two ?? 0) + REMOVE_MINUTES);
});

test('dollars are counts times prices, twice', () => {
  expect(mostDollars([{ s3Gb: 1 }, { httpRequest: 1e6 }])).toBeCloseTo(2 * (0.023 + 1), 9);
  expect(standing(61, { alarms: 3, functions: 1 })).toMatchObject({ alarmMetricHour: 3 * 10 * 2 });
  for (const { dollars, source } of Object.values(UNITS)) {
    expect(dollars).toBeGreaterThan(0);
    expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/.+\/pricing\//);
  }
});

test('more checks cost more, and all of them a few dollars at most', () => {
  const all = quoteOf(CHECKS, items);
  const few = quoteOf(CHECKS.slice(0, 3), items);
  expect(few.dollars).toBeLessThan(all.dollars);
  expect(all.dollars).toBeLessThan(5);
  expect(dollarsText(0.001)).toBe('$0.01');
});

test('the text has account, region, resources, bound and what to do after a crash', () => {
  const text = quoteText(
    { id: '123456789012', arn: 'arn:aws:iam::123456789012:user/ann', region: 'eu-central-1' },
    { name: 'smcheck-01234567', tag: 'serverless-models-account' },
    CHECKS,
    items,
  );
  expect(text).toContain('account 123456789012, region eu-central-1');
  expect(text).toContain(' 12 alarms');
  expect(text).toContain('serverless-models-account=smcheck-01234567');
  expect(text).toMatch(/At most \$\d+\.\d\d \(us-east-1, 2025, .*\) and at most \d+ minutes/);
  expect(text).toContain('npm run account -- --clean');
});
