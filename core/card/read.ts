import { fieldIn, listIn } from '../json/fields.ts';
import { isObject } from '../json/is-object.ts';
import { boundedCard } from './bounded.ts';
import type { ModelCard } from './contract.ts';

/** @returns what a property of a resource says; undefined where it is no card */
export function readCard(text: string | undefined): ModelCard | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isCard(value) ? boundedCard(value) : undefined;
  } catch {
    return undefined;
  }
}

function isCard(value: unknown): value is ModelCard {
  return (
    isObject(value) &&
    ['task', 'licence', 'base', 'owner'].every((key) => isSourced(value[key], 'string')) &&
    Array.isArray(value.datasets) &&
    Array.isArray(value.metrics) &&
    value.datasets.every(isDataset) &&
    value.metrics.every(isMetric)
  );
}

const isOr = (value: unknown, type: 'string' | 'number'): boolean =>
  value === undefined || typeof value === type;

const isSourced = (value: unknown, type: 'string' | 'number'): boolean =>
  value === undefined ||
  (typeof fieldIn(value, 'value') === type &&
    listIn(value, 'from').length > 0 &&
    listIn(value, 'from').every((from) => typeof from === 'string'));

const isDataset = (value: unknown): boolean =>
  isObject(value) &&
  isSourced(value.name, 'string') &&
  isSourced(value.sha256, 'string') &&
  [value.file, value.context, value.digest].every((text) => isOr(text, 'string')) &&
  isOr(value.bytes, 'number');

const isMetric = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.name === 'string' &&
  isSourced(value.value, 'number') &&
  isSourced(value.on, 'string') &&
  isOr(value.min, 'number');
