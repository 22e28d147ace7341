/**
 * Every figure of the judge that is held against a limit, and every table. A table is simulated once, however
 * many figures read it; the same seeds give the same figures on every machine.
 */
import type { Table } from './cells.ts';
import { equal, type World } from './equal.ts';
import { changeOf, drifts, falseRollbacks, floor, power, tiny, worstFalse } from './errors.ts';
import { fleet } from './fleet.ts';
import { forecasts } from './forecast.ts';
import { latency } from './latency.ts';
import { output } from './output.ts';
import { rejected } from './rejected.ts';
import { watch } from './watch.ts';
import { BOUNDED, bounds, HEALTHY, SPEEDS, whole } from './whole.ts';

/** Outputs, watching and the fleet cost more a release than the rest. */
const ofOutput = (runs: number) => output(Math.ceil(runs / 20));
const ofWatch = (runs: number) => watch(Math.ceil(runs / 10));
const ofFleet = (runs: number) => fleet(Math.ceil(runs / 50));

/** A figure of at most `limit`: a share, shown in percent, or a plain number. */
export type Figure = {
  /** One line for the table. */
  readonly about: string;
  readonly limit: number;
  readonly unit: '%' | 'min' | '';
  readonly ours?: string;
  readonly of: (runs: number) => number;
};

function figure(
  name: string,
  about: string,
  limit: number,
  of: (runs: number) => number,
  unit: Figure['unit'] = '%',
): readonly [name: string, figure: Figure] {
  return [`release-${name}`, { about, limit, unit, of }];
}

const missed = (perSecond: number, from: number, to: number) => (runs: number) =>
  1 - power(runs).of(changeOf(perSecond, from, to)).found;
const time = (perSecond: number, from: number, to: number) => (runs: number) =>
  power(runs).of(changeOf(perSecond, from, to)).minute;
const slowest = (world: World, changes: readonly number[]) => (runs: number) =>
  Math.max(...changes.map((change) => equal(runs).ratio(world, 'threshold', change)));

const sooner = (name: string, about: string, limit: number, of: (runs: number) => number) =>
  [`release-${name}`, { about, limit, unit: '', ours: 'judge ÷ best threshold rule', of }] as const;

export const FIGURES: ReadonlyMap<string, Figure> = new Map([
  figure('false', 'healthy releases rolled back for errors, worst of calm, outage and noise', 0.92, (runs) =>
    worstFalse(runs, ['iid', 'outage', 'noise']),
  ),
  figure('false-sick', 'the same with sick instances', 5, (runs) => worstFalse(runs, ['sick'])),
  figure('false-hosts', 'the same with hosts so unequal that no rule’s assumptions hold', 5, (runs) =>
    worstFalse(runs, ['hosts']),
  ),
  figure(
    'false-whole',
    'healthy whole releases rolled back, four signals, worst case; 0.92 for three, and 0.24 for refused requests',
    1.16,
    (runs) =>
      Math.max(...HEALTHY.flatMap((name) => SPEEDS.map((speed) => whole(runs).of(name, speed).rolledBack))),
  ),
  figure(
    'false-hours',
    'healthy, six hours of looks every minute; 0.9 and three standard errors',
    1.53,
    (runs) => Math.max(...[1, 5, 50].map((weight) => drifts(runs).of(`6 h at ${weight} %`).found)),
  ),
  figure('missed-double', 'errors 1→2 % at 10/s not found', 11, missed(10, 0.01, 0.02)),
  figure('missed-five', 'errors 1→5 % at 10/s not found', 0.1, missed(10, 0.01, 0.05)),
  figure('missed-quiet', 'errors 1→5 % at 1/s not found', 7, missed(1, 0.01, 0.05)),
  figure('minutes-five', 'errors 1→5 % at 10/s, median time', 5, time(10, 0.01, 0.05), 'min'),
  figure('minutes-tenth', 'errors 0→10 % at 10/s, median time', 2, time(10, 0, 0.1), 'min'),
  sooner(
    'sooner',
    'median time to find a regression, each rule at our false rollbacks over calm, outage, noise and sick instances; worst of seven regressions',
    1,
    slowest('real', [0, 1, 2, 3, 4, 5, 6]),
  ),
  sooner(
    'sooner-calm',
    'the same in calm traffic only, where thresholds are at their best, and where the stable version has errors',
    1.15,
    slowest('calm', [0, 1, 2, 5, 6]),
  ),
  figure('held-clean', 'healthy without errors, not promoted, worst of 1, 10 and 100/s', 0.5, (runs) =>
    Math.max(
      ...['1/s', '10/s', '100/s'].map((speed) => 1 - whole(runs).of('healthy, no errors', speed).promoted),
    ),
  ),
  figure(
    'held-one',
    'healthy with 1 % errors at 10/s, not promoted',
    1,
    (runs) => 1 - whole(runs).of('healthy, 1 % errors', '10/s').promoted,
  ),
  figure('escaped-tenth', 'whole releases with errors 0→10 % promoted, worst of all traffic', 0.1, (runs) =>
    Math.max(...SPEEDS.map((speed) => whole(runs).of('errors 0→10 %', speed).promoted)),
  ),
  figure(
    'escaped-double',
    'whole releases with errors 1→2 % at 10/s promoted',
    5,
    (runs) => whole(runs).of('errors 1→2 %', '10/s').promoted,
  ),
  figure(
    'bound-double',
    'errors 1→2 % at 1/s promoted (89 % without the bound)',
    12.5,
    (runs) => bounds(runs).of('1→2 %', BOUNDED).promoted,
  ),
  figure(
    'bound-first',
    'errors 0→1 % at 1/s promoted (39 % without the bound)',
    5.6,
    (runs) => bounds(runs).of('0→1 %', BOUNDED).promoted,
  ),
  figure(
    'bound-triple',
    'errors 1→3 % at 1/s promoted (56 % without the bound)',
    0.3,
    (runs) => bounds(runs).of('1→3 %', BOUNDED).promoted,
  ),
  figure('slow-false', 'equal latency rolled back, hosts 10 % apart at most, 10/s', 5.5, (runs) =>
    Math.max(
      ...['equal, hosts alike', 'equal', 'equal, hosts 10 %'].map((name) => latency(runs).of(10, name).found),
    ),
  ),
  figure('slow-missed', 'twice as slow, not found, worst of all traffic', 0.1, (runs) =>
    Math.max(...[1, 10, 100].map((perSecond) => 1 - latency(runs).of(perSecond, '2×').found)),
  ),
  figure(
    'rejected-false',
    'clients’ mistakes, refused by both versions: rolled back, worst of all traffic; 0.625 by design',
    0.625,
    (runs) => rejected(runs).falseRollbacks,
  ),
  figure(
    'rejected-missed',
    'the candidate refuses 5 % or 40 % of what the stable version serves, not found, worst of all traffic',
    0.1,
    (runs) =>
      Math.max(
        ...['0→5 %', '0→40 %'].flatMap((name) =>
          [1, 10, 100].map((perSecond) => 1 - rejected(runs).of(name, perSecond).found),
        ),
      ),
  ),
  figure(
    'rejected-minutes',
    'the candidate refuses 40 % at 10/s, median time',
    2,
    (runs) => rejected(runs).of('0→40 %', 10).minute,
    'min',
  ),
  figure('output-false', 'the world moves by 0.5 σ, the model is fine: rolled back', 0.2, (runs) =>
    Math.max(...[1, 10, 100].map((perSecond) => ofOutput(runs).of(perSecond, 0.5, 0).found)),
  ),
  figure(
    'output-missed',
    'outputs moved by 0.5 σ at 10/s, not found',
    0.5,
    (runs) => 1 - ofOutput(runs).of(10, 0, 0.5).found,
  ),
  figure(
    'watch-false',
    'a healthy day after promotion rolled back, alarm from history; 1.4 and three standard errors',
    2.5,
    (runs) =>
      Math.max(
        ...[1, 10, 100].map((perSecond) => ofWatch(runs).of(perSecond, 'healthy', 'history').rolledBack),
      ),
  ),
  figure(
    'watch-missed',
    'errors 0.5→2.5 % after promotion at 10/s, not rolled back within the day',
    0.5,
    (runs) => 1 - ofWatch(runs).of(10, '0.5→2.5 %', 'history').rolledBack,
  ),
  figure('forecast', 'power below the 80 % that the forecast promises, worst of 24', 4, (runs) =>
    Math.max(0, 0.8 - forecasts(runs).least),
  ),
  figure(
    'fleet-blind',
    'releases of a fleet up to 10⁸ requests a day that passed a step without its data',
    0,
    (runs) => ofFleet(runs).blind,
    '',
  ),
  figure(
    'fleet-false',
    'healthy releases of the fleet rolled back, worst of all traffic',
    5,
    (runs) => ofFleet(runs).falseRollbacks,
  ),
  figure(
    'fleet-escaped',
    'bad releases of the fleet promoted, from 10⁷ requests a day',
    1,
    (runs) => ofFleet(runs).escaped,
  ),
]);

/** All tables of docs/judge-bench.md, simulated already if the claims were measured. */
export function tables(runs: number): readonly Table[] {
  const { iid, outage, noise, sick, hosts } = falseRollbacks(runs);
  return [
    ...[iid, outage, noise, sick, hosts].map(({ table }) => table),
    power(runs).table,
    ...equal(runs).tables,
    floor(runs).table,
    ...tiny(runs).map(({ table }) => table),
    drifts(runs).table,
    ...latency(runs).tables,
    rejected(runs).table,
    ofOutput(runs).table,
    whole(runs).table,
    bounds(runs).table,
    ...forecasts(runs).tables,
    ofWatch(runs).table,
    ofFleet(runs).table,
  ];
}
