import type { RemoteFile } from '../../../core/endpoint/contract.ts';
import type { Architecture, LayerFacts, Model } from '../declaration/model.ts';
import type { Problem } from '../problems/errors.ts';
import type { ArtifactRuntime } from './artifact-format.ts';

/** Code that a function starts with, by its file. */
export type Code = Readonly<Record<string, string>>;

/** A file of the model: its path beside the code, and where it lies. */
type ModelFile = {
  readonly path: string;
  readonly from: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** A function as it is deployed. */
type Packed = {
  /** What is in it, unpacked. */
  readonly content: readonly { readonly path: string; readonly from: string; readonly bytes: number }[];
  /** Absolute path of the zip, where it is deployed as one; and the bytes of both. */
  readonly zip?: string;
  readonly zipBytes: number;
  readonly bytes: number;
};

/** The half of a target that touches the disk. What it makes of the same input is the same, byte for byte. */
export type Builder = {
  /** That of its `Target`. */
  readonly kind: string;
  /** @param bytes of an artifact: why no start could read it */
  readonly problems: (bytes: number, key: string) => readonly Problem[];
  /**
   * The files that are fetched at start, all or none, since they do not fit beside the code.
   *
   * @param runtimeBytes what the runtime has beside them, unpacked
   * @param key of the declaration, for problems
   * @throws ProblemError where a start would take too long
   */
  readonly remoteOf: (
    files: readonly ModelFile[],
    code: Code,
    runtimeBytes: number,
    key: string,
  ) => readonly RemoteFile[];
  readonly pack: (
    model: Model,
    code: Code,
    files: readonly ModelFile[],
    to: {
      readonly outDir: string;
      readonly zipOf?: (key: string) => string;
      readonly runtime: ArtifactRuntime;
      readonly progress: (text: string | undefined) => void;
    },
  ) => Promise<Packed>;
  /**
   * What a person should know of functions with so many bytes unpacked; absent where that is never anything.
   */
  readonly notice?: (model: Model, bytes: number) => string | undefined;
  /** What functions share that run in the same; absent where each has its own. */
  readonly shared?: {
    /** Those of which it says the same share it; a name for a file. */
    readonly by: (runtime: ArtifactRuntime, architecture: Architecture) => string;
    readonly make: (
      runtime: ArtifactRuntime,
      architecture: Architecture,
      progress: (text: string | undefined) => void,
    ) => Promise<SharedRuntime>;
  };
};

/** What functions share, as it is uploaded. */
export type SharedRuntime = { readonly facts: LayerFacts; readonly zip: string };
