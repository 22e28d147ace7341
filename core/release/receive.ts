import { serveBucket } from './bucket-events.ts';
import { staged } from './command/text.ts';
import { runPersonCommand } from './command-run.ts';
import type { CommandAnswer, TickAnswer } from './document/worker-contract.ts';
import { readWorkerEvent } from './events/events.ts';
import { asLooked, respond, type World } from './ports.ts';
import { remove, serve } from './request.ts';
import { runRelease } from './run.ts';
import { sweep } from './sweep.ts';
import { tick } from './tick.ts';

/**
 * One event, whatever it is.
 *
 * @returns the answer to a tick or a command; nothing for a sweep or an alarm, nor for CloudFormation, which
 * is answered by its URL
 */
export async function receiveRequest(
  world: World,
  scheduleGroup: string,
  event: unknown,
): Promise<TickAnswer | CommandAnswer | undefined> {
  const incoming = readWorkerEvent(event, scheduleGroup, world.clock());
  switch (incoming.kind) {
    case 'tick':
      return withStage(world, await tick(world, incoming.tick));
    case 'command': {
      const answer = await runPersonCommand(world, incoming.command);
      return answer.done
        ? { ...answer, tick: withStage(world, answer.tick) }
        : { ...answer, refused: staged(answer.refused, world.stage, world.region) };
    }
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

const withStage = ({ stage, region }: World, answer: TickAnswer): TickAnswer =>
  answer.reason === undefined ? answer : { ...answer, reason: staged(answer.reason, stage, region) };

/**
 * An alarm has turned on: what follows from it is read from the alarm itself, so that a lost or repeated call
 * does no harm.
 */
async function alarm(world: World, functionName: string): Promise<void> {
  const model = await world.registry.modelOf(functionName);
  world.log('info', 'alarm', { functionName, model });
  if (model !== undefined) await runRelease(world, model);
}
