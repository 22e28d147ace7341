import { fieldIn } from '../json/fields.ts';
import { isObject } from '../json/is-object.ts';
import type { DriftWindow } from './contract.ts';

/**
 * A monitor's document, in which somebody may have written.
 *
 * @returns undefined where it is of another schema; `damaged` where anything is missing, or of another type,
 * that readers rely on
 */
export function driftWindowIn(text: string): DriftWindow | 'damaged' | undefined {
  try {
    const found: unknown = JSON.parse(text);
    const schema = fieldIn(found, 'schema');
    if (typeof schema === 'number' && schema !== 1) return undefined;
    return schema === 1 && isWindow(found) ? (found as DriftWindow) : 'damaged';
  } catch {
    return 'damaged';
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isFigure = (value: unknown): boolean => Number.isFinite(value);
const isTime = (value: unknown): boolean => typeof value === 'string' && Number.isFinite(Date.parse(value));
const isFigures = (value: unknown): boolean => Array.isArray(value) && value.every(isFigure);
const hasFigures = (value: unknown, ...names: readonly string[]): boolean =>
  names.every((name) => isFigure(fieldIn(value, name)));

const isWindow = (found: unknown): boolean =>
  ['model', 'baseline'].every((name) => isText(fieldIn(found, name))) &&
  ['from', 'to'].every((name) => isTime(fieldIn(found, name))) &&
  hasFigures(found, 'requests', 'rows') &&
  isAbsentOr(isFigure, fieldIn(found, 'estimated')) &&
  Array.isArray(fieldIn(found, 'signals')) &&
  (fieldIn(found, 'signals') as readonly unknown[]).every(isSignal);

const isSignal = (found: unknown): boolean =>
  isObject(found) &&
  isText(found.name) &&
  isText(found.label) &&
  hasFigures(found, 'n', 'nulls') &&
  isFigures(found.cells) &&
  typeof found.drifted === 'boolean' &&
  ['shift', 'size', 'psi'].every((name) => isAbsentOr(isFigure, found[name])) &&
  Object.entries(TESTS).every(([name, parts]) =>
    isAbsentOr((value) => hasFigures(value, ...parts), found[name]),
  );

/** Parts of each test that a signal may have. */
const TESTS = {
  smooth: ['t', 'p'],
  chi: ['x2', 'df', 'p'],
  unseen: ['share', 'p'],
  missing: ['share', 'before', 'size', 'p'],
} as const;

const isAbsentOr = (holds: (value: unknown) => boolean, value: unknown): boolean =>
  value === undefined || holds(value);
