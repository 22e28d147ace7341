import type { TickAnswer } from './contract.ts';
import { readEvent } from './events.ts';
import { remove, serve } from './request.ts';
import { tick } from './run.ts';
import { respond, type World } from './world.ts';

/** One event, whatever it is. @returns a tick's answer; nothing for CloudFormation, which is answered by its URL. */
export async function receive(
  world: World,
  scheduleGroup: string,
  event: unknown,
): Promise<TickAnswer | undefined> {
  const incoming = readEvent(event, scheduleGroup, world.clock());
  switch (incoming.kind) {
    case 'tick':
      return tick(world, incoming.tick);
    case 'ask':
      await serve(world, incoming);
      return undefined;
    case 'delete':
      await remove(world, incoming);
      return undefined;
    case 'malformed': {
      // A Delete must get through: what cannot be named cannot have been made.
      const status = incoming.type === 'Delete' ? 'SUCCESS' : 'FAILED';
      await respond(world, incoming.caller, status, incoming.reason);
      return undefined;
    }
  }
}
