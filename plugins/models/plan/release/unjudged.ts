import type { Model } from '../../declaration/model.ts';

/** What becomes of a step whose time ends without a verdict. */
export const UNJUDGED: Readonly<Record<Model['release']['onNoData'], string>> = {
  hold: 'is held',
  pass: 'passes all the same',
  rollback: 'is rolled back',
};
