/** The windows that most tables are made of, drawn once a size: without drift, and with each kind of it. */
import { PARTS } from '../../core/drift/contract.ts';
import { once } from '../release/cells.ts';
import { randomOf } from '../release/random.ts';
import { DETECTORS, type Detector, statistics } from './detectors.ts';
import type { Change } from './draws.ts';
import { changed, referenceOf, window } from './draws.ts';

export const SIZES = [50, 100, 300, 1000, 5000] as const;
/** Windows with drift, of those without. */
const DRIFTED = 20;

export const CHANGES = {
  '0.25 σ': { shift: 0.25 },
  '0.5 σ': { shift: 0.5 },
  '1 σ': { shift: 1 },
  'sd × 1.5': { scale: 1.5 },
  '10 % of rows + 3 σ': { shift: 3, share: 0.1 },
} as const satisfies Readonly<Record<string, Change>>;
export type ChangeName = keyof typeof CHANGES;
export const CHANGE_NAMES = Object.keys(CHANGES) as readonly ChangeName[];

/** By detector, its statistic in every window. */
export type Seen = Readonly<Record<Detector, Float32Array>>;
export type Pool = {
  readonly still: ReadonlyMap<number, Seen>;
  readonly drifted: (n: number, change: ChangeName) => Seen;
};

function seenBy(seed: string, windows: number, n: number, change: Change): Seen {
  const random = randomOf(seed);
  const seen = Object.fromEntries(DETECTORS.map((name) => [name, new Float32Array(windows)])) as Seen;
  const counts = new Float64Array(PARTS);
  for (let i = 0; i < windows; i++) {
    // Every window has a reference of its own, so that no table depends on one.
    window(random, n, changed(referenceOf(random), change), counts);
    const found = statistics(counts);
    for (const name of DETECTORS) seen[name][i] = found[name];
  }
  return seen;
}

export const pool = once((runs: number): Pool => {
  const still = new Map(SIZES.map((n) => [n, seenBy(`still ${n}`, runs, n, {})]));
  const drifted = new Map(
    SIZES.flatMap((n) =>
      CHANGE_NAMES.map((name) => [
        `${n} ${name}`,
        seenBy(`${n} ${name}`, Math.ceil(runs / DRIFTED), n, CHANGES[name]),
      ]),
    ),
  );
  return {
    still,
    drifted: (n, change) => {
      const seen = drifted.get(`${n} ${change}`);
      if (seen === undefined) throw new Error(`There are no windows of ${n} rows with ${change}.`);
      return seen;
    },
  };
});

/** Share of the windows beyond a limit. */
export function beyond(values: Float32Array, limit: number): number {
  let count = 0;
  for (const value of values) if (value > limit) count++;
  return count / values.length;
}

/** The limit that a share of the windows is beyond, linear between them. */
export function limitOf(values: Float32Array, share: number): number {
  const sorted = values.toSorted();
  const at = (sorted.length - 1) * (1 - share);
  const [low = 0, high = low] = sorted.subarray(Math.floor(at), Math.floor(at) + 2);
  return low + (at - Math.floor(at)) * (high - low);
}
