import { createHash } from 'node:crypto';
import { baselinesIn } from '../../../../core/drift/baselines.ts';
import {
  type Baseline,
  type CategorySignal,
  type DriftLine,
  type NumericSignal,
  PARTS,
  type Signal,
  type Watched,
} from '../../../../core/drift/contract.ts';
import { type DriftDocuments, driftDocuments } from '../../../../core/drift/documents.ts';
import { monitor } from '../../../../core/drift/monitor.ts';
import { locationOf, rankOf, spreadOf } from '../../../../core/drift/score.ts';
import { type Chaos, calm } from '../../../fakes/chaos.ts';
import { fakeLogs } from '../../../fakes/logs.ts';
import { fakeNotices } from '../../../fakes/metrics.ts';
import { fakeObjects } from '../../../fakes/objects.ts';

/** A model with reference data, its log, and the monitor that watches it. */

const M = 10_000;

/** Values spread evenly over 0 to 1: the rank is the value. */
export function numeric(label: string, changes: Partial<NumericSignal> = {}): NumericSignal {
  const sd = 1 / Math.sqrt(12);
  return {
    kind: 'numeric',
    name: label,
    label,
    of: 'input',
    tensor: 'x',
    column: 0,
    nulls: 0,
    phi: 1,
    value: 'element',
    knots: Array.from({ length: PARTS + 1 }, (_, i) => i / PARTS),
    mean: 0.5,
    sd,
    skew: 0,
    spread: 1 / Math.sqrt(180),
    edges: Array.from({ length: 9 }, (_, i) => (i + 1) / 10),
    counts: Array.from({ length: 10 }, () => M / 10),
    ...changes,
  };
}

/** Every row of the reference is 7. */
export const constant = (label: string): NumericSignal =>
  numeric(label, {
    knots: Array.from({ length: PARTS + 1 }, () => 7),
    sd: 0,
    spread: 0,
    edges: [7],
    counts: [M, 0],
  });

export const category = (label: string, changes: Partial<CategorySignal> = {}): CategorySignal => ({
  kind: 'category',
  name: label,
  label,
  of: 'input',
  tensor: 'x',
  column: 0,
  nulls: 0,
  phi: 1,
  value: 'element',
  values: ['a', 'b', 'c'],
  rare: [],
  counts: [6000, 3000, 1000, 0, 0],
  ...changes,
});

export const baselineOf = (
  signals: readonly Signal[] = [
    numeric('age'),
    category('plan'),
    numeric('score', { of: 'output', tensor: 'y', value: 'prediction' }),
  ],
): Baseline => ({ schema: 1, source: 'f'.repeat(64), rows: M, signals });

export const digestOf = (baseline: Baseline): string =>
  createHash('sha256').update(JSON.stringify(baseline)).digest('hex');

/** A row: values by label; null for none. What is not named is in the middle of the reference, in turn. */
export type Row = Readonly<Record<string, number | string | null>>;
let turn = 0;

function taken(signal: Signal, row: Row): number | string | null {
  const value = row[signal.label];
  if (value !== undefined) return value;
  turn += 1;
  if (signal.kind === 'numeric') return signal.sd === 0 ? 7 : (turn * 0.618_033_988_75) % 1;
  const share = (turn * 0.754_877_666) % 1;
  return share < 0.6 ? 'a' : share < 0.9 ? 'b' : 'c';
}

/** What the endpoint writes of a request. */
export function lineOf(baseline: Baseline, digest: string, ...rows: readonly Row[]): string {
  const found = baseline.signals.map((signal) => {
    let [a, b, used] = [0, 0, 0];
    const cells = signal.counts.map(() => 0);
    for (const row of rows) {
      const value = taken(signal, row);
      if (value === null) continue;
      used += 1;
      const cell = cellOf(signal, value);
      cells[cell] = (cells[cell] ?? 0) + 1;
      if (signal.kind === 'category') continue;
      const rank = rankOf(signal.knots, Number(value));
      const location = locationOf(signal, rank);
      a += location;
      b += spreadOf(signal, rank, location);
    }
    const share = signal.of === 'output' ? Math.max(1, used) : 1;
    return { a: Math.round((a / share) * 1e4) / 1e4, b: Math.round((b / share) * 1e4) / 1e4, cells };
  });
  const one = found.map(({ cells }) => {
    const cell = cells.indexOf(1);
    return cell < 0 ? '-' : cell.toString(36);
  });
  const line: DriftLine = {
    drift: digest,
    v: '3',
    rows: rows.length,
    a: found.map(({ a }) => a),
    b: found.map(({ b }) => b),
    cells: rows.length === 1 ? one.join('') : found.map(({ cells }) => cells),
  };
  return JSON.stringify(line);
}

function cellOf(signal: Signal, value: number | string): number {
  if (signal.kind === 'category') {
    const own = signal.values.indexOf(String(value));
    if (own >= 0) return own;
    return signal.values.length + (signal.rare.includes(String(value)) ? 0 : 1);
  }
  const cell = signal.edges.findIndex((edge) => Number(value) <= edge);
  return cell < 0 ? signal.edges.length : cell;
}

export const WATCHED: Watched = {
  model: 'churn',
  functionName: 'shop-dev-churn',
  logGroup: '/aws/lambda/shop-dev-churn',
  window: 3600,
  q: 0.01,
  effect: 0.1,
};
export const SCOPE = 'models/1/us-east-1/shop/dev/';
export const HOUR = 3_600_000;

/** @param start what the clock says at first */
export function scene(start: string, chaos: Chaos = calm) {
  let now = Date.parse(start);
  let left = 280_000;
  const objects = fakeObjects(chaos);
  const logs = fakeLogs(chaos);
  const notices = fakeNotices(chaos);
  logs.make(WATCHED.logGroup);
  const published: Record<string, unknown>[] = [];
  const told: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const documents: DriftDocuments = driftDocuments(objects.port, SCOPE);
  const world = {
    logs: logs.port,
    documents,
    baseline: baselinesIn(objects.port, 'models/files/'),
    clock: () => now,
    left: () => left,
    out: (line: string) => {
      published.push(JSON.parse(line));
    },
    log: (level: string, message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      told.push({ level, message, fields });
    },
    notify: notices.port,
  };
  return {
    world,
    objects,
    logs,
    published,
    told,
    notices: notices.published,
    /** Puts a baseline into the registry. @returns its digest */
    keep: (baseline: Baseline): string => {
      const digest = digestOf(baseline);
      objects.set(`models/files/${digest}`, JSON.stringify(baseline));
      return digest;
    },
    /** Requests of one row each, spread over the window that ends at a time. */
    serve: (baseline: Baseline, to: string, count: number, row: (n: number) => Row = () => ({})): void => {
      const digest = digestOf(baseline);
      const step = HOUR / count;
      for (let n = 0; n < count; n += 1)
        logs.put(
          WATCHED.logGroup,
          Math.floor(Date.parse(to) - HOUR + n * step),
          lineOf(baseline, digest, row(n)),
        );
    },
    at: (time: string): void => {
      now = Date.parse(time);
    },
    leave: (milliseconds: number): void => {
      left = milliseconds;
    },
    run: (...watched: readonly Watched[]) => monitor(world, watched.length > 0 ? watched : [WATCHED]),
    document: (name: string) => {
      const found = objects.objects.get(`${SCOPE}drift/churn/${name}.json`);
      return found && JSON.parse(found.text);
    },
    names: () =>
      [...objects.objects.keys()]
        .filter((key) => key.startsWith(`${SCOPE}drift/`))
        .map((key) => key.slice(`${SCOPE}drift/churn/`.length, -'.json'.length)),
  };
}
