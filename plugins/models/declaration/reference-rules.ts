import { unseenIn } from '../../../core/text/plain.ts';
import { sourceOf } from '../artifact/sources/sources.ts';
import type { Problem } from '../problems/errors.ts';
import { ARTIFACT_FIX } from './keys/artifact.ts';

type Fault = Pick<Problem, 'message' | 'fix'>;

/** What is wrong with what `artifact` says, by its text alone. */
export function referenceProblems(key: string, reference: string): readonly Problem[] {
  const source = sourceOf(reference);
  const isPath = source.path(reference) !== undefined;
  const fault = isPath
    ? (source.fault(reference) ?? strangeScheme(reference))
    : (unseenFault(reference) ?? source.fault(reference));
  return fault === undefined ? [] : [{ code: 'MODELS_INVALID_VALUE', key, value: reference, ...fault }];
}

/** What is no path on any disk, and begins as no place does that artifacts come from. */
function strangeScheme(reference: string): Fault | undefined {
  const [scheme] = /^[a-z][\w+.-]+:(?=\/)|^arn:/i.exec(reference) ?? [];
  if (scheme === undefined) return undefined;
  const message = `begins with ${scheme}, and artifacts are read from no such place.`;
  const small = `${scheme.toLowerCase()}${reference.slice(scheme.length)}`;
  const isMeant = sourceOf(small).path(small) === undefined;
  return { message, fix: isMeant ? `Write ${scheme.toLowerCase()} in small letters.` : ARTIFACT_FIX };
}

/** It comes along where a reference is copied from a page. */
function unseenFault(reference: string): Fault | undefined {
  const unseen = unseenIn(reference);
  if (unseen === undefined) return undefined;
  const message = `has a character that nobody sees, ${unseen.shown}, as its character ${unseen.place}.`;
  return { message, fix: 'Take it out, or type the reference anew.' };
}
