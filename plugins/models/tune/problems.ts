import { problemError } from '../problems/errors.ts';

/** A model that cannot be tuned, or not now, to throw. */
export const tuneProblem = (model: string, message: string, fix: string, cause?: unknown): Error =>
  problemError([{ code: 'MODELS_TUNE', key: `models.${model}`, message, fix }], cause);
