import { ARTIFACT_SOURCES, sourceOf } from '../../artifact/sources/sources.ts';
import { key } from './key.ts';
import { flag, text } from './kinds.ts';

const FORMS = ARTIFACT_SOURCES.flatMap(({ forms }) => forms);
/** `a, b, or c` */
const listed = (words: readonly string[]): string => words.join(', ').replace(/, (?!.*, )/s, ', or ');

/** What `artifact` may be, as the list of sources has it: a sentence. */
export const ARTIFACT_FORMS = `${listed(FORMS.map(({ shown }) => shown)).replace(/^./, (first) => first.toUpperCase())}.`;
export const ARTIFACT_FIX = `Write ${listed(FORMS.map(({ write }) => write))}.`;

/** Where an artifact lies. */
export type Artifact = {
  /** As written in the YAML: a path relative to the service, or what one of `artifact/sources/` takes. */
  readonly reference: string;
  /** The path of a file on this disk, relative to the service. */
  readonly path?: string;
};

export function artifactOf(reference: string): Artifact {
  const path = sourceOf(reference).path(reference);
  return { reference, ...(path !== undefined && { path }) };
}

export const artifactKey = key(text.transform(artifactOf), {
  required: true,
  description: ARTIFACT_FORMS,
  example: 'models/churn.onnx',
  fix: ARTIFACT_FIX,
});

export const optimizeKey = key(flag, {
  default: true,
  description: 'Optimise the graph when packaging; shipped only if its outputs are the same.',
});
