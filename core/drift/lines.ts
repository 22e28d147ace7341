import { type DriftLine, LEAST_SAMPLE } from './contract.ts';

/** Rows in a request at most: more bytes than this its tensors cannot have. */
const MOST_ROWS = 64 * 1024 * 1024;
/** One character names a cell. */
const MOST_CELLS = 36;

/**
 * A line of the log as one of ours, its own shape checked: anything at all can be printed there.
 * @returns undefined where it is none
 */
export function readLine(message: string): DriftLine | undefined {
  const line = json(message);
  if (typeof line !== 'object' || line === null) return undefined;
  const { drift, v, sample, rows, a, b, cells } = line as { readonly [key in keyof DriftLine]?: unknown };
  if (typeof drift !== 'string' || !/^[0-9a-f]{64}$/.test(drift) || typeof v !== 'string') return undefined;
  if (sample !== undefined && !(typeof sample === 'number' && sample >= LEAST_SAMPLE && sample <= 1))
    return undefined;
  if (!isCount(rows) || rows < 1) return undefined;
  if (!isNumbers(a) || !isNumbers(b) || a.length !== b.length) return undefined;
  if (!isCells(cells, rows) || cells.length !== a.length) return undefined;
  return { drift, v, ...(sample !== undefined && { sample }), rows, a, b, cells };
}

function isCells(cells: unknown, rows: number): cells is DriftLine['cells'] {
  if (typeof cells === 'string') return rows === 1 && /^[0-9a-z-]*$/.test(cells);
  return (
    Array.isArray(cells) &&
    cells.every((one) => Array.isArray(one) && one.length <= MOST_CELLS && one.every(isCount))
  );
}

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_ROWS;

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'number' && Number.isFinite(one));

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
