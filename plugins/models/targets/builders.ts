import type { Builder } from '../contracts/builder.ts';
import type { Model } from '../declaration/model.ts';
import { lambdaImageBuilder } from './lambda-image/build.ts';
import { lambdaZipBuilder } from './lambda-zip/build.ts';
import { targetOf } from './targets.ts';

/** A builder for each target. */
export const BUILDERS: readonly Builder[] = [lambdaZipBuilder, lambdaImageBuilder];

export function builderOf(model: Model): Builder {
  const { kind } = targetOf(model);
  const found = BUILDERS.find((builder) => builder.kind === kind);
  if (found === undefined) throw new Error(`The target ${kind} has no builder in targets/builders.ts.`);
  return found;
}
