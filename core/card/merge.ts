import type { ArtifactOrigin } from '../origin/contract.ts';
import { boundedCard } from './bounded.ts';
import type { DeclaredCard, ModelCard, Sourced } from './contract.ts';
import { mergedDatasets } from './datasets.ts';
import { type CardFault, conflict, type Said } from './faults.ts';
import { isSameLicence, spdxOf } from './licence.ts';
import { mergedMetrics } from './metrics.ts';

/** What is known of a model beside its declaration. */
export type CardKnown = {
  readonly origin?: ArtifactOrigin | undefined;
  /** What the artifact says itself. */
  readonly artifact?: { readonly licence?: string } | undefined;
  /** Our hash of `dataset.file`. */
  readonly data?: { readonly sha256: string; readonly bytes: number } | undefined;
};

/**
 * What the declaration says with what others say, each value with all who say so. Where two differ, that is a
 * fault, and the card has what comes first: the declaration’s.
 */
export function mergeCard(
  given: DeclaredCard,
  { origin, artifact, data }: CardKnown,
): { readonly card: ModelCard; readonly faults: readonly CardFault[] } {
  const faults: CardFault[] = [];
  const said = (value: string | undefined, from: Said['from']): readonly Said[] =>
    value === undefined ? [] : [{ value, from }];
  const from = origin?.from ?? 'mlflow';
  const bases = origin?.bases ?? [];
  const base = bases.find((one) => given.base !== undefined && isSameBase(one, given.base)) ?? bases[0];
  const licences = [...said(given.licence, 'card'), ...said(origin?.licence, from)];
  // Exporters write whole texts there, which are the name of no licence, or nothing.
  const { licence: own = '' } = artifact ?? {};
  const isName = own.trim() !== '' && (licences.length === 0 || spdxOf(own));
  const task = agreed('task', [...said(given.task, 'card'), ...said(origin?.task, from)], isSameTask, faults);
  const licence = agreed(
    'licence',
    [...licences, ...(isName ? said(own, 'artifact') : [])],
    isSameLicence,
    faults,
  );
  const basis = agreed('base', [...said(given.base, 'card'), ...said(base, from)], isSameBase, faults);
  const card: ModelCard = {
    ...(task && { task }),
    ...(licence && { licence: { ...licence, value: spdxOf(licence.value) ?? licence.value } }),
    ...(basis && { base: basis }),
    ...(given.owner !== undefined && { owner: { value: given.owner, from: ['card'] } }),
    datasets: mergedDatasets(given.dataset, origin, data, faults),
    metrics: mergedMetrics(given.metrics ?? {}, origin?.metrics ?? [], from, faults),
  };
  return { card: boundedCard(card), faults };
}

function agreed(
  key: string,
  said: readonly Said[],
  isSame: (one: string, other: string) => boolean,
  faults: CardFault[],
): Sourced<string> | undefined {
  const [first] = said;
  if (first === undefined) return undefined;
  const other = said.find(({ value }) => !isSame(first.value, value));
  if (other !== undefined) faults.push(conflict(key, first, other));
  return {
    value: first.value,
    from: said.filter(({ value }) => isSame(first.value, value)).map(({ from }) => from),
  };
}

/** `Text classification` is `text-classification`. */
const isSameTask = (one: string, other: string): boolean => taskOf(one) === taskOf(other);
const taskOf = (task: string): string =>
  task
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '-');

/** `hf://org/repo@<commit>` is `org/repo`. */
const isSameBase = (one: string, other: string): boolean => repoOf(one) === repoOf(other);
const repoOf = (base: string): string =>
  base
    .trim()
    .toLowerCase()
    .replace(/^(hf|https?):\/\/(huggingface\.co\/)?/, '')
    .replace(/@[0-9a-f]*$/, '');
