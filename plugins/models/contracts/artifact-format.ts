import type { ModelSize } from '../../../core/advice/contract.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import type { Tensor } from '../../../core/tensor/datatypes.ts';
import type { Architecture } from '../declaration/model.ts';

/**
 * What an artifact’s files are in, and what runs them. `artifact/formats.ts` is the list; reading, packaging
 * and the baseline go by this and know none by name. Methods, so that a format may take its own `Contents`,
 * of which nobody else knows more than these.
 */
export type ArtifactFormat<C extends Contents = Contents> = {
  readonly name: string;
  /** The file that all others belong to: its name in a folder, and in all that is shipped. */
  readonly main: string;
  /** Are these files of this format? By their paths alone. */
  matches(files: readonly string[]): boolean;
  /** What the main file says of itself; nothing of it is run. @throws Error with why it cannot be read */
  read(file: string): C;
  /** The same with what Lambda’s system has, where it asks for what that lacks. */
  adapt(source: KeptArtifact<C>): Promise<KeptArtifact<C>>;
  /**
   * @param runtime path of it, or undefined: then what the files declare
   *
   * @throws ProblemError with what is wrong
   */
  inspect(
    source: KeptArtifact<C>,
    key: string,
    runtime: string | undefined,
    limits?: { readonly deadline: number; readonly memory: number },
  ): Promise<Inspection>;
  /** The files to ship. */
  prepare(
    source: KeptArtifact<C>,
    key: string,
    runtime: string | undefined,
    how: Preparing,
  ): Promise<Shippable>;
  readonly runtime: ArtifactRuntime;
};

/** What is known of an artifact before anything loads it. */
export type Contents = {
  /** Files that belong to it, as it names them (not yet checked), each once. */
  readonly external: readonly string[];
  /** Names of columns that it brings, as they are written. */
  readonly columns?: string;
  /** Its licence, as it is written in it. */
  readonly licence?: string;
  /** What it takes by types and shapes alone. */
  readonly size: ModelSize;
  /** Bytes of the inputs of one row, as far as shapes tell. */
  readonly rowBytes: number;
};

/** An artifact in the cache, complete and hashed, but not yet loaded by anything. */
export type KeptArtifact<C extends Contents = Contents> = {
  /** The main one first. */
  readonly files: readonly SourceFile[];
  /** sha256 over names and contents of all files. */
  readonly digest: string;
  readonly bytes: number;
  readonly info: C;
};

export type SourceFile = {
  /** Its path below the artifact: `main`, or the name that the main file gives it. */
  readonly path: string;
  /** Absolute. */
  readonly from: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** What is known of an artifact after it was loaded, and run where some probe fits it. */
export type Inspection = {
  readonly signature: Signature;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  readonly irVersion: number;
  /** Did the runtime run it here: `true`, or why nothing was run. */
  readonly ran: true | string;
  /** For people. */
  readonly notices: readonly string[];
};

export type Preparing = {
  readonly optimize: boolean;
  readonly progress: (text: string | undefined) => void;
  /**
   * Takes what another machine made under this key into a folder; undefined where there is none. Never
   * throws. Absent: what others made is not taken, nor what was taken before.
   */
  readonly take?: (key: string, folder: string) => Promise<readonly Omit<SourceFile, 'from'>[] | undefined>;
};

/** The files that are shipped, below `model/`, and whether they are the optimised ones, or why not. */
export type Shippable = {
  readonly files: readonly SourceFile[];
  readonly optimized: true | string;
  /** Names what optimised files were made from and by, whichever machine did it. */
  readonly key?: string;
  /** For people. */
  readonly notice?: string;
};

/** What loads it, here and on Lambda. */
export type ArtifactRuntime = {
  /** For people. */
  readonly name: string;
  /** Part of every identity. */
  readonly version: string;
  /** Its package URL, for lists of what is deployed. */
  readonly purl?: string;
  /**
   * @returns a folder for NODE_PATH, filled on first use; undefined where it has no build for this machine
   */
  readonly here: (progress?: Preparing['progress']) => Promise<string | undefined>;
  /** What it takes in a function, unzipped. */
  readonly bytes: (architecture: Architecture) => number;
  readonly onLambda: LambdaRuntime;
  /** What it says, without what tells a person nothing. */
  readonly gist: (message: string) => string;
  /**
   * A file of ours, by its path without extension: its `openModel` is for a process of its own, which has
   * `here()` in its NODE_PATH.
   */
  readonly session: string;
};

/** What functions have of it. */
type LambdaRuntime = {
  /** All that its files follow from: what is made of them is kept under that. */
  readonly pinned: unknown;
  /** More would leave a model too little room, unzipped. */
  readonly mostBytes: number;
  /** Shared libraries that are in it. */
  readonly libraries: number;
  /** @returns what has its `node_modules`, and the ELF machine that its libraries must be built for */
  readonly folder: (
    architecture: Architecture,
    progress: Preparing['progress'],
  ) => Promise<{ readonly folder: string; readonly machine: number }>;
};

/** Loads the main file. */
export type OpenModel = (file: string) => Promise<AskModel>;
/** @returns the outputs that are named */
export type AskModel = (
  inputs: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
) => Promise<Readonly<Record<string, OutputAnswer>>>;

/** An output as the runtime gives it. */
export type OutputAnswer = {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<unknown>;
};
