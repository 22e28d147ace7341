/**
 * Where a plain limit errs: looks every minute, much data, lumps that S2 hardly sees, and a world that moves
 * during a release.
 */
import { chi } from '../../core/drift/chi.ts';
import { PARTS } from '../../core/drift/contract.ts';
import { psi } from '../../core/drift/statistics/psi.ts';
import { smooth } from '../../core/drift/statistics/smooth.ts';
import { smoothThreshold } from '../../core/drift/statistics/threshold.ts';
import { shift as shiftOf } from '../../core/judge/output.ts';
import { once, percent, type Table } from '../release/cells.ts';
import { type Random, randomOf } from '../release/random.ts';
import { normal } from '../release/special.ts';
import { allSumsOf, changed, folded, M, referenceOf, sumsOf, window } from './draws.ts';
import { ALPHA, share } from './power.ts';

const PLAIN = smoothThreshold(1, 0, ALPHA);
const DECILES = { kind: 'numeric', phi: 1, counts: Array<number>(10).fill(M / 10) } as const;
const tOf = (counts: Float64Array): number => smooth(sumsOf(counts), M, 1)?.t ?? 0;

export type Peeking = { readonly table: Table; readonly times: number };
/** An hour looked at once an hour, or slid by the minute. Sums of many rows are normal. */
export const peeking = once((runs: number): Peeking => {
  const [HOUR, MINUTES] = [60, 720 * 60];
  const monthsRun = Math.ceil(runs / 1000);
  const random = randomOf('peeking');
  const [a, b] = [new Float64Array(MINUTES + 1), new Float64Array(MINUTES + 1)];
  let [tumbling, sliding, pairs] = [0, 0, 0];
  for (let run = 0; run < monthsRun; run++) {
    for (let i = 1; i <= MINUTES; i++) {
      a[i] = (a[i - 1] ?? 0) + random.normal() / Math.sqrt(HOUR);
      b[i] = (b[i - 1] ?? 0) + random.normal() / Math.sqrt(HOUR);
    }
    let [was, wasHour] = [false, false];
    for (let i = HOUR; i <= MINUTES; i++) {
      const [x, y] = [(a[i] ?? 0) - (a[i - HOUR] ?? 0), (b[i] ?? 0) - (b[i - HOUR] ?? 0)];
      const is = x * x + y * y > PLAIN;
      if (is && !was) sliding++;
      was = is;
      if (i % HOUR !== 0) continue;
      if (is) tumbling++;
      if (is && wasHour) pairs++;
      wasHour = is;
    }
  }
  const each = (count: number): string => (count === 0 ? '0' : (count / monthsRun).toPrecision(2));
  return {
    times: sliding / Math.max(1, tumbling),
    table: {
      title: 'Looking every minute',
      about: `False alarms of one signal in a month, S2 at ${ALPHA}: an hour at a time, an hour slid by the minute, and two hours in a row.`,
      head: ['once an hour', 'every minute', '2 of 2 hours'],
      rows: [[each(tumbling), each(sliding), each(pairs)]],
    },
  };
});

export type Floor = { readonly table: Table };
export const floor = once((runs: number): Floor => {
  const windows = Math.ceil(runs / 40);
  const rows = [300, 1000, 5000].flatMap((n) =>
    [0, 0.05, 0.1, 0.2, 0.5].map((shift) => {
      const random = randomOf(`floor ${n} ${shift}`);
      const counts = new Float64Array(PARTS);
      const ne = (n * M) / (n + M);
      const limit = smoothThreshold(ne, 0.1, ALPHA);
      let [plain, floored, size] = [0, 0, 0];
      for (let i = 0; i < windows; i++) {
        window(random, n, changed(referenceOf(random), { shift }), counts);
        const found = smooth(sumsOf(counts), M, 1);
        if ((found?.t ?? 0) > PLAIN) plain++;
        if ((found?.t ?? 0) > limit) floored++;
        size += found?.size ?? 0;
      }
      return [
        `${n}`,
        `${shift} σ`,
        share(plain / windows),
        share(floored / windows),
        `${(size / windows).toFixed(2)} σ`,
      ];
    }),
  );
  return {
    table: {
      title: 'The effect floor',
      about: `Shares of windows flagged at ${ALPHA}, plain and beyond an effect of 0.1 σ, and the mean of the size that is told.`,
      head: ['rows', 'shift', 'S2', 'S2 with floor', 'size'],
      rows,
    },
  };
});

const LUMPS: Readonly<Record<string, (x: number, random: Random) => number>> = {
  'rounded to whole σ': (x) => Math.round(x),
  '15 % frozen at the median': (x, random) => (random.uniform() < 0.15 ? 0 : x),
  '15 % frozen at 0.8 σ': (x, random) => (random.uniform() < 0.15 ? 0.8 : x),
};

export type Lumps = { readonly table: Table; readonly least: number };
/** Changes that keep mean and spread of the ranks: what chi² is there for. */
export const lumps = once((runs: number): Lumps => {
  const windows = Math.ceil(runs / 200);
  const cells = [100, 300, 1000].flatMap((n) =>
    Object.entries(LUMPS).map(([name, lump]) => {
      const random = randomOf(`lumps ${n} ${name}`);
      const counts = new Float64Array(PARTS);
      const found = { s2: 0, chi: 0, either: 0, psi: 0 };
      for (let i = 0; i < windows; i++) {
        counts.fill(0);
        for (let row = 0; row < n; row++) {
          // The first part whose upper edge is not below the value.
          const u = normal(lump(random.normal(), random));
          const part = Math.min(PARTS - 1, Math.max(0, Math.ceil(u * PARTS) - 1));
          counts[part] = (counts[part] ?? 0) + 1;
        }
        const ten = folded(counts, 10);
        const [smoothP, chiP] = [smooth(sumsOf(counts), M, 1)?.p ?? 1, chi(DECILES, ten)?.p ?? 1];
        if (smoothP < ALPHA) found.s2++;
        if (chiP < ALPHA) found.chi++;
        if (2 * Math.min(smoothP, chiP) < ALPHA) found.either++;
        if ((psi(DECILES.counts, ten) ?? 0) > 0.2) found.psi++;
      }
      return { n, name, found: Object.values(found).map((count) => count / windows) };
    }),
  );
  return {
    least: Math.min(...cells.filter(({ n }) => n >= 300).map(({ found }) => found[2] ?? 0)),
    table: {
      title: 'Lumps',
      about: `Shares of windows found at ${ALPHA}; the monitor takes twice the lesser p of S2 and chi².`,
      head: ['rows', 'what happens', 'S2', 'chi²', 'twice the lesser p', 'PSI > 0.2'],
      rows: cells.map(({ n, name, found }) => [`${n}`, name, ...found.map(share)]),
    },
  };
});

const MOVES: readonly (readonly [world: number, model: number])[] = [
  [0, 0],
  [0.5, 0],
  [1, 0],
  [0, 0.5],
  [0.5, 0.5],
];

export type Canary = {
  readonly table: Table;
  /** Share of single looks of R3 that call for a rollback. */
  readonly of: (n: number, world: number, model: number) => number;
};
/** A tenth of the traffic, held against the reference, or against the stable version in the same window. */
export const canary = once((runs: number): Canary => {
  const windows = Math.ceil(runs / 20);
  const cells = [100, 300].flatMap((n) =>
    MOVES.map(([world, model]) => {
      const random = randomOf(`canary ${n} ${world} ${model}`);
      const [own, others] = [new Float64Array(PARTS), new Float64Array(PARTS)];
      const found = { reference: 0, stable: 0, corrected: 0 };
      for (let i = 0; i < windows; i++) {
        const below = referenceOf(random);
        window(random, n, changed(below, { shift: world + model }), own);
        window(random, 9 * n, changed(below, { shift: world }), others);
        const [first, second] = [allSumsOf(own), allSumsOf(others)];
        const { ne, q } = shiftOf([[first, second]]);
        const [d1, d2] = [first.a / first.n - second.a / second.n, first.b / first.n - second.b / second.n];
        if (tOf(own) > PLAIN) found.reference++;
        if (ne * (d1 * d1 + d2 * d2) > PLAIN) found.stable++;
        if (ne * q * q > PLAIN) found.corrected++;
      }
      return { n, world, model, found: Object.values(found).map((count) => count / windows) };
    }),
  );
  return {
    of: (n, world, model) =>
      cells.find((one) => one.n === n && one.world === world && one.model === model)?.found[2] ?? Number.NaN,
    table: {
      title: 'A canary while the world moves',
      about: `10 % canary; single looks at ${ALPHA} that would roll back, %. R3 is the last column: against the stable version, by its covariance.`,
      head: ['canary rows', 'world moves', 'model moves', 'against the reference', 'against stable', 'R3'],
      rows: cells.map(({ n, world, model, found }) => [
        `${n}`,
        `${world} σ`,
        `${model} σ`,
        ...found.map(percent),
      ]),
    },
  };
});
