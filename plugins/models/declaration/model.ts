import type { z } from 'zod';
import type { CardDocument } from '../../../core/card/contract.ts';
import type { ArtifactOrigin } from '../../../core/origin/contract.ts';
import type { MetricSettings } from '../../../core/quality/contract.ts';
import type { PromotedFrom } from '../../../core/release/document/history-contract.ts';
import type { Columns, Signature } from '../../../core/tensor/contract.ts';
import type { Frozen } from './frozen.ts';
import { gateOf } from './gate-floor.ts';
import { batchOf } from './keys/batch.ts';
import { instancesOf } from './keys/concurrency.ts';
import { rulesOf } from './keys/release.ts';
import type { Declaration, serviceOptions } from './schema.ts';

/**
 * A declaration with every default filled and every unit fixed: what the rest of the build side reads. Most
 * keys are what `keys/` makes of them; here is what becomes of those that depend on others.
 *
 * @param architecture of the provider, where the model has none
 */
export function modelNamed(name: string, given: Declaration, architecture: Declaration['architecture']) {
  const { release, concurrency, batch, gate, ...alone } = given;
  const instances = concurrency && instancesOf(concurrency);
  return {
    ...alone,
    name,
    architecture: given.architecture ?? architecture ?? 'x86_64',
    release: rulesOf(release),
    ...(gate && { gate: gateOf(gate, given.card) }),
    ...(instances && { concurrency: instances }),
    ...(batch && { batch: batchOf(batch, concurrency?.batch, given.missing) }),
  };
}

export type Model = Frozen<ReturnType<typeof modelNamed>>;

/** `custom.models`. */
export type ServiceOptions = Frozen<z.output<typeof serviceOptions>>;

export type Architecture = Model['architecture'];
export type Http = NonNullable<Model['http']>;
export type Concurrency = NonNullable<Model['concurrency']>;
export type Window = Concurrency['schedule'][number];
export type Gate = NonNullable<Model['gate']>;
export type GateMetric = NonNullable<Gate['metric']>;
export type ReleaseRules = Model['release'];
export type Drift = NonNullable<Model['drift']>;
export type Batch = NonNullable<Model['batch']>;
export type Audit = NonNullable<Model['audit']>;

/** The most instances that a version may be asked to keep warm; a release has two versions for a while. */
export const peakOf = ({ provisioned, schedule }: Concurrency): number =>
  Math.max(provisioned?.max ?? 0, ...schedule.map(({ max }) => max));

/** What `ship/` found out about an artifact: the I/O that pure functions take as input. */
export type Facts = {
  readonly identity: string;
  /** sha256 over every file of the source artifact, external data included. */
  readonly source: string;
  readonly sourceBytes: number;
  /** Who signed the artifact, where `signed` asks for that; for people. */
  readonly signedBy?: string;
  /** What a registry of models knows of the artifact, where it comes from one. */
  readonly origin?: ArtifactOrigin;
  /** What is told of the model: the declaration's card, and what others know. */
  readonly card?: CardDocument;
  /** What another stage found of the very same, where it was asked. */
  readonly promoted?: PromotedFrom;
  /** What clients see: the graph's, less what transform.ts declares in its place. */
  readonly signature: Signature;
  /** What the graph itself takes and gives; absent where that is `signature`. */
  readonly graph?: Signature;
  /** Names of the columns of the only input that clients see, where they are known. */
  readonly columns?: Columns;
  readonly opset: number;
  /** Was the optimised form shipped, or why not (a notice for people). */
  readonly optimized: true | string;
  /** One sentence each, for people: what was left out or could not be done. */
  readonly notices: readonly string[];
  /** Bytes of the function's zip, or of the layer that has it, and of its content unpacked. */
  readonly zipBytes: number;
  readonly unzippedBytes: number;
  /** What the runtime takes that loads it, unzipped; other functions may share it. */
  readonly runtimeBytes: number;
  /** What it runs from, where that is no zip. */
  readonly image?: ImageFacts;
  /** Files that go by the registry bucket instead of the zip; empty mostly. */
  readonly remote: readonly { readonly path: string; readonly sha256: string; readonly bytes: number }[];
  /** The gate's case file, which goes by the registry bucket, too. */
  readonly cases?: { readonly sha256: string; readonly bytes: number; readonly count: number };
  /** The gate’s labelled rows, likewise, and the output that is the prediction. */
  readonly labelled?: MetricSettings['cases'] & { readonly output: string };
  /** What the reference data became. */
  readonly drift?: DriftFacts;
};

export type DriftFacts = {
  /** Digest of the baseline's JSON, which goes by the registry bucket. */
  readonly sha256: string;
  readonly bytes: number;
  /** Rows of the reference data. */
  readonly rows: number;
  /** The inputs are watched by native alarms; else by the monitor. */
  readonly native: boolean;
  readonly signals: readonly DriftSignal[];
};

export type DriftSignal = {
  readonly name: string;
  readonly label: string;
  readonly of: 'input' | 'output';
  readonly kind: 'numeric' | 'category';
  /** Overdispersion of the reference's own windows. */
  readonly phi: number;
  /** Rows of the reference with a value. */
  readonly m: number;
  /** One value only in the reference: it has no scores, so that CloudWatch alone does not see it change. */
  readonly constant?: true;
};

/** A model's image, as far as packaging knows it: the base is fetched by the deploy. */
export type ImageFacts = {
  /** `host/repository@sha256:<hex>`, as declared or ours. */
  readonly base: string;
  /** sha256 over the base's digest, the layers unpacked, and what starts them. */
  readonly identity: string;
  /** What is laid over the base, the lowest first. Digests are those of the tars unpacked; bytes packed. */
  readonly layers: readonly { readonly name: string; readonly diffId: string; readonly bytes: number }[];
};

/** The ONNX Runtime layer of one architecture, as built. */
export type LayerFacts = {
  readonly architecture: Architecture;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly unzippedBytes: number;
};
