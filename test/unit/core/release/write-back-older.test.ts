/** The worker of main before knows nothing of MLflow: it leaves what it finds of it, and this one goes on. */
import { beforeAll, expect, it } from 'vitest';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import { statusText } from '../../../../plugins/models/releases/status-text.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request, tick } from '../../../fakes/world.ts';
import { type Edition, versionBefore } from '../../../older/version-before.ts';
import { byOlder } from './older.ts';
import { statusIn } from './seen.ts';
import { minutes, until } from './traffic.ts';

let edition: Edition;
beforeAll(async () => {
  edition = await versionBefore();
});

const GOOD = { 3: 0.02, 4: 0.02 };
const of = (version: string): ArtifactOrigin => ({
  from: 'mlflow',
  at: 'https://mlflow.example',
  name: 'churn',
  version,
});

it('what is pending stays so, whatever the older one does, and is then of what is live', async () => {
  const w = fakeWorld({ mlflow: true });
  const older = byOlder(w, edition);
  for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings: CANARY, origin: of('1') }));
  w.stack.state = 'busy';
  w.mlflow.state.failing = { failed: 'refuses 403', refuses: true };
  await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY, origin: of('2') }));
  w.stack.state = 'done';
  await until(w, 'BAKING', GOOD);
  const pending = w.state()?.writeBack;
  expect(pending).toMatchObject({ is: 'pending', version: '4', told: true });
  expect(statusText(await statusIn(w), w.clock.now)).toMatch(
    /mlflow {5}is still to be told that alias production of churn is version 2, at https:\/\/mlflow\.example: it refuses 403/,
  );
  await minutes(older, 30, GOOD);
  expect(w.state()).toMatchObject({ phase: 'BAKING', writeBack: pending });
  await older.command('rollback');
  expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' }, writeBack: pending });
  delete w.mlflow.state.failing;
  await w.send(tick());
  expect(w.mlflow.aliases.get('churn@production')).toBe('1');
  expect(w.state()?.writeBack).toMatchObject({ is: 'written', version: '3' });
  expect(statusText(await statusIn(w), w.clock.now)).toContain(
    'mlflow     alias production of churn is version 1, at https://mlflow.example',
  );
});
