import { callerOf } from '../../../aws/caller.ts';
import { s3Client } from '../../../aws/clients/s3.ts';
import { bucketObjects } from '../../../aws/s3/objects.ts';
import type { BenchDocument } from '../../../core/capacity/contract.ts';
import type { ArtifactOrigin } from '../../../core/origin/contract.ts';
import { type Benches, benchesIn } from '../../../core/registry/benches.ts';
import { registry } from '../../../core/registry/registry.ts';
import type { Context } from '../context/context.ts';
import { askBriefly, type Limits } from './brief.ts';
import { type Comparison, compareSignature, type OfferedSignature } from './live-signature.ts';
import { registryScope } from './open.ts';
import { aliasesOf } from './removed-models.ts';

/**
 * What the registry knows of live versions, for a command that must work without AWS: in a short time, or not
 * at all.
 */

export type Live = {
  readonly comparison: Comparison;
  /** The newest bench of the version that is live. */
  readonly bench?: BenchDocument;
  /** What a registry of models knew of that version, where it came from one. */
  readonly origin?: ArtifactOrigin;
};

/**
 * Compares what is offered with what is live, and looks for benches of that. Never throws, and takes no
 * longer than its limits, three seconds.
 *
 * @returns by model
 */
export async function askLive(
  context: Pick<Context, 'aws' | 'bucket' | 'service'>,
  offered: readonly OfferedSignature[],
  limits?: Limits,
): Promise<ReadonlyMap<string, Live>> {
  if (offered.length === 0) return new Map();
  const found = await askBriefly(context, (aws) => ask({ ...context, aws }, offered), limits);
  if ('answer' in found) return found.answer;
  const comparison = { compared: false, reason: found.unknown } as const;
  return new Map(offered.map(({ model }) => [model, { comparison }]));
}

async function ask(
  { aws, bucket, service }: Pick<Context, 'aws' | 'bucket' | 'service'>,
  offered: readonly OfferedSignature[],
): Promise<ReadonlyMap<string, Live>> {
  // Before the framework is asked for the bucket, which waits without a bound where AWS is out of reach.
  const { account } = await callerOf(aws);
  const name = await bucket();
  const s3 = s3Client(aws);
  try {
    const { name: of, stage, region, stack } = service;
    const objects = bucketObjects(s3, name);
    const scope = registryScope(account, region, of, stage);
    const documents = registry(objects, scope);
    const benches = benchesIn(objects, scope);
    const aliases = aliasesOf(aws, stack);
    const found = offered.map(
      async (one) => [one.model, await liveOf({ documents, benches, aliases }, one)] as const,
    );
    return new Map(await Promise.all(found));
  } finally {
    s3.destroy();
  }
}

type Reads = {
  readonly documents: Parameters<typeof compareSignature>[0];
  readonly benches: Pick<Benches, 'newest'>;
  readonly aliases: Parameters<typeof compareSignature>[1];
};

/** What is known of the version of a model that is live. Never throws. */
export async function liveOf({ documents, benches, aliases }: Reads, one: OfferedSignature): Promise<Live> {
  const comparison = await compareSignature(documents, aliases, one);
  if (!comparison.compared) return { comparison };
  const { version } = comparison;
  const [found, record] = await Promise.all([
    newest(benches, one.model, version),
    documents.known(one.model, version).catch(() => undefined),
  ]);
  // What a function of the same name had before, whose versions had these numbers, too, is not this one's.
  const bench = found !== undefined && record !== undefined && found.at < record.at ? undefined : found;
  return { comparison, ...(bench && { bench }), ...(record?.origin && { origin: record.origin }) };
}

/** A bench that cannot be read is none: nothing rests on it alone. */
const newest = (
  benches: Reads['benches'],
  model: string,
  version: string,
): Promise<BenchDocument | undefined> =>
  benches.newest(model, [version]).then(
    ([found]) => found,
    () => undefined,
  );
