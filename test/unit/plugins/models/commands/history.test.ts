import { expect, it } from 'vitest';
import { histories } from '../../../../../plugins/models/commands/history.ts';
import { FUNCTION } from '../../../../fakes/world.ts';
import { live } from '../../../core/release/traffic.ts';

it('shows models that nobody declares and that still serve, as status does', async () => {
  const w = await live();
  const shown = async (exists: boolean, declared: readonly string[]) => {
    const found = await histories(
      {
        documents: w.world.registry,
        benches: { newest: async () => [] } as never,
        sight: { exists: async () => exists },
        target: async (model) => ({ model, functionName: FUNCTION, alias: 'live' }),
      },
      { declared, flags: {} },
      10,
    );
    return found.map(({ name, pasts }) => `${name}: ${pasts.length}`);
  };
  expect(await shown(true, [])).toEqual(['churn: 1']);
  expect(await shown(true, ['churn', 'fraud'])).toEqual(['churn: 1', 'fraud: 0']);
  expect(await shown(false, ['fraud'])).toEqual(['fraud: 0']);
});
