import { ARTIFACT_SOURCES, sourceOf } from '../artifact/sources/sources.ts';
import type { Problem } from './errors.ts';
import type { Artifact } from './model.ts';

/** What `artifact` may be, as the list of sources has it. */

const FORMS = ARTIFACT_SOURCES.flatMap(({ forms }) => forms);
/** `a, b, or c` */
const listed = (words: readonly string[]): string => words.join(', ').replace(/, (?!.*, )/s, ', or ');

/** For docs and schema: a sentence. */
export const ARTIFACT_FORMS = `${listed(FORMS.map(({ shown }) => shown)).replace(/^./, (first) => first.toUpperCase())}.`;
export const ARTIFACT_FIX = `Write ${listed(FORMS.map(({ write }) => write))}.`;

export function artifactOf(reference: string): Artifact {
  const path = sourceOf(reference).path(reference);
  return { reference, ...(path !== undefined && { path }) };
}

export function referenceProblems(key: string, reference: string): readonly Problem[] {
  const fault = sourceOf(reference).fault(reference);
  return fault === undefined ? [] : [{ code: 'MODELS_INVALID_VALUE', key, value: reference, ...fault }];
}
