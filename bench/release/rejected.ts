/**
 * Refused requests: mistakes of clients, which both versions refuse, and candidates that refuse what is no
 * mistake.
 */
import { counting, type Row } from '../../core/judge/counts.ts';
import { rejectedFails } from '../../core/judge/regression.ts';
import { type Cell, cells, once, seen, type Table } from './cells.ts';
import type { Random } from './random.ts';
import { NEVER, type Rule } from './rules.ts';
import { erring, type Kind, planOf, requests } from './traffic.ts';

const SPEEDS: readonly number[] = [1, 10, 100];

/** Shares that stable version and candidate refuse, and how clients' mistakes come. */
type Case = { readonly name: string; readonly from: number; readonly to: number; readonly kind?: Kind };

const HEALTHY: readonly Case[] = [
  { name: 'both 0.1 %', from: 0.001, to: 0.001 },
  { name: 'both 1 %', from: 0.01, to: 0.01 },
  { name: 'both 10 %', from: 0.1, to: 0.1 },
  { name: 'both 50 %', from: 0.5, to: 0.5 },
  { name: 'both 1 %, for three minutes 50 %', from: 0.01, to: 0.01, kind: 'outage' },
  { name: 'both 1 %, noisy', from: 0.01, to: 0.01, kind: 'noise' },
];
const NARROWER: readonly Case[] = [
  { name: '0→5 %', from: 0, to: 0.05 },
  { name: '0→40 %', from: 0, to: 0.4 },
  { name: '0→100 %', from: 0, to: 1 },
  { name: '1→2 %', from: 0.01, to: 0.02 },
  { name: '1→5 %', from: 0.01, to: 0.05 },
  { name: '10→50 %', from: 0.1, to: 0.5 },
];

const RULE: Rule = {
  name: 'judge',
  first: (minutes) => {
    const add = counting();
    const at = minutes.findIndex((minute) => rejectedFails(add(minute)));
    return at < 0 ? NEVER : at;
  },
};

export type Rejected = {
  readonly table: Table;
  /** The worst share of healthy releases that were rolled back. */
  readonly falseRollbacks: number;
  /** By the name of a case, and requests a second. */
  readonly of: (name: string, perSecond: number) => Cell;
};

export const rejected = once((runs: number): Rejected => {
  const made = [...HEALTHY, ...NARROWER].map(({ name, from, to, kind }) => ({
    name,
    cells: SPEEDS.map((perSecond) => {
      const steps = planOf(perSecond);
      const release = (random: Random): readonly Row[] =>
        erring(random, requests(random, perSecond, steps), to, from, kind);
      const [cell] = cells(`rejected ${name} ${perSecond}`, runs, release, [RULE]);
      if (cell === undefined) throw new Error('One rule gives one cell.');
      return cell;
    }),
  }));
  const of = (name: string, perSecond: number): Cell => {
    const cell = made.find((one) => one.name === name)?.cells[SPEEDS.indexOf(perSecond)];
    if (cell === undefined) throw new Error(`There is no cell ${name}, ${perSecond}/s.`);
    return cell;
  };
  return {
    table: {
      title: 'Refused requests',
      about:
        'Share of releases rolled back for refused requests (%), median minute, mean candidate requests until then. What both versions refuse are clients’ mistakes: by themselves, in a wave of three minutes, or with a lognormal factor (sd 1) a minute.',
      head: ['refused', ...SPEEDS.map((perSecond) => `${perSecond}/s`)],
      rows: made.map(({ name, cells }) => [name, ...cells.map(seen)]),
    },
    falseRollbacks: Math.max(
      ...HEALTHY.flatMap(({ name }) => SPEEDS.map((perSecond) => of(name, perSecond).found)),
    ),
    of,
  };
});
