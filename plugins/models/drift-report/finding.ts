import type { DriftWindow, SignalWindow } from '../../../core/drift/contract.ts';
import { LEAST_ROWS } from '../../../core/drift/contract.ts';
import { strongest } from '../../../core/drift/strength.ts';
import { quotedName } from '../../../core/drift/text.ts';
import type { Span } from '../../../core/drift/windows.ts';
import { staged } from '../../../core/release/command/text.ts';
import { iso, MINUTE_MS } from '../../../core/units/time.ts';
import { written } from '../declaration/keys/units.ts';
import { span } from '../releases/words/time.ts';

/** What the windows of a model come to, in the words that the terminal and the page share. Pure. */

/**
 * Windows of a model, oldest first; `cut` where older ones of the time in question are left out; `alarmed`
 * what CloudWatch's alarms do not see of the live version, where there is such; `newest` the last window that
 * has a document, asked for or not; `damaged` keys of documents that cannot be read; `length` of a window as
 * it is declared, in seconds; `stage` of the service; `before` the window before the oldest one, which nobody
 * asked for.
 */
export type SeenWindows = {
  readonly windows: readonly DriftWindow[];
  readonly before?: DriftWindow;
  readonly cut: boolean;
  readonly alarmed?: string;
  readonly newest?: Span;
  readonly damaged?: readonly string[];
  readonly length?: number;
  readonly stage?: string;
};

export type DriftFinding = {
  /** The newest window that could be judged; where none could, the newest. */
  readonly shown: DriftWindow;
  /** Its signals that could be judged. */
  readonly judged: readonly SignalWindow[];
  /** Windows since then: they had too few rows. */
  readonly later: readonly DriftWindow[];
  /** Signals that drifted in windows before, the latest first. */
  readonly past: readonly Past[];
  /** What drifted in the window that is shown did not in the one before. */
  readonly isFirst: boolean;
  /** Some signal drifted in two windows in a row. */
  readonly isLasting: boolean;
};

type Past = {
  readonly name: string;
  readonly label: string;
  readonly windows: number;
  readonly last: DriftWindow;
};

/** @param windows oldest first; @returns undefined where there is none */
export function findingOf({
  before,
  windows,
}: Pick<SeenWindows, 'before' | 'windows'>): DriftFinding | undefined {
  const newest = windows.findLastIndex(({ signals }) => signals.some(isJudged));
  const index = newest < 0 ? windows.length - 1 : newest;
  const shown = windows[index];
  if (shown === undefined) return undefined;
  const past = new Map<string, Past>();
  for (const window of windows.slice(0, index).reverse())
    for (const { name, label, drifted } of window.signals)
      if (drifted) {
        const known = past.get(name) ?? { name, label, windows: 0, last: window };
        past.set(name, { ...known, windows: known.windows + 1 });
      }
  const isRepeated = repeatedIn(before === undefined ? windows : [before, ...windows]);
  return {
    shown,
    judged: shown.signals.filter(isJudged),
    later: windows.slice(index + 1),
    past: [...past.values()],
    isFirst: !isRepeated(shown),
    isLasting: windows.slice(0, index + 1).some(isRepeated),
  };
}

/**
 * Did a signal drift in a window and in the one before, against the same reference data? Where nobody kept
 * that one, nobody can tell, and it may have.
 */
function repeatedIn(windows: readonly DriftWindow[]): (window: DriftWindow) => boolean {
  const nameOf = (from: number, to: number): string => `${from} ${to}`;
  const known = new Map(windows.map((one) => [nameOf(Date.parse(one.from), Date.parse(one.to)), one]));
  return ({ from, to, baseline, signals }) => {
    const [start, end] = [Date.parse(from), Date.parse(to)];
    const before = known.get(nameOf(2 * start - end, start));
    const again = new Set(
      before?.baseline === baseline
        ? before.signals.filter(({ drifted }) => drifted).map(({ name }) => name)
        : [],
    );
    return signals.some(({ name, drifted }) => drifted && (before === undefined || again.has(name)));
  };
}

/** A constant that stayed one has neither shift nor chi², but a test of what differs from it. */
const isJudged = ({ drifted, size, unseen, missing }: SignalWindow): boolean =>
  drifted || size !== undefined || unseen !== undefined || missing !== undefined;

/** Those that drifted first, then those that did before, then by size. */
export function byWeight({ shown, past }: DriftFinding): readonly SignalWindow[] {
  const before = new Set(past.map(({ name }) => name));
  const weight = ({ name, drifted }: SignalWindow): number => (drifted ? 2 : before.has(name) ? 1 : 0);
  return shown.signals.toSorted(
    (a, b) => weight(b) - weight(a) || (strongest(b).size ?? -1) - (strongest(a).size ?? -1),
  );
}

/** Signals that are named in a sentence. */
const NAMED = 10;

/** The first sentence; without the model's name. */
export function headline({ shown, judged, past, isFirst }: DriftFinding): string {
  const drifted = shown.signals.filter((signal) => signal.drifted);
  if (drifted.length > 0)
    return `${named(drifted.map(({ label }) => quotedName(label)))} ${drifted.length === 1 ? 'is' : 'are'} not as in the reference data.${isFirst ? ' That is one window; it takes two in a row to be drift.' : ''}`;
  if (judged.length === 0) {
    // There may have been requests: what failed has no rows here, nor what was not chosen (`sample`).
    if (shown.rows === 0) return 'nothing was scored in the last window.';
    if (shown.rows < LEAST_ROWS) return `${shown.rows} rows are too few to say anything (${LEAST_ROWS}).`;
    return isByRequest(shown)
      ? `${countedNoun(shown.requests, 'request')} are too few to say anything (${LEAST_ROWS}): answers count by request.`
      : `of ${shown.rows} rows too few have a value to say anything (${LEAST_ROWS}).`;
  }
  return `like the reference data (${judged.length} signal${judged.length === 1 ? '' : 's'})${past.length === 0 ? '' : '; windows before were not'}.`;
}

/** @returns what came after the window that is shown; undefined where nothing did */
export function laterWords({ later }: DriftFinding): string | undefined {
  const last = later.at(-1);
  if (last === undefined) return undefined;
  const most = Math.max(...later.map(({ rows }) => rows));
  const asked = Math.max(...later.map(({ requests }) => requests));
  const amount =
    most >= LEAST_ROWS && later.every(isByRequest) ? countedNoun(asked, 'request') : countedNoun(most, 'row');
  const had =
    most === 0
      ? 'nothing was scored'
      : `at most ${amount}${later.length === 1 ? '' : ' each'}, too few to say anything (${LEAST_ROWS})`;
  return `${later.length === 1 ? '1 window' : `${later.length} windows`} until ${minute(last.to)} UTC: ${had}`;
}

/**
 * @returns a line for each signal that drifted in windows before the one that is shown, with the time of its
 * last
 */
export function pastWords({ past, shown }: DriftFinding): readonly string[] {
  const lines = past
    .slice(0, NAMED)
    .map(
      ({ label, windows, last }) =>
        `${quotedName(label)} in ${windows} window${windows === 1 ? '' : 's'} before, last ${period(last)}${last.baseline === shown.baseline ? '' : ', against other reference data'}`,
    );
  return past.length > NAMED ? [...lines, `and ${past.length - NAMED} more`] : lines;
}

/**
 * @returns how many windows there are of each length, in the order of their ends; undefined where all have
 * the same
 */
export function lengthWords({ windows }: Pick<SeenWindows, 'windows'>): string | undefined {
  const counts = new Map<number, number>();
  for (const { from, to } of windows) {
    const length = (Date.parse(to) - Date.parse(from)) / 1000;
    counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  if (counts.size < 2) return undefined;
  const each = [...counts].map(([length, count]) => `${count} of ${written(length)}`);
  return `windows of several lengths, since \`window\` was changed: ${each.join(', then ')}`;
}

/** @returns that windows are left out; undefined where none are */
export function cutWords({ windows, cut }: SeenWindows): string | undefined {
  const [first] = windows;
  if (!cut || first === undefined) return undefined;
  return `the newest ${windows.length.toLocaleString('en')} windows, from ${minute(first.from)} UTC; older ones are left out`;
}

/** @returns which documents cannot be read; undefined where all can */
export function damagedWords({ damaged = [] }: SeenWindows): string | undefined {
  const [first] = damaged;
  if (first === undefined) return undefined;
  return damaged.length === 1
    ? `the document of a window is damaged, and left out: ${first}`
    : `the documents of ${damaged.length} windows are damaged, and left out: ${first} is one`;
}

/**
 * @param now milliseconds
 * @returns what is known where no window of the time in question was judged
 */
export function noneWords({ newest }: SeenWindows, now: number): string {
  if (newest === undefined)
    return 'nothing is known yet. A window is looked at two to seven minutes after its end, and needs 100 rows.';
  return `no window that was judged ended in this time; the newest one ended ${span(now - newest.to)} ago, at ${minute(iso(newest.to))} UTC. \`--since\` goes further back.`;
}

/** Milliseconds: a window is looked at seven minutes after its end, and again where that failed. */
const PATIENCE = 20 * MINUTE_MS;

/**
 * @param now milliseconds
 * @returns that a window is not judged which should be; undefined where all are, or nobody can tell
 */
export function lateWords({ newest, length, stage }: SeenWindows, now: number): string | undefined {
  if (newest === undefined || length === undefined) return undefined;
  const due = newest.to + Math.max(newest.to - newest.from, length * 1000);
  if (now - due < PATIENCE) return undefined;
  const words = `the monitor has judged no window after ${minute(iso(newest.to))} UTC, and one ended ${span(now - due)} ago: \`sls logs -f models-drift\` shows why`;
  return stage === undefined ? words : staged(words, stage);
}

/** Some signal drifted in two windows in a row, of which the one that is shown may be the last. */
export const isDrift = ({ isLasting }: DriftFinding): boolean => isLasting;

export const period = ({ from, to }: DriftWindow): string =>
  `${minute(from)}–${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11, 16) : minute(to)} UTC`;

export const chanceText = (p: number): string =>
  p < 1e-300 ? '0' : p < 1e-4 ? p.toExponential(0) : p.toFixed(4);

const minute = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 16)}`;
/** @param text of the number, where it is not itself */
export const countedNoun = (count: number, noun: string, text = String(count)): string =>
  `${text} ${noun}${count === 1 ? '' : 's'}`;

/** Only answers are watched, whose rows count as one a request. */
const isByRequest = ({ requests, rows, signals }: DriftWindow): boolean =>
  requests < rows && signals.length > 0 && signals.every(({ n, nulls }) => n + nulls === requests);
const named = (names: readonly string[]): string =>
  names.length > NAMED
    ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`
    : names.join(', ');
