import { LEAST_ROWS } from '../../../../core/drift/contract.ts';
import { listOf } from '../../../../core/tabular/cells/columns.ts';
import { written } from '../../declaration/keys/units.ts';
import type { Drift, DriftFacts, DriftSignal, Model } from '../../declaration/model.ts';
import {
  alphaOf,
  type DriftBudget,
  discoveryRateOf,
  loneAlpha,
  mostFalseAlarms,
  mostFalseCounts,
  smallestShift,
} from './budget.ts';

/**
 * How a budget of false alarms is shared out, and what it lets the alarms see: for the alarms, and for people
 * before a deploy.
 */

const MONTH = 30 * 86_400;

/**
 * False alarms a month that native alarms together, and the monitor's of inputs and of classes, may make; 0
 * for what is not there.
 */
export type Shares = { readonly native: number; readonly inputs: number; readonly classes: number };

/** An equal part of the budget for each. */
export function sharesOf({ budget }: Drift, facts: DriftFacts): Shares {
  const there = {
    native: nativeSignals(facts).length > 0,
    // Where CloudWatch alone watches them, too: there the monitor's count is what sends a notice.
    inputs: facts.signals.some(({ of }) => of === 'input'),
    classes: classSignals(facts).length > 0,
  };
  const part = budget / Math.max(1, Object.values(there).filter(Boolean).length);
  return {
    native: there.native ? part : 0,
    inputs: there.inputs ? part : 0,
    classes: there.classes ? part : 0,
  };
}

/**
 * Signals whose scores CloudWatch watches; what has no value in the reference can be compared with nothing.
 */
export const nativeSignals = ({ native, signals }: DriftFacts): readonly DriftSignal[] =>
  signals.filter(({ of, kind, m }) => m > 0 && kind === 'numeric' && (native || of === 'output'));

/** Signals that an alarm of scores can see the change of. */
export const seenByScores = (signals: readonly DriftSignal[]): readonly DriftSignal[] =>
  signals.filter(({ constant }) => !constant);

/** Outputs whose shares of classes the monitor watches. */
export const classSignals = ({ signals }: DriftFacts): readonly DriftSignal[] =>
  signals.filter(({ of, kind, m }) => m > 0 && kind === 'category' && of === 'output');

type Declared = Pick<Model, 'traffic'> & { readonly drift: Drift };

/** Requests that are scored in a window of the declared traffic. */
const scoredIn = ({ window, sample }: Drift, traffic: number | undefined): number | undefined =>
  traffic === undefined ? undefined : traffic * window * sample;

export function nativeBudget({ drift, traffic }: Declared, facts: DriftFacts): DriftBudget {
  const signals = nativeSignals(facts);
  return {
    budget: sharesOf(drift, facts).native,
    signals: signals.length,
    windows: MONTH / drift.window,
    m: leastRows(signals),
    effect: drift.effect,
    rows: scoredIn(drift, traffic),
  };
}

/** Budgets of what the monitor counts, by side. */
function countedBudgets({ drift, traffic }: Declared, facts: DriftFacts): readonly DriftBudget[] {
  const { inputs, classes } = sharesOf(drift, facts);
  return [
    { of: 'input', budget: inputs },
    { of: 'output', budget: classes },
  ].flatMap(({ of, budget }) => {
    const signals = facts.signals.filter((signal) => signal.of === of);
    // A column that had no value is tested for having one now, over all rows.
    const m = Math.min(facts.rows, leastRows(signals.filter((signal) => signal.m > 0)));
    const known = { windows: MONTH / drift.window, m, effect: drift.effect, rows: scoredIn(drift, traffic) };
    return budget > 0 ? [{ budget, signals: signals.length, ...known }] : [];
  });
}

/**
 * Rate of false discoveries in a window of the monitor: one for both sides. Without inputs and classes its
 * findings alarm nobody.
 */
export function monitorRate(model: Declared, facts: DriftFacts): number {
  const rates = countedBudgets(model, facts).map(discoveryRateOf);
  return Math.min(...rates, Math.sqrt(model.drift.budget / (MONTH / model.drift.window)), 0.5);
}

const leastRows = (signals: readonly DriftSignal[]): number => Math.min(...signals.map(({ m }) => m));

/** Half of the signals have this φ or less: in them at least as much is found as is stated. */
export function medianPhi(signals: readonly DriftSignal[]): number {
  const sorted = signals.map(({ phi }) => phi).toSorted((one, other) => one - other);
  return sorted[(sorted.length - 1) >> 1] ?? 1;
}

/** φ beyond which the reference cannot support its windows well. */
export const UNSTEADY = 3;

/**
 * What a person should know before the deploy: what is watched, how often that errs, what it finds, and what
 * it cannot.
 */
export function driftLines(model: Declared, facts: DriftFacts): readonly string[] {
  const { drift, traffic } = model;
  const rows = scoredIn(drift, traffic);
  const inputs = facts.signals.filter(({ of }) => of === 'input');
  const outputs = facts.signals.filter(({ of }) => of === 'output');
  const counts = [count(inputs.length, 'input'), count(outputs.length, 'output')].filter(
    (text) => text !== '',
  );
  // The notices of the reference data say why.
  if (counts.length === 0)
    return [
      `nothing is watched: neither inputs nor answers of the model can be held against ${drift.baseline}. No drift will be told; leave \`drift\` out.`,
    ];
  const watched =
    inputs.length === 0
      ? 'no input is watched'
      : `inputs are watched by ${facts.native ? 'CloudWatch alone' : 'the monitor'}`;
  const unsteady = facts.signals.filter(({ phi }) => phi > UNSTEADY);
  const unseen = nativeSignals(facts).filter(({ constant }) => constant);
  return [
    `${counts.join(' and ')} against ${facts.rows} rows of ${drift.baseline}, in windows of ${written(drift.window)}; ${watched}. ${errs(model, facts)}`,
    sees(model, facts, rows),
    ...unseenLines(unseen),
    ...(unsteady.length === 0
      ? []
      : [
          `${unsteady.map(({ label, phi }) => `${label} (φ ${Number(phi.toPrecision(2))})`).join(', ')} ${unsteady.length === 1 ? 'differs' : 'differ'} from window to window in the reference itself, by season or order: only ${toldThere(drift, unsteady)} are told there. A longer window, or a reference of more time, helps.`,
        ]),
  ].filter((line) => line !== '');
}

/** The monitor finds them, and sends notices of inputs. */
function unseenLines(unseen: readonly DriftSignal[]): readonly string[] {
  const line = (of: DriftSignal['of'], alarm: string, told: string): readonly string[] => {
    const labels = unseen.filter((signal) => signal.of === of).map(({ label }) => label);
    return labels.length === 0
      ? []
      : [
          `${listOf(labels)} ${labels.length === 1 ? 'has' : 'have'} one value only in the reference: the alarm of ${alarm} does not tell where that changes. ${told}`,
        ];
  };
  return [
    ...line('input', 'inputs', 'A notice and `sls models drift` do.'),
    ...line('output', 'answers', '`sls models drift` alone does.'),
  ];
}

/** Where no size is asked for, that of a shift follows from traffic alone. */
function toldThere({ effect }: Drift, unsteady: readonly DriftSignal[]): string {
  const size = effect * Math.sqrt(Math.max(...unsteady.map(({ phi }) => phi)));
  return size === 0 ? 'larger shifts' : `shifts beyond ${Number(size.toPrecision(2))} σ and more`;
}

const count = (amount: number, word: string): string =>
  amount === 0 ? '' : `${amount} ${word}${amount === 1 ? '' : 's'}`;

/** False alarms in windows of the size at which it errs most, of all sizes up to the declared traffic. */
function errs(model: Declared, facts: DriftFacts): string {
  const native = nativeBudget(model, facts);
  const q = monitorRate(model, facts);
  const expected =
    (native.signals > 0 ? mostFalseAlarms(native, alphaOf(native)) : 0) +
    countedBudgets(model, facts).reduce((sum, counted) => sum + mostFalseCounts(counted, q), 0);
  // Where the effect's floor is what counts, chance alone never reaches it.
  const few = expected < 0.01;
  // The reference is of all hours, and a shorter window of one: that by night rows are others is no chance.
  const alike = model.drift.window < LONGEST_WINDOW ? ', if the hours of a day are alike' : '';
  return `${few ? 'Fewer than 0.01' : `At most ${Number(expected.toPrecision(2))}`} false alarms a month are expected (budget ${model.drift.budget})${alike}.`;
}

/** Seconds. */
const LONGEST_WINDOW = 86_400;

/** A hundred a day are 99.99… of a second’s share. */
const ROUNDED = 1 + 1e-9;

/** What gives a window rows enough, of which it has too few: each way by itself, or both. */
function adviceFor(rows: number, { window, sample }: Drift): string {
  const [longer, larger] = [LONGEST_WINDOW / window, 1 / sample];
  const most = rows * longer * larger * ROUNDED;
  if (most < LEAST_ROWS)
    return longer > 1 || larger > 1
      ? `The longest, of ${written(LONGEST_WINDOW)}, has ${Math.floor(most)}${larger > 1 ? ' with all of them scored' : ''}: leave \`drift\` out until there is more traffic.`
      : `No window is longer than ${written(LONGEST_WINDOW)}.`;
  const ways = [
    ...(rows * longer * ROUNDED >= LEAST_ROWS ? ['a longer window'] : []),
    ...(rows * larger * ROUNDED >= LEAST_ROWS ? ['a larger `sample`'] : []),
  ];
  return `Choose ${ways.length === 0 ? 'a longer window and a larger `sample`' : ways.join(', or ')}.`;
}

/** Two windows in a row, nine times of ten. */
function sees(model: Declared, facts: DriftFacts, rows: number | undefined): string {
  const { drift } = model;
  if (rows === undefined)
    return 'How small a shift is found depends on traffic, and none is declared (`traffic`).';
  if (rows < LEAST_ROWS) {
    const advice = adviceFor(rows, drift);
    return `At the declared traffic a window has ${Math.floor(rows)} requests${drift.sample < 1 ? ' that are scored' : ''}; with fewer than ${LEAST_ROWS} it is not judged. ${advice}`;
  }
  const found = (of: DriftSignal['of']): string | undefined => {
    const signals = facts.signals.filter(
      (signal) => signal.of === of && signal.kind === 'numeric' && signal.m > 0,
    );
    if (signals.length === 0) return undefined;
    const native = of === 'output' || facts.native;
    // Alone among all, a signal must stand out by the number of them.
    const alpha = native
      ? alphaOf(nativeBudget(model, facts))
      : loneAlpha(monitorRate(model, facts), facts.signals.filter((signal) => signal.of === 'input').length);
    const phi = medianPhi(signals);
    const known = { m: leastRows(signals), effect: drift.effect, phi, alone: !native };
    const shift = smallestShift(known, alpha, rows);
    return `${Number(shift.toPrecision(2))} σ in ${of === 'input' ? 'an input' : 'an output'}${phi < 1.05 ? '' : ` of median φ (${Number(phi.toPrecision(2))})`}`;
  };
  const shifts = [found('input'), found('output')].filter((text) => text !== undefined);
  return shifts.length === 0
    ? ''
    : `At the declared traffic (${Math.round(rows / drift.sample)} requests a window${drift.sample < 1 ? `, of which ${Math.round(rows)} are scored` : ''}) a shift of ${shifts.join(', or ')} is found.`;
}
