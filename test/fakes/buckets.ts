import type { BucketEventsPort } from '../../core/ports/aws.ts';
import type { Chaos } from './chaos.ts';

/** Buckets and what they tell, in memory. */
export function fakeBuckets(chaos: Chaos) {
  /** By name: is EventBridge on? */
  const buckets = new Map<string, boolean>();
  const port: BucketEventsPort = async (bucket) => {
    await chaos('before bucket events');
    if (!buckets.has(bucket)) return { refused: `there is no bucket ${bucket}` };
    buckets.set(bucket, true);
    await chaos('after bucket events');
    return 'ok';
  };
  return { port, buckets };
}
