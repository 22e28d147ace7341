import {
  DRIFT_METRICS as DRIFT,
  type DriftLine,
  type ScoredBaseline,
  type Signal,
} from '../../core/drift/contract.ts';
import { MOST_ROWS, type Placed, readersOf, type TensorRows } from '../../core/drift/drift-rows.ts';
import { clear, createTally, repeat, type Tally } from '../../core/drift/drift-tally.ts';
import { createLineWriter, unitsOf } from '../../core/drift/drift-text.ts';
import { METRICS } from '../../core/metrics/contract.ts';
import type { Signature } from '../../core/tensor/contract.ts';
import type { Tensor } from '../../core/tensor/datatypes.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { directivesOf } from './emf.ts';

/**
 * What an answered request gives the meter to write. It holds sums and counts, and quotes no value that
 * came or went; a single row’s can nearly be told by them.
 */
export type Drifted = {
  /** A `DriftLine` without its closing brace: what Lambda's log level asks for may follow. */
  readonly line: string;
  /** For the line of metrics: directives, and members, each with a comma before it. */
  readonly directives: string;
  readonly members: string;
};

/**
 * Scores requests against reference data. All that does not depend on the request is made here, once.
 *
 * A request with more rows than `MOST_ROWS` has so many of them scored, evenly spaced, and `rows` is the
 * number of those: sums and counts of a window then are of what was scored, as is the n of its tests. They
 * take rows for independent: a request of one row and its near copies weighs as many. Data with a period may
 * meet the spacing, and then show only a part of it.
 *
 * Where requests are very many, a share of them is scored, each by chance: counting them off would meet the
 * rhythm of regular traffic. What was not scored is in no sum, count or n of its tests.
 *
 * @param graph what ONNX Runtime takes and gives: a free first dimension tells a column from a row
 * @returns what is to be published of the graph's inputs and outputs; undefined where no row came, or the
 * request is not scored
 */
export function createDrift(
  { baseline, native, sample = 1, signals }: ScoredBaseline,
  graph: Pick<Signature, 'inputs' | 'outputs'>,
  environment: NodeJS.ProcessEnv,
): (inputs: Tensors, outputs: Tensors) => Drifted | undefined {
  const tally = createTally(signals);
  const { a, b, used } = tally;
  const read = (of: Signal['of']): Scored[] => {
    const placed = signals
      .map((signal, place) => ({ signal, place }))
      .filter(({ signal }) => signal.of === of);
    const tensors = new Set(placed.map(({ signal }) => signal.tensor));
    return [...tensors].map((tensor) => {
      const spec = graph[of === 'input' ? 'inputs' : 'outputs'].find(({ name }) => name === tensor);
      const group = placed.filter(({ signal }) => signal.tensor === tensor);
      const readers = readersOf(group, (spec?.shape[0] ?? -1) < 0, tally);
      const isConstant = group.every(({ signal }) => hasOneValue(signal));
      return { tensor, readers, isConstant, places: group.map(({ place }) => place), rows: 0 };
    });
  };
  const inputTensors = read('input');
  const outputTensors = read('output');
  const outputPlaces = Int32Array.from(signals.flatMap(({ of }, place) => (of === 'output' ? [place] : [])));
  const metricsOf = createMetrics(signals, native, tally);
  const marks = {
    drift: baseline,
    v: environment.AWS_LAMBDA_FUNCTION_VERSION ?? '$LATEST',
    ...(sample < 1 && { sample }),
  } satisfies Pick<DriftLine, 'drift' | 'v' | 'sample'>;
  const lineOf = createLineWriter(`${JSON.stringify(marks).slice(0, -1)},"rows":`, tally, MOST_ROWS);

  return (inputs, outputs) => {
    if (sample < 1 && Math.random() >= sample) return undefined;
    clear(tally);
    let scoredInputs = mostOf(inputTensors, inputs);
    if (scoredInputs > 1 && inputTensors.some((one) => one.rows === 1 && !one.isConstant)) {
      clear(tally);
      scoredInputs = mostOf(inputTensors, oneRowOf(inputTensors, inputs));
    }
    const scoredOutputs = mostOf(outputTensors, outputs);
    const rows = inputTensors.length > 0 ? scoredInputs : scoredOutputs;
    if (rows === 0) return undefined;
    // A constant that is given once is of each row: no other one lacks it.
    for (const { places, rows: own } of inputTensors)
      if (own === 1 && rows > 1) for (const place of places) repeat(tally, place, rows);
    // Rows of one answer are not independent: of an output, a request is one observation.
    for (const place of outputPlaces) {
      const share = 1 / Math.max(1, used[place] as number);
      a[place] = (a[place] as number) * share;
      b[place] = (b[place] as number) * share;
    }
    const isSingle = Math.max(rows, scoredOutputs) === 1;
    return { line: lineOf(rows, isSingle), ...metricsOf(rows) };
  };
}

/**
 * What reads a tensor, its signals' numbers, whether they are constant in the reference, and how many of its
 * rows were scored last.
 */
type Scored = {
  readonly tensor: string;
  readonly readers: readonly TensorRows[];
  readonly isConstant: boolean;
  readonly places: readonly number[];
  rows: number;
};

const hasOneValue = (signal: Signal): boolean =>
  signal.kind === 'numeric' ? signal.sd === 0 : signal.values.length + signal.rare.length < 2;

/**
 * Inputs of which some are given once for all rows of the request: rows that share these are one observation.
 * So one row of the others is scored with them, by chance.
 */
function oneRowOf(scored: readonly Scored[], tensors: Tensors): Tensors {
  const chance = Math.random();
  const single: Record<string, Tensor> = { ...tensors };
  for (const { tensor: name, rows } of scored) {
    const tensor = tensors[name];
    if (tensor === undefined || rows < 2) continue;
    const [count = 0, ...rest] = tensor.shape;
    const width = tensor.data.length / count;
    const start = Math.floor(chance * count) * width;
    single[name] = {
      ...tensor,
      shape: [1, ...rest],
      data: tensor.data.slice(start, start + width),
    } as Tensor;
  }
  return single;
}

function mostOf(scored: readonly Scored[], tensors: Tensors): number {
  let most = 0;
  for (const one of scored) {
    one.rows = 0;
    for (const read of one.readers) one.rows = Math.max(one.rows, read(tensors));
    most = Math.max(most, one.rows);
  }
  return most;
}

type Metrics = Pick<Drifted, 'directives' | 'members'>;

/**
 * Sums of outputs are metrics always, those of inputs where native alarms watch them; by the model alone, as
 * all drift is. They are in units of the reference's own noise, which makes those of versions with different
 * references one: `METRICS.score`.
 */
function createMetrics(
  signals: readonly Signal[],
  native: boolean,
  { a, b, used }: Tally,
): (rows: number) => Metrics {
  const published: Placed[] = signals
    .map((signal, place) => ({ signal, place }))
    // What has no value in the reference can be compared with nothing.
    .filter(({ signal }) => signal.kind === 'numeric' && rowsOf(signal) > 0)
    .filter(({ signal }) => native || signal.of === 'output');
  const named = published.map(({ signal: { name, of, phi }, place }) => ({
    place,
    scale: 1 / Math.sqrt(phi),
    first: `,"${DRIFT.score}${name}_a":`,
    second: `,"${DRIFT.score}${name}_b":`,
    without: of === 'input' ? `${DRIFT.null}${name}` : undefined,
  }));
  const sums = published.flatMap(({ signal: { name } }) =>
    ['a', 'b'].map((score) => `${DRIFT.score}${name}_${score}`),
  );
  const [rowNoise, answerNoise] = [noiseOf(published, 'input'), noiseOf(published, 'output')];
  const names = [
    ...(rowNoise > 0 ? [DRIFT.rows, DRIFT.rowsNoise] : []),
    ...(answerNoise > 0 ? [DRIFT.answers] : []),
    ...sums,
  ];
  const answers = answerNoise > 0 ? `,"${DRIFT.answers}":${answerNoise}${NOISE}` : '';
  const always = names.length === 0 ? '' : `,${directivesOf(names, MODEL)}`;
  return (rows) => {
    let members =
      rowNoise > 0
        ? `,"${DRIFT.rows}":${rows},"${DRIFT.rowsNoise}":${rows * rowNoise}${NOISE}${answers}`
        : answers;
    const nulls: string[] = [];
    for (const { place, scale, first, second, without } of named) {
      members +=
        first + numberOf((a[place] as number) * scale) + second + numberOf((b[place] as number) * scale);
      const count = rows - (used[place] as number);
      if (without === undefined || count === 0) continue;
      nulls.push(without);
      members += `,"${without}":${count}`;
    }
    const directives = nulls.length === 0 ? always : `${always},${directivesOf(nulls, MODEL)}`;
    return { directives, members };
  };
}
const MODEL = [[METRICS.model]];

/**
 * Whole numbers of 10⁻¹², as sums are of 10⁻⁴: of a thousand rows, too, they are exact, and to nine digits
 * those of ten million.
 */
const NOISE = 'e-12';

/**
 * @returns 1/√m in those, m the fewest rows of a side's references: with more, a sum would be a little less
 * certain; 0 for no signal
 */
function noiseOf(published: readonly Placed[], side: Signal['of']): number {
  const rows = published.filter(({ signal }) => signal.of === side).map(({ signal }) => rowsOf(signal));
  return rows.length === 0 ? 0 : Math.round(1e12 / Math.sqrt(Math.min(...rows)));
}

/** m: rows of the reference with a value. */
const rowsOf = ({ counts }: Signal): number => counts.reduce((sum, count) => sum + count, 0);

/** As in the line, in whole numbers, which V8 writes four times faster than fractions. */
function numberOf(sum: number): string {
  const units = unitsOf(sum);
  return units === 0 ? '0' : `${units}e-4`;
}
