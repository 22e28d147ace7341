import type { Deployment } from '../../../core/release/document/history-contract.ts';
import type { Problem } from '../problems/errors.ts';

/** `--promote-from`: of `sls deploy`, `sls package` and `sls models plan`. */
export const PROMOTE_FROM = 'promote-from';

export const PROMOTE_FROM_OPTION = {
  usage: 'Take from this stage what it has validated, and nothing else; its evidence is cited',
  type: 'string',
} as const;

/**
 * What is wrong where a package that was made before is deployed: it must have been made with that option.
 *
 * @param stage the value of `--promote-from`
 */
export const unpromoted = (offers: Deployment['models'], stage: unknown): readonly Problem[] =>
  offers
    .filter(({ promoted }) => promoted?.stage !== stage)
    .map(({ model, promoted }) => ({
      code: 'MODELS_PROMOTION',
      key: `models.${model}`,
      message: `was packaged ${promoted === undefined ? 'without --promote-from' : `from ${promoted.stage}`}, and is to be deployed from ${stage}.`,
      fix: `Package again with --promote-from ${stage}, or deploy without --package.`,
    }));
