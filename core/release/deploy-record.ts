import type { Release } from './document/contract.ts';
import type { World } from './ports.ts';
import { endOf } from './tick-answer.ts';

/**
 * Tells the record of a deploy how its release stands. One that somebody damaged is as good as none: no
 * release waits for it.
 *
 * @throws Error where it cannot be read or written now
 */
export async function recordEnd(world: World, deployment: string, state: Release): Promise<void> {
  try {
    await world.registry.ended(deployment, state.model, endOf(state));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { model } = state;
    world.log('warn', 'the record of a deploy is damaged, and stays as it is', {
      model,
      reason: error.message,
    });
  }
}
