import { counted } from '../text/counted.ts';
import { percentFigure } from '../units/percent.ts';
import type { Baseline, DriftWindow, Signal, SignalWindow } from './contract.ts';
import { isMissingMost, strongest, valuesChance } from './strength.ts';

/** What a window says to a person, who may just have been woken by it. */

/** Signals that are told of in one line; the document has all. */
const TOLD = 10;

/** A sentence about a window's inputs, those that drifted first, and one about its outputs where any did. */
export function wordsOf(
  { model, from, to, rows, estimated, signals }: DriftWindow,
  baseline: Baseline | undefined,
): string {
  const span = `${model}, ${spanWords({ from, to, rows, estimated })}`;
  if (baseline === undefined) return `${span}: nothing was scored.`;
  const all = pairs(signals, baseline);
  // It may be that no input is watched, for example of texts. Answers count by request.
  const [side, counted] = all.some(({ signal }) => signal.of === 'input')
    ? (['input', 'rows'] as const)
    : (['output', 'requests'] as const);
  const enough = all.some(({ signal, found }) => signal.of === side && found.psi !== undefined);
  const first = driftedWords(all, side) ?? (enough ? `no ${side} drifted.` : `too few ${counted} to tell.`);
  const outputs = side === 'output' ? undefined : driftedWords(all, 'output');
  return `${span}: ${first}${outputs === undefined ? '' : ` ${outputs}`}`;
}

/** For example `2026-01-31T10:00Z to 2026-01-31T11:00Z, 4200 rows`. */
export const spanWords = ({
  from,
  to,
  rows,
  estimated,
}: Pick<DriftWindow, 'from' | 'to' | 'rows'> & { readonly estimated?: number | undefined }): string =>
  `${short(from)} to ${short(to)}, ${counted(rows, 'row')}${estimated === undefined ? '' : ` of about ${counted(estimated, 'request')}`}`;

/** @returns undefined where none drifted */
function driftedWords(all: readonly Pair[], of: Signal['of']): string | undefined {
  const asked = all.filter(({ signal }) => signal.of === of);
  const drifted = asked.filter(({ found }) => found.drifted);
  if (drifted.length === 0) return undefined;
  const told = drifted
    .toSorted((one, other) => (strongest(other.found).size ?? 0) - (strongest(one.found).size ?? 0))
    .slice(0, TOLD)
    .map(({ signal, found }) => signalWords(signal, found));
  const rest = drifted.length > TOLD ? `; and ${drifted.length - TOLD} more` : '';
  return `${drifted.length} of ${counted(asked.length, of)} drifted: ${told.join('; ')}${rest}.`;
}

/** For example `"age" +0.52 σ, higher (p 3e-9, 4200 rows)`. */
export function signalWords(signal: Signal, found: SignalWindow): string {
  const { n, cells, shift, size } = found;
  const parts: string[] = [];
  if (size !== undefined) {
    const p = valuesChance(found) ?? 1;
    const move =
      shift === undefined ? `${size.toFixed(2)} σ, other shares` : numericWords(signal, cells, shift, size);
    parts.push(
      `${move} (p ${p < 1e-300 ? '0' : p.toPrecision(1)}, ${counted(n, signal.of === 'output' ? 'request' : 'row')})`,
    );
  }
  return `${quotedName(signal.label)} ${[...parts, ...shareWords(found)].join(', ')}`;
}

/** What changed beside the values that a signal had before: unseen ones, and how many are missing. */
export function shareWords(found: SignalWindow): readonly string[] {
  const { unseen, missing } = found;
  return [
    ...(unseen !== undefined && unseen.share > 0 ? [`${percent(unseen.share)} of them unseen values`] : []),
    ...(missing !== undefined && (isMissingMost(found) || Math.abs(missing.share - missing.before) >= 0.01)
      ? [`missing in ${percent(missing.share)} of rows, ${percent(missing.before)} in the reference`]
      : []),
  ];
}

/** Location where that is most of it; else spread, which the outermost cells tell, or lumps. */
function numericWords(signal: Signal, cells: readonly number[], shift: number, size: number): string {
  if (Math.abs(shift) >= size / 2) {
    return `${shift < 0 ? '−' : '+'}${Math.abs(shift).toFixed(2)} σ, ${shift < 0 ? 'lower' : 'higher'}`;
  }
  const outer = (counts: readonly number[]): number =>
    ((counts[0] ?? 0) + (counts.at(-1) ?? 0)) / Math.max(1, sum(counts));
  const [now, before] = [outer(cells), outer(signal.counts)];
  return `${size.toFixed(2)} σ, ${now > before ? 'wider' : now < before ? 'narrower' : 'in lumps'}`;
}

/** A name in quotes, on one line and of a length to be read: whoever declared it may have put anything in. */
export function quotedName(label: string): string {
  const plain = [...label].map((one) => (/[\p{C}\p{Zl}\p{Zp}]/u.test(one) ? '\uFFFD' : one));
  return JSON.stringify(plain.length > 60 ? `${plain.slice(0, 59).join('')}…` : plain.join(''));
}

type Pair = { readonly signal: Signal; readonly found: SignalWindow };

const pairs = (signals: readonly SignalWindow[], baseline: Baseline): readonly Pair[] =>
  signals.flatMap((found, index) => {
    const signal = baseline.signals[index];
    return signal === undefined ? [] : [{ signal, found }];
  });

const short = (iso: string): string => iso.replace(/:00(\.000)?Z$/, 'Z');

/** Whole percents; more digits where that would read as none or as all, and it is neither. */
function percent(share: number): string {
  if (share > 0 && share < 0.01) return `${Number((100 * share).toFixed(2)) || percentFigure(share, 1)} %`;
  return `${percentFigure(share, share < 0.1 ? 1 : 2)} %`;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
