import type { CaseFailure } from './contract.ts';

const HEAD = ['case', 'where', 'expected', 'got', 'difference'];

/**
 * Failed cases for a person, a line a value; what the error of a deploy and `sls models gate` show.
 *
 *     case  where                expected  got    difference
 *     3     probabilities[0, 1]  0.91      0.088  -0.822
 *           3 more
 *     7     answer               outputs   WRONG_VALUE: $.inputs[0].data[2] must be a number.
 */
export function failuresTable(failures: readonly CaseFailure[]): string {
  const rows = failures.flatMap(({ case: line, of, differences, more }) => [
    ...differences.map(({ at, expected, got, difference }, index) => [
      index > 0 ? '' : line === 0 ? 'start' : of === 'metric' ? `row ${line}` : String(line),
      at,
      ...shortened(expected, got),
      difference === undefined ? '' : signed(difference),
    ]),
    ...(more > 0 ? [['', `${more} more`, '', '', '']] : []),
  ]);
  if (rows.length === 0) return '';
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => fitting(row[column] ?? ''))),
  );
  return [HEAD, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Floats to seven digits, unless it is the further ones in which they differ. */
function shortened(expected: string, got: string): readonly [string, string] {
  const short = (text: string): string =>
    /^-?\d+\.\d+(e[+-]\d+)?$/.test(text) ? String(Number(Number(text).toPrecision(7))) : text;
  const [one, other] = [short(expected), short(got)];
  return one === other ? [expected, got] : [one, other];
}

/** A sentence does not widen its column: it runs over the next one, which is empty beside it. */
const fitting = (cell: string): number => (cell.length > WIDE ? 0 : cell.length);
const WIDE = 61;

const signed = (difference: number): string =>
  `${difference > 0 ? '+' : ''}${Number(difference.toPrecision(6))}`;
