import type { Form, FormCost, Prices } from './contract.ts';
import { batchCost, onDemandCost, provisionedCost } from './lambda-cost.ts';
import type { FormLoad } from './load.ts';
import { fargateCost, kubernetesCost, managedCost, sageMakerCost } from './server-cost.ts';

/** Seconds between two runs of batch, where nobody says how long an answer may take. */
const EVERY = 3600;

/**
 * What a form costs a month.
 *
 * @param waits seconds that an answer of batch may take
 *
 * @returns undefined where nothing is known of its cost (devices), or no size of it holds the model
 */
export function formCost(form: Form, load: FormLoad, prices: Prices, waits = EVERY): FormCost | undefined {
  switch (form) {
    case 'batch':
      return batchCost(load, prices, waits);
    case 'on-demand':
      return onDemandCost(load, prices);
    case 'provisioned':
      return provisionedCost(load, prices);
    case 'managed':
      return managedCost(load, prices);
    case 'fargate':
      return fargateCost(load, prices);
    case 'kubernetes':
      return kubernetesCost(load, prices);
    case 'sagemaker':
      return sageMakerCost(load, prices);
    case 'edge':
      return undefined;
  }
}
