import { FUNCTION, GROUP, SCOPE } from '../../../fakes/world.ts';
import type { Edition } from '../../../older/version-before.ts';
import type { World } from './traffic.ts';

export type Edited = 'older' | 'newer';

/** A world with the worker of one version, and the same one with that of the other. */
export type Both = World & { readonly other: World };

export function inOne(newer: World, edition: Edition, by: Edited): Both {
  const older = byOlder(newer, edition);
  return by === 'older' ? { ...older, other: newer } : { ...newer, other: older };
}

export function byOlder(w: World, { receive, registry }: Edition): World {
  const world = { ...w.world, registry: registry(w.objects.port, SCOPE) };
  const target = { model: 'churn', functionName: FUNCTION, alias: 'live', by: 'arn:aws:iam::1:user/me' };
  return {
    ...w,
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
