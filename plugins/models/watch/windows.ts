import { S3Client } from '@aws-sdk/client-s3';
import { baselinesIn } from '../../../functions/drift/baselines.ts';
import type { Baseline, DriftWindow } from '../../../functions/drift/contract.ts';
import { bucketObjects } from '../../../functions/shared/aws/objects.ts';
import type { ObjectPort } from '../../../functions/shared/aws/ports.ts';
import { registry } from '../../../functions/shared/registry.ts';
import type { Context } from '../commands/command.ts';
import { type Problem, problemError } from '../errors.ts';
import { FILES_PREFIX } from '../plan/endpoint.ts';
import { callerOf, registryScope } from '../release/open.ts';
import { alarmedWords } from './alarmed.ts';
import type { Seen } from './finding.ts';

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
  { aws, bucket, service, models }: Pick<Context, 'aws' | 'bucket' | 'service' | 'models'>,
  since: number,
): Promise<ReadonlyMap<string, Seen>> {
  const s3 = new S3Client(aws);
  try {
    const { account } = await callerOf(aws);
    const objects = bucketObjects(s3, await bucket());
    const scope = registryScope(account, service.region, service.name, service.stage);
    const { release } = registry(objects, scope);
    const found = new Map<string, Seen>();
    for (const { name } of models) {
      const seen = await windowsIn(objects, `${scope}drift/${name}/`, since);
      // What a newer plugin wrote says nothing to this one; what is damaged is `sls models status`' to tell.
      const live = await release(name).catch(() => undefined);
      const alarmed = live?.release && alarmedWords(live.release);
      found.set(name, { ...seen, ...(alarmed !== undefined && { alarmed }) });
    }
    return found;
  } catch (error) {
    throw problemError([unreadable(service, error)], error);
  } finally {
    s3.destroy();
  }
}

/** @param folder of a model's documents; @param since milliseconds: windows that end later */
export async function windowsIn(objects: ObjectPort, folder: string, since: number): Promise<Seen> {
  // Names are starts, in the order of time.
  const all = await objects.list(folder);
  const keys = all.slice(-MOST);
  const windows: DriftWindow[] = [];
  // From the newest back, until one has ended before. What cannot be read says nothing of its time.
  for (let end = keys.length; end > 0; end -= AT_ONCE) {
    const read = await Promise.all(
      keys
        .slice(Math.max(0, end - AT_ONCE), end)
        .map(async (key) => windowOf((await objects.get(key))?.text)),
    );
    const known = read.flatMap((window) => window ?? []);
    const wanted = known.filter(({ to }) => Date.parse(to) > since);
    windows.unshift(...wanted);
    if (wanted.length < known.length) return { windows, cut: false };
  }
  return { windows, cut: all.length > keys.length };
}

/** @returns what a window's rows were scored against; undefined where the registry does not have it any more */
export async function readBaseline(
  { aws, bucket, service }: Pick<Context, 'aws' | 'bucket' | 'service'>,
  digest: string,
): Promise<Baseline | undefined> {
  const s3 = new S3Client(aws);
  try {
    return await baselinesIn(bucketObjects(s3, await bucket()), FILES_PREFIX)(digest);
  } catch (error) {
    throw problemError([unreadable(service, error)], error);
  } finally {
    s3.destroy();
  }
}

/** @returns undefined for what is none, or of another schema */
function windowOf(text: string | undefined): DriftWindow | undefined {
  if (text === undefined) return undefined;
  try {
    const window = JSON.parse(text) as Partial<DriftWindow> | null;
    return window?.schema === 1 && Array.isArray(window.signals) ? (window as DriftWindow) : undefined;
  } catch {
    return undefined;
  }
}

const unreadable = ({ stack, region }: Context['service'], error: unknown): Problem => ({
  code: 'MODELS_AWS',
  key: 'models',
  message: `What was found of drift in ${stack} (${region}) cannot be read: ${error instanceof Error ? error.message : error}`,
  fix: 'Run `sls deploy` first; else check credentials, --aws-profile, --stage and --region. docs/deploy-policy.md lists what a command needs.',
});
