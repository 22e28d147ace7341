import { isAtAddress } from '../origin/address.ts';
import type { FoundRelease } from '../registry/port.ts';
import type { Release } from './document/contract.ts';
import type { RegisteredVersion, WriteBack } from './document/parts-contract.ts';
import { WORKER_METRICS } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import type { World } from './ports.ts';
import { RESERVE_MS } from './state/durations.ts';
import type { ReleaseFacts } from './state/facts.ts';
import { asked, attempted, backOf, failedBack, succeeded, writesOf } from './state/write-back.ts';

/** MLflow is told what is live, after all that the release itself asks for. */

/** `pending`: there must be a next tick. `changed`: the document was written; read again. */
type Written = 'settled' | 'pending' | 'changed';

/** Never throws: no release waits for MLflow, or fails with it. */
export async function writtenBack(
  world: World,
  found: FoundRelease & { readonly release: Release },
  facts: ReleaseFacts | undefined,
): Promise<Written> {
  if (facts?.stack === 'gone') return 'settled';
  try {
    return await writeBack(world, found, facts);
  } catch (error) {
    world.log('warn', 'MLflow was not told', { model: found.release.model, reason: nameAndMessage(error) });
    return 'pending';
  }
}

async function writeBack(
  world: World,
  { release: state, etag }: FoundRelease & { readonly release: Release },
  facts: ReleaseFacts | undefined,
): Promise<Written> {
  const { mlflow } = world;
  const now = Math.max(world.clock(), Date.parse(state.updatedAt));
  const { do: what } = backOf(state, facts?.alias, mlflow, now);
  if (what === 'nothing') return 'settled';
  // What is begun can be noted, and the secret takes its time, too.
  if (what === 'wait' || world.left() < 2 * RESERVE_MS) return 'pending';
  const to = what === 'try' ? state : asked(state, mlflow, await modelOf(world, state), now);
  const so = to.writeBack;
  if (mlflow === undefined || so?.is !== 'pending' || now < Date.parse(so.next ?? '')) {
    if ((await world.registry.move(to, etag)) === 'changed') return 'changed';
    return so?.is === 'pending' ? 'pending' : 'settled';
  }
  const trying = attempted(to, so, now);
  if ((await world.registry.move(trying, etag)) === 'changed') return 'changed';
  const written = await mlflow.write(writesOf(state, so, world.worker.arn));
  return note(world, trying, written);
}

/** Notes how an attempt ended, if nothing else was to be written meanwhile. */
async function note(
  world: World,
  { model, functionName, writeBack: trying }: Release,
  written: Awaited<ReturnType<NonNullable<World['mlflow']>['write']>>,
): Promise<Written> {
  const fields = { model, mlflow: trying?.model, alias: trying?.alias, attempts: trying?.attempts };
  if (written === 'ok')
    world.log(
      'info',
      trying?.told ? 'MLflow is told again what is live' : 'MLflow is told what is live',
      fields,
    );
  else {
    world.count(WORKER_METRICS.unwritten, functionName);
    world.log('warn', 'MLflow was not told', { ...fields, reason: written.failed });
  }
  const found = await world.registry.release(model);
  const state = found?.release;
  const so = state?.writeBack;
  if (found === undefined || state === undefined || !isOne(so, trying)) return 'changed';
  const now = world.clock();
  const to = written === 'ok' ? succeeded(state, so, now) : failedBack(state, so, written, now);
  await world.registry.move(to, found.etag);
  return 'changed';
}

const isOne = (so: WriteBack | undefined, trying: WriteBack | undefined): so is WriteBack =>
  so?.is === 'pending' && so.asked === trying?.asked && so.attempts === trying.attempts;

/** What the live version is on that server, as its record says. */
async function modelOf(
  { mlflow, registry }: World,
  { model, functionName, stable }: Release,
): Promise<RegisteredVersion | undefined> {
  if (mlflow === undefined || stable === undefined) return undefined;
  const record = await registry.known(model, stable.version);
  const isThis =
    record?.functionName === functionName &&
    (stable.fingerprint === undefined || record.fingerprint === stable.fingerprint);
  const origin = isThis ? record.origin : undefined;
  if (origin?.from !== 'mlflow' || !isAtAddress(origin, mlflow.at)) return undefined;
  return { name: origin.name, version: origin.version };
}
