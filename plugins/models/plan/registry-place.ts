import { REGISTRY_PREFIX } from '../../../core/release/document/worker-contract.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Host } from '../contracts/host.ts';
import type { ServiceOptions } from '../declaration/model.ts';

export const bucketOf = (host: Host, options: ServiceOptions): unknown =>
  options.registry?.bucket ?? host.bucket;

/** Where this service and stage keep their documents in the bucket. */
export function scopeOf({ service, stage }: Host, below = ''): Json {
  return { 'Fn::Sub': `${REGISTRY_PREFIX}\${AWS::AccountId}/\${AWS::Region}/${service}/${stage}/${below}` };
}

/** Where files beyond the zip limit are in the registry's bucket, named by content. */
export const FILES_PREFIX = `${REGISTRY_PREFIX}files/`;
/** Which of them are the optimised form of an artifact. */
export const OPTIMISED_PREFIX = `${REGISTRY_PREFIX}optimised/`;
