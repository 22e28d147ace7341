import type { FoundRelease } from '../registry/port.ts';
import { admitWaiting } from './admission/admission.ts';
import type { Release } from './document/contract.ts';
import type { Waiting } from './document/request-contract.ts';
import { stackCallerOf } from './events/events.ts';
import { respond, type World } from './ports.ts';
import { keep, recordedAt } from './write-down.ts';

/**
 * Looks again whether the status of the stack can be read, and follows the request that waited for it.
 *
 * @returns false: it waits on. true: the document was, or may have been, changed: read again
 */
export async function readmitted(
  world: World,
  found: FoundRelease & { readonly release: Release },
  waiting: Waiting,
): Promise<boolean> {
  const { asked } = waiting;
  const alias = await world.aliases.get(asked.functionName, asked.alias);
  const stack = await world.stacks.state(asked.stack);
  const recorded = await recordedAt(world, asked, alias, found.release);
  const admission = admitWaiting(found.release, waiting, { alias, stack, recorded }, world.clock());
  if (admission === undefined) return false;
  world.log('info', 'request', { requestId: asked.id, model: asked.model, stack, admission: admission.do });
  switch (admission.do) {
    case 'repeat':
      return false;
    case 'stale':
      if (admission.next === undefined || (await world.registry.move(admission.next, found.etag)) === 'ok')
        await respond(world, stackCallerOf(asked), 'FAILED', admission.reason);
      return true;
    default:
      await keep(world, admission, found);
      return true;
  }
}
