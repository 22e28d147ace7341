import type { GateEvidence } from '../gate/contract.ts';
import type { Aborted, Release } from '../release/document/contract.ts';
import type {
  Deployment,
  DeploymentEnd,
  SignatureRecord,
  VersionRecord,
} from '../release/document/history-contract.ts';

/**
 * The registry's documents of one service and stage: append-only JSON, except each model's `live.json`, which
 * moves by compare-and-set. Layout below the scope `models/<account>/<region>/<service>/<stage>/`:
 *
 *     versions/<model>/<n>.json             what a published version is
 *     versions/<model>/<n>-<start>.json     what it was in a function of the same name that is gone
 *     signatures/<model>/<fingerprint>.json what clients see of a version: its inputs and outputs
 *     releases/<model>/live.json            the release that is, or was last, under way
 *     releases/<model>/<start>-<id>.json    the ones before
 *     releases/<model>/gate-<id>.json       what the gate of a release found, with values of failed cases
 *     functions/<name>.json                 which model a function serves
 *     deployments/<ulid>.json               who deployed what, and how its releases ended
 */
export type Registry = {
  /** @returns undefined where there is none; throws where the registry cannot be read or holds no JSON. */
  readonly release: (model: string) => Promise<FoundRelease | undefined>;
  /** @returns names of the models that have a `live.json`, also where they are not deployed any more. */
  readonly models: () => Promise<readonly string[]>;
  /** Writes `live.json` over the one read (`etag`), or as the first one. `changed`: read again. */
  readonly move: (next: Release, etag: string | undefined) => Promise<'ok' | 'changed'>;
  /** Keeps a release that another one replaces; what is kept of it already stays, unless it went on since. */
  readonly archive: (release: Archived) => Promise<void>;
  /**
   * Keeps what a version is; a second time nothing but its card changes. A record of another version with
   * this number is kept beside it.
   */
  readonly version: (record: VersionRecord) => Promise<void>;
  /** @returns what a version is; undefined where no record of it is left. */
  readonly known: (model: string, version: string) => Promise<VersionRecord | undefined>;
  /**
   * @returns names of the records of a model's versions, those of functions that are gone included: `<n>`,
   * `<n>-<start>`.
   */
  readonly records: (model: string) => Promise<readonly string[]>;
  /** @returns one of them; undefined where it is gone, damaged, or of a schema that is not ours. */
  readonly recorded: (model: string, name: string) => Promise<VersionRecord | undefined>;
  /** Keeps what clients see of a version; a second time does nothing. */
  readonly keepSignature: (record: SignatureRecord) => Promise<void>;
  /**
   * @returns what clients see of a version; undefined where it is not known, or the document is none of ours.
   */
  readonly signature: (model: string, fingerprint: string) => Promise<SignatureRecord | undefined>;
  /** Keeps which model a function serves. */
  readonly serves: (functionName: string, model: string) => Promise<void>;
  /** @returns names of the functions that ever served a model. */
  readonly functions: () => Promise<readonly string[]>;
  /** @returns the model that a function serves: an alarm knows only the function. */
  readonly modelOf: (functionName: string) => Promise<string | undefined>;
  /** Writes what a gate found over what it had found so far. */
  readonly evidence: (
    model: string,
    release: string,
    change: (before: GateEvidence | undefined) => GateEvidence,
  ) => Promise<void>;
  /**
   * Adds to a deploy's record how its release of a model stands. Nothing happens where there is no such
   * record.
   */
  readonly ended: (deployment: string, model: string, end: DeploymentEnd) => Promise<void>;
  /** Keeps who deploys what, at its start. @throws Error where this id has another record */
  readonly deploy: (deployment: Deployment) => Promise<void>;
  /** Adds to a deploy's record that it failed, and how. Nothing happens where there is no such record. */
  readonly failed: (deployment: string, failed: NonNullable<Deployment['failed']>) => Promise<void>;
  /** @returns a deploy's record; undefined where there is none, or it is damaged or of another schema. */
  readonly deployment: (id: string) => Promise<Deployment | undefined>;
  /** @returns ids of all deploys, oldest first. */
  readonly deployments: () => Promise<readonly string[]>;
  /** @returns names of the releases of a model that are over and replaced, oldest first. */
  readonly archives: (model: string) => Promise<readonly string[]>;
  /** @returns one of them; undefined where it is gone, damaged, or of a schema that is not ours. */
  readonly archived: (model: string, name: string) => Promise<Release | undefined>;
  /** @returns what the gate of a release found; undefined where none is kept. */
  readonly found: (model: string, release: string) => Promise<GateEvidence | undefined>;
};

/** What every schema, also one newer than ours, tells: see `Release`. */
export type Core = Pick<Release, 'functionName' | 'alias' | 'stable' | 'highest'> & {
  readonly schema: number;
};

/** `release` is absent where the document is of a schema that this worker does not know. */
export type FoundRelease = {
  readonly etag: string;
  readonly core: Core;
  readonly release?: Release;
  /** The release where it lacks what it cannot go on without: it is still to be given up. */
  readonly lacking?: Aborted;
  readonly text: string;
};

/** A document to be kept: a release of ours, or the text of one that we do not know. */
type Archived =
  | { readonly model: string; readonly release: Release }
  | { readonly model: string; readonly text: string; readonly at: string };
