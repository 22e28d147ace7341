import type { Problem } from '../problems/errors.ts';
import { bucketFault } from './batch-rules.ts';
import { REGISTRY_FIX } from './keys/service.ts';
import type { ServiceOptions } from './model.ts';

/** What is wrong with the bucket of `custom.models.registry`, beyond its letters. */
export function registryProblems({ registry }: ServiceOptions): readonly Problem[] {
  const fault = registry && bucketFault(registry.bucket);
  if (registry === undefined || fault === undefined) return [];
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key: 'custom.models.registry.bucket',
      value: registry.bucket,
      message: `is ${JSON.stringify(registry.bucket)}, but ${fault}.`,
      fix: REGISTRY_FIX,
    },
  ];
}
