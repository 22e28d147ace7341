import type { Target } from '../contracts/target.ts';
import type { Model } from '../declaration/model.ts';
import { lambdaImage } from './lambda-image/plan.ts';
import { lambdaZip } from './lambda-zip/plan.ts';

/** What an artifact can become. To add something: a folder beside `lambda-zip`, and its target here. */
export const TARGETS: readonly Target[] = [lambdaZip, lambdaImage];

export function targetOf(model: Model): Target {
  const found = TARGETS.find((target) => target.package === model.package);
  if (found === undefined)
    throw new Error(`No target in targets/targets.ts is for package: ${model.package}.`);
  return found;
}
