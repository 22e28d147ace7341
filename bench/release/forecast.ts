/**
 * Whether what a deploy prints comes true: the simulated power at the number of requests that the forecast
 * names.
 */
import type { Row } from '../../core/judge/counts.ts';
import { forecast } from '../../core/judge/forecast.ts';
import { planPower } from '../../core/judge/power.ts';
import { cells, once, percent, type Table } from './cells.ts';
import type { Random } from './random.ts';
import { evidenceAlone, ours, type Rule } from './rules.ts';
import { erring, planOf, requests } from './traffic.ts';

const RULES: readonly Rule[] = [{ name: 'E(1) alone', first: evidenceAlone }, ours];
const CHANGES: readonly (readonly [from: number, ratio: number])[] = [
  [0.01, 2],
  [0.01, 3],
  [0.01, 5],
  [0.001, 10],
  [0.001, 100],
  [0.05, 2],
];
/** Looks in which the forecast's requests come. */
const LOOKS = 100;
const points = (share: number): number => Number((100 * share).toPrecision(6));

export type Forecasts = {
  readonly tables: readonly Table[];
  /** Least and greatest power of E(1) where the forecast says 80 %. */
  readonly least: number;
  readonly greatest: number;
  /** Largest difference between formula and simulation for whole plans. */
  readonly apart: number;
};

export const forecasts = once((runs: number): Forecasts => {
  const single = [0.05, 0.1, 0.25, 0.5].flatMap((weight) =>
    CHANGES.map(([from, ratio]) => {
      const to = from * ratio;
      const { requests: needed, candidateRequests } = forecast({ weight, from, to });
      const steps = [{ weight, minutes: LOOKS }];
      const release = (random: Random): readonly Row[] =>
        erring(random, requests(random, needed / LOOKS / 60, steps), to, from);
      const [alone, judge] = cells(`forecast ${weight} ${from} ${ratio}`, runs, release, RULES);
      return {
        weight,
        from,
        to,
        needed,
        candidateRequests,
        alone: alone?.found ?? 0,
        judge: judge?.found ?? 0,
      };
    }),
  );
  const plans = [1, 3, 10, 100].flatMap((perSecond) =>
    (
      [
        [0.01, 0.015],
        [0.01, 0.02],
        [0.01, 0.03],
        [0.01, 0.05],
        [0.001, 0.01],
      ] as const
    ).map(([from, to]) => {
      const steps = planOf(perSecond);
      const planned = steps.map(({ weight, minutes }) => ({ weight, seconds: minutes * 60 }));
      const [alone, judge] = cells(
        `plan ${perSecond} ${from} ${to}`,
        runs,
        (random) => erring(random, requests(random, perSecond, steps), to, from),
        RULES,
      );
      const formula = planPower(planned, perSecond, { from, to });
      return { perSecond, from, to, formula, alone: alone?.found ?? 0, judge: judge?.found ?? 0 };
    }),
  );
  return {
    tables: [
      {
        title: 'Forecast of one weight',
        about:
          'Requests until a regression is found with 80 % probability, and how often it was found by then, %.',
        head: [
          'weight',
          'errors',
          'requests',
          'of them candidate',
          'hours at 40 req/h',
          'E(1) alone',
          'judge',
        ],
        rows: single.map(({ weight, from, to, needed, candidateRequests, alone, judge }) => [
          `${100 * weight} %`,
          `${points(from)}→${points(to)} %`,
          needed.toFixed(0),
          candidateRequests.toFixed(0),
          (needed / 40).toFixed(0),
          percent(alone),
          percent(judge),
        ]),
      },
      {
        title: 'Forecast of a plan',
        about: 'Probability that the three steps find it, %, by formula and by simulation.',
        head: ['traffic', 'errors', 'formula', 'E(1) alone', 'judge'],
        rows: plans.map(({ perSecond, from, to, formula, alone, judge }) => [
          `${perSecond}/s`,
          `${points(from)}→${points(to)} %`,
          percent(formula),
          percent(alone),
          percent(judge),
        ]),
      },
    ],
    least: Math.min(...single.map(({ alone }) => alone)),
    greatest: Math.max(...single.map(({ alone }) => alone)),
    apart: Math.max(...plans.map(({ formula, alone }) => Math.abs(formula - alone))),
  };
});
