import type { AliasState } from '../../../core/ports/aws.ts';
import type { Suspect } from './alias/lacks.ts';
import type { Lacking } from './lacks-look.ts';
import type { OpenedRegistry } from './open.ts';
import type { Aliases, LogicalIds } from './removed-models.ts';
import type { RequestRate } from './words/forecast.ts';
import type { FollowedModel } from './worker/follow.ts';
import type { Worker } from './worker/worker.ts';

/** Resources of a template, by logical id. */
export type TemplateResources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** All that a deploy reaches of AWS about releases. Tests put their own behind it. */
export type Reach = {
  /**
   * The bucket that serverless.yml names for the registry, or the deployment bucket; undefined before a first
   * deploy.
   */
  readonly bucket: () => Promise<string | undefined>;
  /** The registry in a bucket, for as long as the work takes. */
  readonly registry: <T>(
    bucket: string,
    work: (opened: Pick<OpenedRegistry, 'documents' | 'by'>) => Promise<T>,
  ) => Promise<T>;
  /** The bucket of the registry that the deployed worker uses; undefined where that cannot be told. */
  readonly deployedBucket: () => Promise<string | undefined>;
  readonly worker: () => Worker;
  readonly alias: (target: FollowedModel) => Promise<AliasState | undefined>;
  /** Is there such a function? */
  readonly exists: (functionName: string) => Promise<boolean>;
  /** Logical ids of the aliases that the stack has. */
  readonly aliases: Aliases;
  /** Logical ids of the functions that the stack has made. */
  readonly functions: LogicalIds;
  /** Was the creation of the stack rolled back, so that it takes nothing but its deletion? */
  readonly neverMade: () => Promise<boolean>;
  /** Was its last update rolled back, so that what was uploaded last is not deployed? */
  readonly rolledBack: () => Promise<boolean>;
  /** The template of the stack as it is deployed. */
  readonly template: () => Promise<TemplateResources>;
  /** What aliases lack that somebody deleted or made: problems, and lines where it could not be checked. */
  readonly lacks: (by: string, releases: readonly Suspect[]) => Promise<Lacking>;
  /** Request rate of the last 24 hours. */
  readonly traffic: (target: FollowedModel) => Promise<RequestRate>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Waits so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
};
