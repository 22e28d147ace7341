import { chi } from './chi.ts';
import type { Baseline, NumericSignal, Signal, SignalWindow, Watched } from './contract.ts';
import { LEAST_ROWS, PARTS } from './contract.ts';
import { greatestScores, rankOf } from './score.ts';
import { hochberg } from './statistics/hochberg.ts';
import { psi } from './statistics/psi.ts';
import { type Share, shareTest } from './statistics/share.ts';
import { type ScoreSums, type Smooth, smooth } from './statistics/smooth.ts';
import { effectFloor, effectiveRows } from './statistics/threshold.ts';
import { bonferroni } from './strength.ts';
import type { SignalSums, Sums } from './sums.ts';

/**
 * Which signals of a window have drifted: significant among all of them (Benjamini and Hochberg, at `q`), and
 * past the effect floor in the statistic that says so, since with rows enough any difference is significant.
 *
 * A signal is asked two things. Do its values lie as they did: the smooth test, which sees location and
 * spread; chi² over the cells, which sees lumps, and is the only one for categories; and the share of cells
 * that were empty, where there are such (unseen categories, anything but a constant). p is the least times
 * their number. And: are as many missing? Inputs and outputs are judged among themselves, since they have
 * alarms of their own.
 */
export function judgeSignals(
  { signals }: Pick<Sums, 'signals'>,
  baseline: Baseline,
  { q, effect }: Pick<Watched, 'q' | 'effect'>,
): readonly SignalWindow[] {
  const looked = baseline.signals.map((signal, index) =>
    look(signal, signals[index] ?? NOTHING, baseline.rows, { q, effect }),
  );
  const drifted = new Set<Looked>();
  for (const side of ['input', 'output'] as const) {
    const asked = looked.filter(({ signal }) => signal.of === side);
    const ps = asked.flatMap(({ values, missing }) => [values.p, missing.p]);
    hochberg(ps, q).forEach((called, index) => {
      const one = asked[index >> 1];
      if (called && one !== undefined && (index % 2 === 0 ? one.values : one.missing).past) drifted.add(one);
    });
  }
  return looked.map((one) => ({ ...one.window, drifted: drifted.has(one) }));
}

const NOTHING: SignalSums = { n: 0, nulls: 0, a: 0, b: 0, cells: [] };

/** `p` 1 where nothing can be told: how much is asked must not follow from what was seen. `size` in σ. */
type Answer = { readonly p: number; readonly past: boolean; readonly size?: number };
const SILENT: Answer = { p: 1, past: false };

type Looked = {
  readonly signal: Signal;
  readonly window: Omit<SignalWindow, 'drifted'>;
  readonly values: Answer;
  readonly missing: Answer;
};

type Rule = Pick<Watched, 'q' | 'effect'>;

function look(signal: Signal, { n, nulls, a, b, cells }: SignalSums, all: number, rule: Rule): Looked {
  const reference = signal.rows ?? all;
  // A column that is empty has no row with a value, and says so all the same.
  const absent = { live: nulls, of: n + nulls, before: signal.nulls, among: reference };
  // Where values of the reference are missing in bursts, so are later ones.
  const phi = Math.max(signal.phi, signal.nullsPhi ?? 1);
  const missing = absent.of < LEAST_ROWS ? SILENT : shareAnswer(absent, { phi }, rule);
  const seen = {
    name: signal.name,
    label: signal.label,
    n,
    cells,
    nulls,
    ...(missing.size !== undefined && {
      missing: {
        share: nulls / absent.of,
        before: signal.nulls / reference,
        size: missing.size,
        p: missing.p,
      },
    }),
  };
  const m = reference - signal.nulls;
  if (n < LEAST_ROWS || m <= 0) return { signal, window: seen, values: SILENT, missing };

  const ne = effectiveRows(n, m);
  const past = (statistic: number, df: number): boolean =>
    statistic > signal.phi * effectFloor(df, ne, rule.effect, rule.q);
  // A constant has no scores: whatever differs from it is in another cell.
  const scored = signal.kind === 'category' || signal.sd === 0 ? undefined : scoredBy(signal, { n, a, b }, m);
  const counted = chi(signal, cells);
  const index = psi(signal.counts, cells);
  const empty = emptyCells(signal, cells, m);
  // Chi² must join those cells with others, where they could hide what they took the place of.
  const unseen = empty === undefined ? undefined : shareAnswer({ ...empty, of: n }, signal, rule);

  const answers: readonly Answer[] = [
    ...(scored === undefined ? [] : [{ p: scored.p, past: past(scored.t, 2), size: scored.size }]),
    ...(counted === undefined
      ? []
      : [{ p: counted.p, past: past(counted.x2, counted.df), size: sizeOf(counted, signal, ne) }]),
    ...(unseen === undefined ? [] : [unseen]),
  ];
  const { size } = answers.find((answer) => answer.past) ?? answers[0] ?? SILENT;
  const window = {
    ...seen,
    ...(scored !== undefined && { shift: scored.shift }),
    ...(size !== undefined && { size }),
    ...(scored !== undefined && { smooth: { t: scored.t, p: scored.p } }),
    ...(counted !== undefined && { chi: { x2: counted.x2, df: counted.df, p: counted.p } }),
    ...(index !== undefined && { psi: index }),
    ...(empty && unseen && { unseen: { share: empty.live / n, p: unseen.p } }),
  };
  const p = bonferroni(answers.map((answer) => answer.p));
  return { signal, window, values: { p, past: answers.some((answer) => answer.past) }, missing };
}

/** Rows that are no drift, whatever their values: as of a share, it takes one more. */
const FEW = 4;
/** Rows of the rarest value that a window must expect for the smooth test, which takes sums for normal. */
const EXPECTED = 2;

/**
 * A value that a share s of the reference has scores about 1/√s. Where a window expects less than a row of
 * it, a single one weighs more than all others together: such windows would be called drifted, and two in a
 * row come more often than any budget allows. So there a sum counts only if few rows cannot make it.
 */
function borne(signal: NumericSignal, { n, a, b }: ScoreSums): ScoreSums {
  const most = greatestScores(signal);
  const borneBy = (sum: number, greatest: number): number =>
    n < EXPECTED * greatest * greatest && Math.abs(sum) <= FEW * greatest ? 0 : sum;
  return { n, a: borneBy(a, most.a), b: borneBy(b, most.b) };
}

/**
 * Two values are a share, and how likely chance made its change follows from the rows of both. The smooth
 * test takes its variance from the reference alone: one that by chance has two rows of a value, of which all
 * later windows have five, would call each of them drifted.
 * @returns the smooth test, with p of the share where there are two values and the window has no other
 */
function scoredBy(signal: NumericSignal, sums: ScoreSums, m: number): Smooth | undefined {
  const { knots, mean, phi, sd, spread } = signal;
  const { n, a } = sums;
  const found = smooth(borne(signal, sums), m, phi);
  if (spread !== 0 || found === undefined) return found;
  const [low, high] = [knots[0], knots[PARTS]].map((value) => rankOf(knots, value ?? 0)) as [number, number];
  const before = (mean - low) / (high - low);
  const now = before + ((a / n) * sd) / (high - low);
  if (!(now > -ROUNDING && now < 1 + ROUNDING)) return found;
  const live = Math.min(n, Math.max(0, Math.round(now * n)));
  const share = { live, of: n, before: Math.round(before * m), among: m };
  return { ...found, p: shareTest(share, phi)?.p ?? 1 };
}

/** A share of rows that rounded sums may miss theirs by. */
const ROUNDING = 1e-3;

/**
 * Rows in cells that the reference lacks. Where many categories are rare it lacks some by chance: as many
 * rows later have an unseen one as have, in the reference, one that no other row has. That number says it
 * half as surely as a count of rows would, its variance being f₁ + 2f₂, those with one row and those with two
 * (Good, The population frequencies of species, 1953).
 */
function emptyCells(signal: Signal, cells: readonly number[], m: number): Omit<Share, 'of'> | undefined {
  const { counts } = signal;
  if (signal.kind === 'category') {
    const own = counts.slice(0, signal.values.length).filter((count) => count === 1).length;
    const once = (counts.at(-1) ?? 0) + own;
    return { live: cells.at(-1) ?? 0, before: Math.ceil(once / 2), among: once === 0 ? m : m / 2 };
  }
  const empty = cells.filter((_, cell) => counts[cell] === 0);
  return counts.includes(0) ? { live: total(empty), before: 0, among: m } : undefined;
}

/** What a chi² statistic is beyond what noise alone would bring, in σ as the smooth test's. */
const sizeOf = (
  { x2, df }: { readonly x2: number; readonly df: number },
  { phi }: Pick<Signal, 'phi'>,
  ne: number,
) => Math.sqrt(Math.max(0, x2 - phi * df) / ne);

/** Two cells: those rows, and all others. */
function shareAnswer(share: Share, { phi }: Pick<Signal, 'phi'>, { q, effect }: Rule): Answer {
  const found = shareTest(share, phi);
  if (found === undefined) return SILENT;
  const ne = effectiveRows(share.of, share.among);
  const past = found.x2 > phi * effectFloor(1, ne, effect, q);
  return { p: found.p, past, size: sizeOf({ x2: found.x2, df: 1 }, { phi }, ne) };
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
