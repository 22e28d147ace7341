import type { Baseline, DriftWindow, Signal, SignalWindow, Watched } from './contract.ts';
import { strongest } from './strength.ts';
import { quotedName, signalWords, spanWords } from './text.ts';

/**
 * What the alerts topic is told of drift: columns, how far each moved, a picture, what to do. Shares and
 * counts only, no value of a row.
 */

/** Columns in a notice, and those with a picture; the window's document has all. */
const TOLD = 10;
const PICTURES = 3;
/** Characters of the longest bar. */
const BAR = 24;

/** Findings that drifted in this window and in the one before: what alarms count. */
export type Counted = { readonly inputs: readonly SignalWindow[]; readonly classes: readonly SignalWindow[] };

/**
 * All inputs count, but only the classes of outputs: scores of outputs have an alarm of CloudWatch's own.
 *
 * @param before what was found in the window before
 */
export function countedOf(
  { baseline: digest, signals }: DriftWindow,
  baseline: Baseline | undefined,
  before: DriftWindow | undefined,
): Counted {
  const again = new Set(
    before?.baseline === digest
      ? before.signals.filter(({ drifted }) => drifted).map(({ name }) => name)
      : [],
  );
  const known = (wanted: (signal: Signal) => boolean): readonly SignalWindow[] =>
    signals.filter((found, index) => {
      const signal = baseline?.signals[index];
      return signal !== undefined && wanted(signal) && found.drifted && again.has(found.name);
    });
  return { inputs: known(({ of }) => of === 'input'), classes: known(({ value }) => value === 'label') };
}

/** What is new since the window before: a drift that goes on is told of once. */
export const newlyCounted = (now: Counted, before: Counted): Counted => ({
  inputs: before.inputs.length > 0 ? [] : now.inputs,
  classes: before.classes.length > 0 ? [] : now.classes,
});

/** @param counted not empty */
export function driftNotice(
  { model, functionName }: Pick<Watched, 'model' | 'functionName'>,
  found: DriftWindow,
  baseline: Baseline,
  counted: Counted,
): { readonly subject: string; readonly text: string } {
  const what = [
    ...(counted.inputs.length > 0 ? [`${counted.inputs.length} of its inputs`] : []),
    ...(counted.classes.length > 0 ? ['the shares of its classes'] : []),
  ].join(' and ');
  const columns = [...counted.inputs, ...counted.classes]
    .toSorted((one, other) => (strongest(other).size ?? 0) - (strongest(one).size ?? 0))
    .flatMap((one) => {
      const signal = baseline.signals[found.signals.indexOf(one)];
      return signal === undefined ? [] : [{ signal, one }];
    });
  const rest = columns.length - TOLD;
  return {
    subject: `${model}: drift of ${what}`,
    text: [
      `${model} (${functionName}): ${what} drifted, in two windows in a row.`,
      `The last one: ${spanWords(found)}, against ${baseline.rows} rows of reference data.`,
      '',
      ...columns.slice(0, TOLD).map(({ signal, one }) => `  ${signalWords(signal, one)}`),
      ...(rest > 0 ? [`  and ${rest} more`] : []),
      ...columns.slice(0, PICTURES).flatMap(({ signal, one }) => ['', ...picture(signal, one)]),
      '',
      `What to do: see "sls models drift --model ${model}", and "sls models report" for a page with all columns. Where the new data are right, train and deploy a model on them, with them as reference; else correct what sends them. Nothing is rolled back.`,
    ].join('\n'),
  };
}

/**
 * Shares of the cells, those of the reference beside the live ones. Cells have numbers: their edges and names
 * may be values of rows.
 */
function picture(signal: Signal, { cells }: SignalWindow): readonly string[] {
  const [before, now] = [signal.counts, cells].map(sharesOf) as [readonly number[], readonly number[]];
  const most = Math.max(...before, ...now, Number.MIN_VALUE);
  const drawn = (share: number): string =>
    `${'█'.repeat(Math.round((share / most) * BAR)).padEnd(BAR)} ${`${wholePercent(share)} %`.padStart(5)}`;
  const order = signal.kind === 'numeric' ? 'lowest values first' : 'most frequent values first';
  return [
    `  ${quotedName(signal.label)}, ${order}`,
    `  ${''.padEnd(6)} ${'reference'.padEnd(BAR + 6)}  this window`,
    ...before.map((share, cell) =>
      `  ${cellName(signal, cell).padEnd(6)} ${drawn(share)}  ${drawn(now[cell] ?? 0)}`.trimEnd(),
    ),
  ];
}

/** What is neither none nor all does not read as if it were. */
function wholePercent(share: number): string {
  if (share > 0 && share < 0.005) return '<1';
  return share >= 0.995 && share < 1 ? '>99' : (100 * share).toFixed(0);
}

function cellName(signal: Signal, cell: number): string {
  const own = signal.kind === 'numeric' ? signal.counts.length : signal.values.length;
  return cell < own ? `${cell + 1}` : cell === own ? 'other' : 'unseen';
}

function sharesOf(counts: readonly number[]): readonly number[] {
  const all = Math.max(
    1,
    counts.reduce((sum, count) => sum + count, 0),
  );
  return counts.map((count) => count / all);
}
