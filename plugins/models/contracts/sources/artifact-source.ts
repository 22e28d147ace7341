import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import type { AwsConfig } from '../../../../core/ports/config.ts';

/**
 * A place that artifacts come from. `artifact/sources/sources.ts` is the list: declaration, JSON Schema and
 * docs read from it what `artifact:` may be. The first four members are pure; the others are promises, and
 * load what they need when they are asked.
 */
export type ArtifactSource = {
  /** What its references begin with, before the first colon. */
  readonly scheme: string;
  /** What may be written: as the docs show it, and as a fix says it after "Write". */
  readonly forms: readonly { readonly shown: string; readonly write: string }[];
  /** What is wrong with a reference, by its text alone. */
  readonly fault: (reference: string) => { readonly message: string; readonly fix: string } | undefined;
  /** Where it lies on this disk, relative to the service: what is watched, and left out of other zips. */
  readonly path: (reference: string) => string | undefined;
  /**
   * The reference with a version in the place of an alias, where it is of the model that was recorded; absent
   * or undefined: it stays as it is.
   */
  readonly pinned?: (reference: string, origin: ArtifactOrigin) => string | undefined;
  /**
   * What a reference stands for now. It is asked once, so that an alias that moves meanwhile changes nothing.
   */
  readonly resolve: (reference: string, context: SourceContext) => Promise<ResolvedArtifact>;
  /**
   * Brings it onto this disk: what was resolved, or nothing.
   *
   * @param beside files that a file of the artifact needs, relative to its folder
   */
  readonly fetch: (
    resolved: ResolvedArtifact,
    beside: (file: string) => readonly string[],
    context: SourceContext,
  ) => Promise<FetchedArtifact>;
};

/** Plain data. */
export type ResolvedArtifact = {
  /** As written. */
  readonly reference: string;
  /** A folder, or one file with what that needs beside it. */
  readonly isFolder: boolean;
  readonly files: readonly ResolvedFile[];
  /** What lies beside the one file, where that was looked at: weights may be among it. */
  readonly others?: readonly ResolvedFile[];
  /** Where a registry keeps the files, in words of its source. */
  readonly from?: string;
  /** What a registry of models knows of it. */
  readonly origin?: ArtifactOrigin;
  /** For people: that a reference has moved, or that a registry did not answer. */
  readonly notices?: readonly string[];
};

export type ResolvedFile = {
  /** Its path below the folder; the name of the one file. */
  readonly path: string;
  /** Another content has another one, and is not fetched. Absent where whatever is read is copied first. */
  readonly version?: string;
  readonly bytes: number;
};

export type FetchedArtifact = {
  /** Absolute, of the file or the folder. */
  readonly path: string;
  /** It lies in the cache already; else somebody may write to it at any time. */
  readonly isOurs: boolean;
};

export type SourceContext = {
  /** YAML path to blame. */
  readonly key: string;
  /** Absolute folder of the serverless.yml. */
  readonly serviceDir: string;
  /** A running line for work over two seconds; undefined when done. */
  readonly progress: (text: string | undefined) => void;
  /** Absent: nothing may be asked of AWS. */
  readonly aws?: AwsConfig;
};
