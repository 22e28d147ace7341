import type { ArtifactFormat } from '../contracts/artifact-format.ts';
import { onnxFormat } from './onnx/format.ts';

/** What artifacts may be in. To add one: a folder beside `onnx/` with its `format.ts`, and its entry here. */
export const ARTIFACT_FORMATS: readonly ArtifactFormat[] = [onnxFormat];

/**
 * @param files paths of an artifact
 *
 * @returns whose they are; what is nobody’s is read as ONNX, which says what is missing
 */
export const artifactFormatOf = (files: readonly string[]): ArtifactFormat =>
  ARTIFACT_FORMATS.find((format) => format.matches(files)) ?? onnxFormat;
