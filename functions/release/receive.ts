import { serveBucket } from './bucket-events.ts';
import { command } from './command-run.ts';
import type { CommandAnswer, TickAnswer } from './contract.ts';
import { readEvent } from './events.ts';
import { remove, serve } from './request.ts';
import { run, tick } from './run.ts';
import { sweep } from './sweep.ts';
import { asLooked, respond, type World } from './world.ts';

/**
 * One event, whatever it is.
 *
 * @returns the answer to a tick or a command; nothing for a sweep or an alarm, nor for CloudFormation, which is answered by its URL
 */
export async function receive(
  world: World,
  scheduleGroup: string,
  event: unknown,
): Promise<TickAnswer | CommandAnswer | undefined> {
  const incoming = readEvent(event, scheduleGroup, world.clock());
  switch (incoming.kind) {
    case 'tick':
      return tick(world, incoming.tick);
    case 'command':
      return command(world, incoming.command);
    case 'sweep':
      await sweep(world);
      return undefined;
    case 'alarm':
      for (const functionName of incoming.functionNames) await alarm(world, functionName);
      return undefined;
    case 'ask':
      asLooked(world, incoming.asked.functionName);
      await serve(world, incoming);
      return undefined;
    case 'delete':
      await remove(world, incoming);
      return undefined;
    case 'bucket':
      await serveBucket(world, incoming);
      return undefined;
    case 'malformed': {
      // A Delete must get through: what cannot be named cannot have been made.
      const status = incoming.type === 'Delete' ? 'SUCCESS' : 'FAILED';
      await respond(world, incoming.caller, status, incoming.reason);
      return undefined;
    }
  }
}

/** An alarm has turned on: what follows from it is read from the alarm itself, so that a lost or repeated call does no harm. */
async function alarm(world: World, functionName: string): Promise<void> {
  const model = await world.registry.modelOf(functionName);
  world.log('alarm', { functionName, model });
  if (model !== undefined) await run(world, model);
}
