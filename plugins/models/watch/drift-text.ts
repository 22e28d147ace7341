import type { DriftWindow, SignalWindow } from '../../../functions/drift/contract.ts';
import { span } from '../release/time.ts';

/** What was found of drift, for a person in a terminal: the newest window in full, the ones before as a line of bars. Pure. */

/** Signals without a finding that are shown: the largest ones. */
const QUIET = 5;

const BARS = '▁▂▃▄▅▆▇█';
/** σ of the highest bar: beyond one, it is out of question. */
const HIGHEST = 1;

/** @param now milliseconds; @param windows oldest first */
export function driftText(model: string, windows: readonly DriftWindow[], now: number): string {
  const last = windows.at(-1);
  if (last === undefined)
    return `${model}: nothing is known yet. A window is looked at two to seven minutes after its end, and needs 100 rows.`;
  const { signals, rows, requests, estimated } = last;
  const drifted = signals.filter((signal) => signal.drifted);
  const judged = signals.filter(({ size, chi }) => size !== undefined || chi !== undefined);
  const shown = [...drifted, ...largest(signals.filter((signal) => !signal.drifted)).slice(0, QUIET)];
  const rest = signals.length - shown.length;
  return [
    `${model}: ${headOf(drifted, judged.length, rows)}`,
    `  window     ${period(last)}, ended ${span(now - Date.parse(last.to))} ago: ${rows} rows in ${requests} requests${estimated === undefined ? '' : `, scored of about ${estimated}`}`,
    ...(judged.length === 0
      ? []
      : table([
          ['', 'shift', 'size', 'p', 'PSI', `${windows.length} window${windows.length === 1 ? '' : 's'}`],
          ...shown.map((signal) => [
            `${signal.drifted ? '!' : ' '} ${signal.label}`,
            signed(signal.shift),
            sigma(signal.size),
            chance(signal),
            signal.psi === undefined ? '' : signal.psi.toFixed(2),
            sparkline(windows, signal.name),
          ]),
        ])),
    ...(rest > 0 ? [`  and ${rest} smaller one${rest === 1 ? '' : 's'}; --json has all`] : []),
    ...(drifted.length === 0
      ? []
      : [
          '  Nothing was rolled back: another version would see the same inputs. Look where these columns come from, then train anew if',
          '  the world has changed, and deploy the new reference data with the new model.',
        ]),
  ].join('\n');
}

function headOf(drifted: readonly SignalWindow[], judged: number, rows: number): string {
  if (judged === 0)
    return rows === 0 ? 'no requests in the last window.' : `${rows} rows are too few to say anything (100).`;
  if (drifted.length === 0) return `like the reference data (${judged} signals).`;
  return `${drifted.map(({ label }) => label).join(', ')} ${drifted.length === 1 ? 'is' : 'are'} not as in the reference data.`;
}

const largest = (signals: readonly SignalWindow[]): readonly SignalWindow[] =>
  [...signals].sort((a, b) => (b.size ?? -1) - (a.size ?? -1));

const period = ({ from, to }: DriftWindow): string =>
  `${from.slice(0, 10)} ${from.slice(11, 16)}–${to.slice(11, 16)} UTC`;

const sigma = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} σ`);
const signed = (value: number | undefined): string =>
  value === undefined ? '' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)} σ`;

/** The smaller of the two tests, as it counted. */
function chance({ smooth, chi }: SignalWindow): string {
  const ps = [smooth?.p, chi?.p].filter((p) => p !== undefined);
  if (ps.length === 0) return 'too few rows';
  const p = Math.min(1, ps.length * Math.min(...ps));
  return p < 1e-4 ? p.toExponential(0) : p.toFixed(4);
}

/** A bar a window: how large the change of a signal was; a gap where nothing could be said. */
export function sparkline(windows: readonly DriftWindow[], name: string): string {
  return windows
    .slice(-40)
    .map(({ signals }) => {
      const size = signals.find((signal) => signal.name === name)?.size;
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
