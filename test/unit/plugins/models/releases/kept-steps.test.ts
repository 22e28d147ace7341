import { expect, it } from 'vitest';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { finishDeploy } from '../../../../../plugins/models/releases/finish.ts';
import { CANARY, SETTINGS } from '../../../../fakes/settings.ts';
import { tick } from '../../../../fakes/world.ts';
import { statusIn, textIn } from '../../../core/release/seen.ts';
import { deploy, deployed, minute, until, type World } from '../../../core/release/traffic.ts';
import { finishing } from './finishing.ts';

/** The steps, or the strategy, are changed while a release takes its steps: it keeps its own. */

const GOOD = { 3: 0.01, 4: 0.01 };
const BEGAN = '5 % for 10 min, 25 % for 10 min, 50 % for 10 min';
const CHANGED = { ...CANARY, steps: [{ weight: 30, bake: 60 }] };

async function changedTo(settings: typeof CANARY): Promise<World> {
  const w = await deployed(CANARY);
  await until(w, 'JUDGING', GOOD);
  await deploy(w, '4', 'b', { settings });
  w.stack.state = 'done';
  await minute(w, GOOD);
  return w;
}

async function endOfDeploy(w: World): Promise<readonly string[]> {
  const said: string[] = [];
  const context = finishing(w, {
    models: parseModels({ churn: { artifact: 'a.onnx' } }).models,
    notice: (line) => said.push(line),
    worker: () => ({
      tick: async (asked) => (await w.send(tick(asked))) as never,
      command: () => Promise.reject(new Error('nobody asks')),
      close: () => {},
    }),
  });
  const offers = [{ model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'b' }];
  const earlier = new Map([['churn', w.state()?.release ?? '']]);
  await finishDeploy(context, { before: new Map(), earlier, offers, again: [] }, false);
  return said.filter((line) => line.includes('began with'));
}

it('the deploy says so, and the release goes on by the steps that it began with', async () => {
  const w = await changedTo(CHANGED);
  expect(await endOfDeploy(w)).toEqual([
    `churn: its release keeps the steps that it began with (${BEGAN}); those of the service (30 % for 60 s) count from the next release`,
  ]);
  expect(await textIn(w)).toContain(`JUDGING, by the steps that it began with (${BEGAN}), begun`);
  expect((await statusIn(w)).step).toMatchObject({ number: 1, of: 3, weight: 5 });
  await until(w, 'BAKING', GOOD);
  expect(w.state()?.shifts.map(({ weight }) => weight)).toEqual([5, 25, 50]);
});

it('it says so of a strategy without steps, and what was released by steps is not told as one of those', async () => {
  const w = await changedTo({ ...SETTINGS, rollbackWindow: 86_400 });
  expect(await endOfDeploy(w)).toEqual([
    `churn: its release keeps the steps that it began with (${BEGAN}); a strategy without steps counts from the next release`,
  ]);
  await until(w, 'BAKING', GOOD);
  expect(await textIn(w)).toContain(`BAKING, by the steps that it began with (${BEGAN}), begun`);
  expect((await statusIn(w)).keptSteps).toEqual(CANARY.steps);
  // It takes no steps any more.
  expect(await endOfDeploy(w)).toEqual([]);
});

it('nothing is said where they are the same', async () => {
  const w = await changedTo({ ...CANARY, maxWait: 60 });
  expect(await endOfDeploy(w)).toEqual([]);
  expect(await textIn(w)).toContain('JUDGING, canary, begun');
});
