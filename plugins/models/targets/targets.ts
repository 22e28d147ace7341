import type { Target } from '../contracts/target.ts';
import type { Model } from '../declaration/model.ts';
import { lambdaZip } from './lambda-zip/plan.ts';

/** What an artifact can become. To add something: a folder beside `lambda-zip`, and its target here. */
export const TARGETS = [lambdaZip] as const satisfies readonly Target[];

/** Nobody declares another one yet. */
export const targetOf = (_: Model): Target => TARGETS[0];
