import { problemError } from '../problems/errors.ts';

/** A target that cannot be measured, or not so, to throw. */
export const benchProblem = (model: string, message: string, fix: string, cause?: unknown): Error =>
  problemError([{ code: 'MODELS_BENCH', key: `models.${model}`, message, fix }], cause);
