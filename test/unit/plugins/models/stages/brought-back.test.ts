import { expect, it } from 'vitest';
import { readHistory } from '../../../../../plugins/models/releases/history/history.ts';
import { isNotValidated, validatedAt } from '../../../../../plugins/models/stages/validated.ts';
import { FUNCTION } from '../../../../fakes/world.ts';
import { deploy, deployed, live, promoted, until, type World } from '../../../core/release/traffic.ts';

/** A version that a person brought back after a rollback, as another stage finds it. */

const GATE = {
  state: { verdict: 'pass' as const, done: 20, count: 20, failed: [], reason: '20 of 20 cases' },
  failures: [],
};

async function asked(w: World) {
  const { registry } = w.world;
  const found = await registry.release('churn');
  const version = found?.release?.stable?.version ?? '';
  return validatedAt('staging', 'churn', {
    found,
    alias: w.aliases.at(FUNCTION, 'live'),
    record: await registry.known('churn', version),
    pasts: await readHistory(registry, 'churn', 20),
    bench: undefined,
  });
}

it('is not validated where its canary had failed: the gate that it passed is no evidence', async () => {
  const w = await live();
  w.gates.set('4', [GATE]);
  await deploy(w, '4', 'b');
  w.stack.state = 'done';
  await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
  expect(await w.command('rollback', { to: '4' })).toMatchObject({ done: true });
  expect([w.state()?.phase, w.target()?.version]).toEqual(['DONE', '4']);
  expect(await asked(w)).toMatchObject({
    code: 'MODELS_PROMOTION',
    message:
      'cannot be taken from staging: version 4 was rolled back in its canary there, and a person brought it back.',
  });
  // Nor once the like of it was released at once.
  w.aliases.publish(FUNCTION, '5');
  await deploy(w, '5', 'b', { before: '4' });
  w.stack.state = 'done';
  expect(w.state()?.stable).toMatchObject({ version: '5' });
  expect(await asked(w)).toMatchObject({ message: expect.stringContaining('passed no gate') });
});

it('is, where it had been promoted before, and what the rollback gave way to was no better', async () => {
  const w = await promoted();
  await w.command('rollback');
  await w.command('rollback', { to: '4' });
  expect([w.state()?.phase, w.target()?.version]).toEqual(['DONE', '4']);
  expect(await asked(w)).toMatchObject({ message: expect.stringContaining('passed no gate') });
  const gated = await deployed();
  gated.gates.set('5', [GATE]);
  await until(gated, 'BAKING', { 3: 0.01, 4: 0.01 });
  await deploy(gated, '5', 'c', { before: '4' });
  gated.stack.state = 'done';
  await until(gated, 'BAKING', { 4: 0.01, 5: 0.01 });
  await gated.command('rollback');
  await gated.command('rollback', { to: '5' });
  const found = await asked(gated);
  if (isNotValidated(found)) throw new Error(found.message);
  expect(found.evidence).toMatchObject({ version: '5', gate: { count: 20 } });
});
