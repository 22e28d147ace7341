import { performance } from 'node:perf_hooks';
import { DRIFT_METRICS, type DriftLine, type Signal } from '../../core/drift/contract.ts';
import { type Days, startDays } from '../local-aws/drift-days.ts';
import { deployMonitor, packed, rowsOf, type Scene, traffic } from '../local-aws/drift-scene.ts';
import { invoke } from '../local-aws/lambda.ts';

/** Requests of a window; and a hundredth of them. */
export const BUSY = 100_000;
export const HUNDREDTH_OF_BUSY = BUSY / 100;

/**
 * A window of that many requests, of one row and of ten in turn: every row in every cell, and all sums, are
 * in the monitor's document, and metrics say the same. What the endpoint's meter wrote is added up here a
 * second time, in whole units of 10⁻⁴.
 */
export async function busyWindow(requests: number): Promise<string> {
  const days = await startDays();
  try {
    const own = await packed('wide', rowsOf(2000));
    await days.keep(own);
    const expected = own.scored.signals.map(({ of, counts }) => ({
      of,
      cells: counts.map(() => 0),
      a: 0,
      b: 0,
    }));
    let rows = 0;
    const scene = await days.serve('busy', own, (one: Scene) => {
      const events = traffic(one, days.last, requests);
      for (const { message } of events) {
        const line = JSON.parse(message) as Partial<DriftLine>;
        if (line.drift === undefined) continue;
        rows += line.rows ?? 0;
        add(line as DriftLine, expected);
      }
      return events;
    });
    await deployMonitor(days.aws, 'shop-dev-models-drift', [scene.watched]);
    const began = performance.now();
    const { error, log } = await invoke(days.aws, 'shop-dev-models-drift');
    const seconds = (performance.now() - began) / 1000;
    if (error !== undefined) throw new Error(log);
    await compare(days, requests, rows, expected);
    const memory = /Max Memory Used: (\d+) MB/.exec(log)?.[1] ?? '?';
    return `${requests} requests, ${rows} rows, all counts exact, monitor ${seconds.toFixed(1)} s and ${memory} MB`;
  } finally {
    await days.stop();
  }
}

type Sums = { readonly of: Signal['of']; readonly cells: number[]; a: number; b: number };

function add({ a, b, cells }: DriftLine, to: readonly Sums[]): void {
  for (const [i, sums] of to.entries()) {
    sums.a += Math.round((a[i] ?? 0) * 1e4);
    sums.b += Math.round((b[i] ?? 0) * 1e4);
    const own = typeof cells === 'string' ? single(cells.charAt(i)) : (cells[i] ?? []);
    // A request counts once in the sums of an output, with a tenth in each of ten rows' cells.
    const weight = sums.of === 'output' ? own.reduce((sum, count) => sum + count, 0) : 1;
    for (const [cell, count] of own.entries())
      sums.cells[cell] = (sums.cells[cell] ?? 0) + (count ?? 0) / weight;
  }
}

function single(digit: string): readonly number[] {
  if (digit === '-') return [];
  const counts = new Array<number>(Number.parseInt(digit, 36) + 1).fill(0);
  counts[counts.length - 1] = 1;
  return counts;
}

async function compare(days: Days, requests: number, rows: number, expected: readonly Sums[]): Promise<void> {
  const found = await days.document('busy', days.last);
  const seen = await days.metric('busy', DRIFT_METRICS.seen, 'Maximum');
  const wrong = [
    ...(found.requests === requests ? [] : [`${found.requests} requests`]),
    ...(found.rows === rows && rows === 5.5 * requests ? [] : [`${found.rows} of ${rows} rows`]),
    ...(seen['0'] === rows ? [] : [`${seen['0']} rows in the metric`]),
    ...found.signals.flatMap(({ label, n, cells, shift, smooth }, i) => {
      const { cells: own, a, b } = expected[i] as Sums;
      const faults = own.every((count, cell) => Math.abs((cells[cell] ?? 0) - count) < 1e-3)
        ? []
        : [`cells of ${label}`];
      // The document has what follows from a and b.
      if (shift !== undefined && Math.abs(shift * n - a / 1e4) > 1e-6) faults.push(`sum of ${label}`);
      if (smooth !== undefined && shift !== undefined) {
        const m = 2000;
        const t = (m / (n * (n + m))) * ((a / 1e4) ** 2 + (b / 1e4) ** 2);
        if (Math.abs(smooth.t - t) > 1e-9 * Math.max(1, t)) faults.push(`statistic of ${label}`);
      }
      return faults;
    }),
  ];
  if (wrong.length > 0) throw new Error(`counted wrong: ${wrong.join(', ')}`);
}
