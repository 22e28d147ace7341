import { FUNCTION, GROUP, SCOPE } from '../../fakes/world.ts';
import type { Edition } from '../../version-before.ts';
import type { World } from './traffic.ts';

/** A world in which the worker is the one of the version before, and the same one with the newer worker. */
export type Older = World & { readonly newer: World };

export function byOlder(w: World, { receive, registry }: Edition): Older {
  const world = { ...w.world, registry: registry(w.objects.port, SCOPE) };
  const target = { model: 'churn', functionName: FUNCTION, alias: 'live', by: 'arn:aws:iam::1:user/me' };
  return {
    ...w,
    newer: w,
    send: async (event) => {
      const answer = await receive(world, GROUP, event);
      return answer !== undefined && 'done' in answer ? undefined : answer;
    },
    command: async (verb, more = {}) => {
      const answer = await receive(world, GROUP, { command: { ...target, verb, ...more } });
      return answer !== undefined && 'done' in answer ? answer : undefined;
    },
  };
}
