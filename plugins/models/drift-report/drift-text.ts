import type { DriftWindow, SignalWindow } from '../../../core/drift/contract.ts';
import { strongest } from '../../../core/drift/strength.ts';
import { quotedName, shareWords } from '../../../core/drift/text.ts';
import { span } from '../releases/words/time.ts';
import {
  byWeight,
  chanceText,
  countedNoun,
  cutWords,
  damagedWords,
  findingOf,
  headline,
  isDrift,
  laterWords,
  lateWords,
  lengthWords,
  noneWords,
  pastWords,
  period,
  type SeenWindows,
} from './finding.ts';

/**
 * What was found of drift, for a person in a terminal: the newest window that could be judged in full, the
 * others as a line of bars. Pure.
 */

/** Signals without a finding that are shown: the largest ones. */
const QUIET = 5;

const BARS = '▁▂▃▄▅▆▇█';
/** σ of the highest bar: beyond one, it is out of question. */
const HIGHEST = 1;
/** Windows that have a bar: the newest ones. */
const BARRED = 40;

/** @param now milliseconds */
export function driftText(model: string, seen: SeenWindows, now: number): string {
  const { windows } = seen;
  const finding = findingOf(seen);
  const late = lateWords(seen, now);
  const damaged = damagedWords(seen);
  const alarms = [
    ...(damaged === undefined ? [] : [`  damaged    ${damaged}`]),
    ...(late === undefined ? [] : [`  late       ${late}`]),
    ...(seen.alarmed === undefined ? [] : [`  alarms     ${seen.alarmed}`]),
  ];
  if (finding === undefined) return [`${model}: ${noneWords(seen, now)}`, ...alarms].join('\n');
  const { shown, judged, past } = finding;
  const { signals, rows, requests, estimated } = shown;
  const told = signals.filter(({ drifted }) => drifted).length + past.length + QUIET;
  const listed = judged.length === 0 ? [] : byWeight(finding).slice(0, told);
  const rest = judged.length === 0 ? 0 : signals.length - listed.length;
  const bars = Math.min(BARRED, windows.length);
  const [later, cut, lengths] = [laterWords(finding), cutWords(seen), lengthWords(seen)];
  return [
    `${model}: ${headline(finding)}`,
    `  window     ${period(shown)}, ended ${span(now - Date.parse(shown.to))} ago: ${countedNoun(rows, 'row')} in ${countedNoun(requests, 'request')}${estimated === undefined ? '' : `, scored of about ${estimated}`}`,
    ...(later === undefined ? [] : [`  since      ${later}`]),
    ...pastWords(finding).map((line, i) => `  ${i === 0 ? 'drifted' : '       '}    ${line}`),
    ...(cut === undefined ? [] : [`  of         ${cut}`]),
    ...(lengths === undefined ? [] : [`  lengths    ${lengths}`]),
    ...alarms,
    ...(listed.length === 0
      ? []
      : table([
          ['', 'shift', 'size', 'p', 'PSI', `${bars} window${bars === 1 ? '' : 's'}`, ''],
          ...listed.map((signal) => rowOf(signal, windows)),
        ])),
    ...(rest > 0 ? [`  and ${rest} smaller one${rest === 1 ? '' : 's'}; --json has all`] : []),
    ...(isDrift(finding)
      ? [
          '  Nothing was rolled back: another version would see the same inputs. Look where these columns come from, then train again if',
          '  the world has changed, and deploy the new reference data with the new model.',
        ]
      : []),
  ].join('\n');
}

function rowOf(signal: SignalWindow, windows: readonly DriftWindow[]): readonly string[] {
  const { size, p } = strongest(signal);
  return [
    `${signal.drifted ? '!' : ' '} ${quotedName(signal.label)}`,
    signed(signal.shift),
    sigma(size),
    p === undefined ? 'too few rows' : chanceText(p),
    signal.psi === undefined ? '' : signal.psi.toFixed(2),
    sparkline(windows, signal.name),
    shareWords(signal).join(', '),
  ];
}

const sigma = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} σ`);
const signed = (value: number | undefined): string =>
  value === undefined ? '' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)} σ`;

/** A bar a window: how large the change of a signal was; a gap where nothing could be told. */
function sparkline(windows: readonly DriftWindow[], name: string): string {
  return windows
    .slice(-BARRED)
    .map(({ signals }) => {
      const found = signals.find((signal) => signal.name === name);
      const size = found && strongest(found).size;
      if (size === undefined) return ' ';
      return BARS[Math.min(BARS.length - 1, Math.floor((size / HIGHEST) * BARS.length))] ?? ' ';
    })
    .join('');
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length))).join('  ')}`.trimEnd(),
  );
}
