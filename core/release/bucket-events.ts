import type { Incoming } from './events/events.ts';
import { nameAndMessage } from './failures.ts';
import { respond, type World } from './ports.ts';

/** Tries of a call that fails, beside those that the SDK makes by itself. */
const TRIES = 4;

/**
 * `Custom::ModelBucketEvents`: EventBridge is on for the bucket, whatever else it tells whom. Delete leaves
 * it on: others may listen by now, and events that nobody asks for cost nothing.
 */
export async function serveBucket(
  world: World,
  { caller, type, bucket, account }: Extract<Incoming, { kind: 'bucket' }>,
): Promise<void> {
  if (type === 'Delete') return respond(world, caller, 'SUCCESS', `${bucket} goes on telling EventBridge`);
  for (let failures = 1; ; failures += 1) {
    try {
      const done = await world.bucketEvents(bucket, account);
      if (done === 'ok') return await respond(world, caller, 'SUCCESS', `${bucket} tells EventBridge`);
      return await respond(world, caller, 'FAILED', done.refused);
    } catch (error) {
      if (failures === TRIES) return respond(world, caller, 'FAILED', nameAndMessage(error));
      await world.pause(100 * 2 ** failures);
    }
  }
}
