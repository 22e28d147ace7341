import { expect, test } from 'vitest';
import { canarySees, forecastSays } from '../../../core/judge/forecast-text.ts';
import { ERRORS_AT, OUTPUT_AT, REJECTED_AT, REVERSED_AT, SLOW_AT } from '../../../core/judge/regression.ts';
import { judge, type Options, type Position } from '../../../core/judge/verdict.ts';
import { EXAMPLE } from '../core/judge/example.ts';
import { generated, table } from './pages.ts';

/**
 * Parts of docs/judge.md that the code computes. `UPDATE_DOCS=1 vitest run --project unit
 * docs/judge-generated` writes them.
 */
const options: Options = { minRequests: 100, increase: 0.01, expectedShift: 0.2, outputs: [] };
const looks = EXAMPLE.map((minute, i) => {
  const last = EXAMPLE[i + 1];
  const bakeOver = last === undefined || last.step !== minute.step;
  const position: Position = { index: minute.step, nextWeight: minute.step === 0 ? 0.25 : 0.5, bakeOver };
  return { minute, finding: judge(EXAMPLE.slice(0, i + 1), position, options) };
});

const stake = (lnE: number): string => {
  const value = Math.exp(lnE);
  return value < 100 ? value.toPrecision(2) : Math.floor(value).toLocaleString('en-US');
};

const example = table(
  [
    'minute',
    'weight',
    'candidate',
    'stable',
    'stake',
    'against 1.25×',
    'difference',
    'minutes agree',
    'verdict',
  ],
  looks.map(({ minute: { weight, candidate, stable }, finding }, i) => {
    const { lnE = 0, lnE125 = 0, delta = 0, steady = 0 } = finding.signals[0]?.numbers ?? {};
    return [
      String(i + 1),
      `${100 * weight} %`,
      `${candidate.errors} of ${candidate.requests}`,
      `${stable.errors} of ${stable.requests}`,
      stake(lnE),
      stake(lnE125),
      `${(100 * delta).toFixed(2)} points`,
      steady.toFixed(2),
      `\`${finding.verdict}\``,
    ];
  }),
);

const failed = looks.find(({ finding }) => finding.verdict === 'fail')?.finding.reason ?? '';

const stakes = table(
  ['signal', 'fails at a stake of', 'so of healthy releases, at most'],
  [
    ['errors', String(ERRORS_AT), `${100 / ERRORS_AT} %`],
    ['slow requests', String(SLOW_AT), `${100 / SLOW_AT} %`],
    ['refused requests', String(REJECTED_AT), `${100 / REJECTED_AT} %`],
    ['outputs', `${OUTPUT_AT} × their number`, `${100 / OUTPUT_AT} %`],
    ['errors, after an alarm', String(REVERSED_AT), `${100 / REVERSED_AT} %`],
  ],
);

const plan = {
  steps: [0.05, 0.25, 0.5].map((weight) => ({ weight, bake: 600 })),
  minRequests: 100,
  increase: 0.01,
  maxWait: 7200,
};
const forecast = [
  '```text',
  ...[10, 1].flatMap((perSecond) => [...forecastSays({ ...plan, perSecond }), '']),
  canarySees(40 / 3600, { weight: 0.1, from: 0.01, to: 0.03 }),
  '```',
].join('\n');

test.each([
  ['stakes', stakes],
  ['example', example],
  ['reason', `> ${failed}`],
  ['forecast', forecast],
])('docs/judge.md: %s', (name, text) => {
  const { found, wanted } = generated('docs/judge.md', name, text);
  expect(found).toBe(wanted);
});

test('the page tells what the example shows', () => {
  expect(looks.findIndex(({ finding }) => finding.verdict === 'fail')).toBe(10);
  expect(failed).toMatch(/^errors: /);
});
