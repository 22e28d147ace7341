/** Errors: the judge beside what others do, each look a minute, three steps. */
import type { Row } from '../../core/judge/counts.ts';
import { cells, type Grid, grid, once, percent, seen } from './cells.ts';
import type { Random } from './random.ts';
import { evidenceAlone, ours, type Rule, rulesOf } from './rules.ts';
import { erring, type Kind, planOf, requests } from './traffic.ts';

/** Requests a second, and error rate. */
type Traffic = readonly [perSecond: number, rate: number];
/** Paths of the simulated group-sequential bounds, per run of a cell. */
const PATHS = 20;

const OURS = ours.name;
const nameOf = ([perSecond, rate]: Traffic): string => `${100 * rate} % ${perSecond}/s`;
const HEALTHY: readonly Traffic[] = [
  [1, 0.01],
  [10, 0],
  [10, 0.001],
  [10, 0.01],
  [100, 0.01],
  [1000, 0.01],
];

/** Healthy releases that a rule rolled back, for each way in which errors come. */
export const falseRollbacks = once((runs: number): Readonly<Record<Kind, Grid>> => {
  const of = (kind: Kind): Grid =>
    grid(
      `Healthy releases rolled back, %: ${ABOUT[kind][0]}`,
      ABOUT[kind][1],
      HEALTHY.map((traffic) => {
        const [perSecond, rate] = traffic;
        const steps = planOf(perSecond);
        const rules = rulesOf(steps, runs * PATHS);
        const release = (random: Random): readonly Row[] =>
          erring(random, requests(random, perSecond, steps), rate, rate, kind);
        return {
          name: nameOf(traffic),
          rules,
          cells: cells(`healthy ${kind} ${traffic}`, runs, release, rules),
        };
      }),
      ({ found }) => percent(found),
    );
  return { iid: of('iid'), outage: of('outage'), noise: of('noise'), sick: of('sick'), hosts: of('hosts') };
});

const ABOUT: Readonly<Record<Kind, readonly [title: string, about: string]>> = {
  iid: ['calm traffic', 'Each request fails by itself, at the same rate in both versions.'],
  outage: ['a shared outage', 'Both versions fail in half of their requests for three minutes, once.'],
  noise: ['shared noise', 'A lognormal factor (sd 1) a minute moves the rate of both versions.'],
  sick: ['sick instances', 'Errors come in bursts of mean ten, each version’s own, at the same mean rate.'],
  hosts: [
    'unequal hosts',
    'Every version’s minute has a rate of its own (intra-class correlation 0.01): no test’s assumptions hold.',
  ],
};

export const worstFalse = (runs: number, kinds: readonly Kind[]): number =>
  Math.max(
    ...kinds.flatMap((kind) =>
      HEALTHY.map((traffic) => falseRollbacks(runs)[kind].of(nameOf(traffic)).found),
    ),
  );

/** Error rates of stable and candidate version. */
const CHANGES: readonly (readonly [perSecond: number, from: number, to: number])[] = [
  [10, 0.01, 0.02],
  [10, 0.01, 0.05],
  [10, 0.001, 0.01],
  [10, 0, 0.1],
  [10, 0, 1],
  [1, 0.01, 0.05],
  [100, 0.01, 0.02],
];
const points = (share: number): number => Number((100 * share).toPrecision(6));
export const changeOf = (perSecond: number, from: number, to: number): string =>
  `${perSecond}/s ${points(from)}→${points(to)} %`;

export const power = once(
  (runs: number): Grid =>
    grid(
      'Regressions found',
      'Share of releases rolled back (%), median minute, mean candidate requests until then. Rules with a threshold “find” 1→2 % because they roll back 1→1 % too.',
      CHANGES.map(([perSecond, from, to]) => {
        const steps = planOf(perSecond);
        const rules = rulesOf(steps, runs * PATHS);
        const name = changeOf(perSecond, from, to);
        return {
          name,
          rules,
          cells: cells(
            `power ${name}`,
            runs,
            (random) => erring(random, requests(random, perSecond, steps), to, from),
            rules,
          ),
        };
      }),
      seen,
    ),
);

const HOURS = 360;

/** 40 requests an hour, six hours at one weight; a table a weight. */
export const tiny = once((runs: number): readonly Grid[] => {
  const changes: readonly (readonly [number, number])[] = [
    [0.01, 0.01],
    [0.01, 0.05],
    [0, 0.1],
    [0, 0.5],
    [0, 1],
  ];
  return [0.05, 0.1, 0.5].map((weight) => {
    const steps = [{ weight, minutes: HOURS }];
    const rules = rulesOf(steps, 0).filter(({ name }) => !name.startsWith('Mann'));
    const columns = changes.map(([from, to]) => {
      const name = `${points(from)}→${points(to)} %`;
      const release = (random: Random): readonly Row[] =>
        erring(random, requests(random, 40 / 3600, steps), to, from);
      return { name, rules, cells: cells(`tiny ${weight} ${name}`, runs, release, rules) };
    });
    return grid(
      `Tiny traffic at ${points(weight)} %`,
      '40 requests an hour, one step of six hours. Found (%), median minute, candidate requests.',
      columns,
      seen,
    );
  });
});

/** What is too small to act on, and what an outage hides for a while. */
export const floor = once((runs: number): Grid => {
  const steps = planOf(1000);
  const rules = rulesOf(steps, 0).filter(({ name }) =>
    [OURS, 'E(1) alone', 'naive z each minute'].includes(name),
  );
  const small: readonly (readonly [number, number, number])[] = [
    [1000, 0.01, 0.011],
    [1000, 0.01, 0.012],
    [1000, 0.01, 0.0125],
    [1000, 0.01, 0.015],
    [1000, 0.0001, 0.0002],
    [100, 0.1, 0.13],
  ];
  return grid(
    'The least effect, and after an outage',
    'Found (%), median minute, candidate requests. In the last three columns both versions fail in half of their requests in minutes 3 to 5, and the candidate is worse throughout.',
    [
      ...small.map(([perSecond, from, to]) => {
        const name = changeOf(perSecond, from, to);
        return {
          name,
          rules,
          cells: cells(
            `floor ${name}`,
            runs,
            (random) => erring(random, requests(random, perSecond, planOf(perSecond)), to, from),
            rules,
          ),
        };
      }),
      ...[10, 100, 1000].map((perSecond) => {
        const name = `outage, ${changeOf(perSecond, 0.01, 0.05)}`;
        const release = (random: Random): readonly Row[] =>
          requests(random, perSecond, planOf(perSecond)).map((minute, i) => {
            const isOutage = i >= 2 && i < 5;
            const x1 = random.binomial(minute.n1, isOutage ? 0.525 : 0.05);
            return { ...minute, x1, x2: random.binomial(minute.n2, isOutage ? 0.505 : 0.01) };
          });
        return { name, rules, cells: cells(`floor ${name}`, runs, release, rules) };
      }),
    ],
    seen,
  );
});

/** The split is not what the alias says, and six hours of looks every minute. */
export const drifts = once((runs: number): Grid => {
  const rules: readonly Rule[] = [{ name: 'E(1) alone', first: evidenceAlone }, ours];
  const column = (
    name: string,
    count: number,
    perSecond: number,
    steps: ReturnType<typeof planOf>,
    bias: number,
  ) => ({
    name,
    rules,
    cells: cells(
      `drifts ${name}`,
      count,
      (random) => erring(random, requests(random, perSecond, steps, bias), 0.01, 0.01),
      rules,
    ),
  });
  return grid(
    'What the coin needs',
    'Healthy releases rolled back (%) at 1 % errors: where the true split is off by the share named, which the judge’s error verdict is for; and over six hours of looks at one weight, 10/s.',
    [
      ...[0.9, 1.1, 1.25].flatMap((bias) =>
        [10, 1000].map((perSecond) =>
          column(`split × ${bias}, ${perSecond}/s`, runs, perSecond, planOf(perSecond), bias),
        ),
      ),
      ...[0.01, 0.05, 0.5].map((weight) =>
        column(`6 h at ${100 * weight} %`, Math.ceil(runs / 5), 10, [{ weight, minutes: HOURS }], 1),
      ),
    ],
    ({ found }) => percent(found),
  );
});
