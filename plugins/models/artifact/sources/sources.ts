import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';
import { fileSource } from './file.ts';
import { huggingFaceSource } from './huggingface.ts';
import { mlflowSource } from './mlflow.ts';
import { s3Source } from './s3.ts';
import { sageMakerSource } from './sagemaker.ts';

/**
 * Where artifacts come from, in the order in which docs and fixes name them. To add one: a file beside these,
 * and its entry here.
 */
export const ARTIFACT_SOURCES: readonly ArtifactSource[] = [
  fileSource,
  s3Source,
  mlflowSource,
  sageMakerSource,
  huggingFaceSource,
];

/** @returns the source whose scheme the reference begins with; what has none of theirs is a path */
export const sourceOf = (reference: string): ArtifactSource =>
  ARTIFACT_SOURCES.find(({ scheme }) => reference.startsWith(`${scheme}:`)) ?? fileSource;
