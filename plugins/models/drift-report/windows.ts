import { callerOf } from '../../../aws/caller.ts';
import { s3Client } from '../../../aws/clients/s3.ts';
import { bucketObjects } from '../../../aws/s3/objects.ts';
import { isNoStack } from '../../../aws/stack.ts';
import { baselinesIn } from '../../../core/drift/baselines.ts';
import type { Baseline, DriftWindow } from '../../../core/drift/contract.ts';
import { driftWindowIn } from '../../../core/drift/window-document.ts';
import { type Span, windowBefore, windowNamed } from '../../../core/drift/windows.ts';
import type { ObjectPort } from '../../../core/ports/aws.ts';
import { registry } from '../../../core/registry/registry.ts';
import { withStop } from '../../../core/text/stop.ts';
import { DAY_MS } from '../../../core/units/time.ts';
import type { Context } from '../context/context.ts';
import { FILES_PREFIX } from '../plan/shared/registry-place.ts';
import { isProblemError, type Problem, problemError } from '../problems/errors.ts';
import { registryFix, registryScope } from '../releases/open.ts';
import { alarmedWords } from './alarmed.ts';
import type { SeenWindows } from './finding.ts';

/** What the monitor of drift has found, read from the registry with the caller's own permissions. */

/** Documents that are read at a time. */
const AT_ONCE = 16;

/** Windows of a model that are read at most: the newest ones. */
export const MOST = 1000;

/**
 * @param since milliseconds: windows that end later
 * @returns by model; no windows where nothing was found yet
 */
export async function readWindows(
  given: Pick<Context, 'aws' | 'bucket' | 'service' | 'models'>,
  since: number,
): Promise<ReadonlyMap<string, SeenWindows>> {
  const { aws, service, models } = given;
  const s3 = s3Client(aws);
  try {
    const { account } = await callerOf(aws);
    const objects = bucketObjects(s3, await bucketOf(given));
    const scope = registryScope(account, service.region, service.name, service.stage);
    const { release } = registry(objects, scope);
    const found = new Map<string, SeenWindows>();
    for (const { name, drift } of models) {
      const seen = await windowsIn(objects, `${scope}drift/${name}/`, since);
      // What a newer plugin wrote says nothing to this one; what is damaged is `sls models status`' to tell.
      const live = await release(name).catch(() => undefined);
      const alarmed = live?.release && alarmedWords(live.release);
      const length = drift?.window;
      found.set(name, {
        ...seen,
        ...(alarmed !== undefined && { alarmed }),
        ...(length !== undefined && { length, stage: service.stage }),
      });
    }
    return found;
  } catch (error) {
    throw unreadable(service, error);
  } finally {
    s3.destroy();
  }
}

/**
 * @param folder of a model's documents; @param since milliseconds: windows that end later
 * @returns in the order of their ends: where `window` was changed, some lie within others
 */
export async function windowsIn(objects: ObjectPort, folder: string, since: number): Promise<SeenWindows> {
  // Names are in the order of starts. An old one does not say how long its window is: a day at most.
  const named = (await objects.list(folder)).flatMap((key) => {
    const window = windowNamed(key.slice(folder.length).replace(/\.json$/, ''));
    return window === undefined ? [] : [{ key, ...window, until: window.to ?? window.from + DAY_MS }];
  });
  const newest = named
    .flatMap(({ from, to }) => (to === undefined ? [] : [{ from, to }]))
    .reduce<Span | undefined>(
      (last, one) => (last === undefined || one.to >= last.to ? one : last),
      undefined,
    );
  const asked = named.filter(({ until }) => until > since);
  const keys = asked.slice(-MOST).map(({ key }) => key);
  // Whether the oldest one is drift is told by the one before.
  const [oldest] = asked.slice(-MOST);
  const prior = oldest?.to === undefined ? undefined : windowBefore({ from: oldest.from, to: oldest.to });
  const earlier = prior && named.find(({ from, to }) => from === prior.from && to === prior.to);
  const known: DriftWindow[] = [];
  const damaged: string[] = [];
  for (let start = 0; start < keys.length; start += AT_ONCE) {
    const read = keys.slice(start, start + AT_ONCE).map(async (key) => {
      const kept = await objects.get(key);
      return { key, found: kept && driftWindowIn(kept.text) };
    });
    for (const { key, found } of await Promise.all(read))
      if (found === 'damaged') damaged.push(key);
      else if (found !== undefined) known.push(found);
  }
  const kept = earlier && (await objects.get(earlier.key));
  const before = kept && driftWindowIn(kept.text);
  const wanted = known.filter(({ to }) => Date.parse(to) > since);
  // Two monitors, of which one is older, may have kept the same window.
  const windows = [...new Map(wanted.map((window) => [`${window.from} ${window.to}`, window])).values()];
  return {
    windows: windows.toSorted(byEnd),
    ...(before !== undefined && before !== 'damaged' && { before }),
    cut: asked.length > keys.length && wanted.length === known.length,
    ...(damaged.length > 0 && { damaged }),
    ...(newest && { newest }),
  };
}

const byEnd = (one: DriftWindow, other: DriftWindow): number =>
  Date.parse(one.to) - Date.parse(other.to) || Date.parse(one.from) - Date.parse(other.from);

/**
 * @returns what a window's rows were scored against; undefined where the registry does not have it any more
 */
export async function readBaseline(
  given: Pick<Context, 'aws' | 'bucket' | 'service'>,
  digest: string,
): Promise<Baseline | undefined> {
  const { aws, service } = given;
  const s3 = s3Client(aws);
  try {
    return await baselinesIn(bucketObjects(s3, await bucketOf(given)), FILES_PREFIX)(digest);
  } catch (error) {
    throw unreadable(service, error);
  } finally {
    s3.destroy();
  }
}

/** @throws ProblemError `MODELS_NOT_DEPLOYED` where AWS says so; a denied or throttled call does not */
async function bucketOf({
  bucket,
  service: { stack, region },
}: Pick<Context, 'bucket' | 'service'>): Promise<string> {
  try {
    return await bucket();
  } catch (error) {
    if (!isNoStack(error)) throw error;
    const problem: Problem = {
      code: 'MODELS_NOT_DEPLOYED',
      key: 'models',
      message: `There is no ${stack} in ${region} whose drift was looked at: ${wordsOf(error)}`,
      fix: 'Run `sls deploy`, or name another --stage, --region or --aws-profile.',
    };
    throw problemError([problem], error);
  }
}

function unreadable({ stack, region }: Context['service'], error: unknown): Error {
  if (isProblemError(error)) return error;
  const problem: Problem = {
    code: 'MODELS_AWS',
    key: 'models',
    message: `What was found of drift in ${stack} (${region}) cannot be read: ${wordsOf(error)}`,
    fix: registryFix(
      error,
      'Check credentials, --aws-profile, --stage and --region; docs/deploy-policy.md lists what a command needs.',
    ),
  };
  return problemError([problem], error);
}

const wordsOf = (error: unknown): string => withStop(error instanceof Error ? error.message : String(error));
