import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import { withStop } from '../../../core/text/stop.ts';
import type { Context } from '../context/context.ts';
import type { Host } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { isProblemError, problemError } from '../problems/errors.ts';
import type { Offer } from './deployment.ts';
import { type OpenedRegistry, registryFix } from './open.ts';
import type { Reach } from './ports.ts';
import type { ClientSignature } from './signature.ts';

/** What `sls deploy` and the framework's `sls rollback` work with where they see to releases. */

export type DeployContext = Pick<Context, 'service' | 'notice' | 'progress'> & {
  readonly models: readonly Model[];
  readonly host: Host;
  readonly reach: Reach;
  /** What clients see of the packaged models; a model that is not known is passed over. */
  readonly signatures: () => Promise<ReadonlyMap<string, ClientSignature>>;
};

/** A deploy that is under way. */
export type Deploy = {
  /** The releases that were there, by model. */
  readonly before: ReadonlyMap<string, Release>;
  /**
   * Ids of all releases that the registry had, by model, those of models that are gone included: what is
   * another one is new.
   */
  readonly earlier: ReadonlyMap<string, string>;
  /** What the template offers of each model; of `sls rollback` it is known at the end only. */
  readonly offers: readonly Offer[];
  /** Models to be asked for anew: CloudFormation would not ask for them, and nothing of them is recorded. */
  readonly again: readonly string[];
  /** Id of its record, once there is one. */
  readonly id?: string;
};

export type Documents = OpenedRegistry['documents'];

/**
 * @param bucket the one that is declared, where none is given
 * @returns undefined where there is no registry, or none yet
 */
export async function atRegistry<T>(
  { reach }: { readonly reach: Pick<Reach, 'bucket' | 'registry'> },
  work: (opened: Pick<OpenedRegistry, 'documents' | 'by'>) => Promise<T>,
  bucket?: string,
): Promise<T | undefined> {
  let name = bucket;
  try {
    name ??= await reach.bucket();
    return name === undefined ? undefined : await reach.registry(name, work);
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucket') return undefined;
    // Something else than the registry, which says so.
    if (isProblemError(error)) throw error;
    throw problemError(
      [
        {
          code: 'MODELS_AWS',
          key: 'models',
          message: `The registry${name === undefined ? '' : ` in ${name}`} cannot be used: ${withStop(messageOf(error))}`,
          fix: registryFix(
            error,
            'Check credentials and --aws-profile; docs/deploy-policy.md lists what a deploy needs.',
          ),
        },
      ],
      error,
    );
  }
}

export async function releasesOf(
  models: readonly Model[],
  documents: Documents,
): Promise<ReadonlyMap<string, Release>> {
  const found = await Promise.all(
    models.map(async ({ name }) => [name, (await documents.release(name))?.release] as const),
  );
  return new Map(found.flatMap(([name, release]) => (release === undefined ? [] : [[name, release]])));
}
