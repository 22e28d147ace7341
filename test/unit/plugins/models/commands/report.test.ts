import { expect, it } from 'vitest';
import { keptOf } from '../../../../../plugins/models/commands/report.ts';
import { FUNCTION } from '../../../../fakes/world.ts';
import { deployed } from '../../../core/release/traffic.ts';

it('shows no release as under way whose function is gone', async () => {
  const w = await deployed();
  const outcome = async (exists: boolean) => {
    const desk = {
      documents: w.world.registry,
      benches: { newest: async () => [] } as never,
      sight: { exists: async () => exists, aliases: w.aliases.port },
    };
    return (await keptOf(desk, 'churn', FUNCTION)).releases[0]?.outcome;
  };
  expect(await outcome(true)).toBe('under way');
  expect(await outcome(false)).toBe('under way when the model was removed');
});
