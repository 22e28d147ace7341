import type { ArtifactOrigin } from '../../../core/origin/contract.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { PromotedFrom } from '../../../core/release/document/history-contract.ts';
import type { Imaged } from './kept-image.ts';

/** What another stage validated of a model: nothing else may be packaged. */
export type Validated = {
  readonly source: string;
  readonly identity: string;
  readonly origin?: ArtifactOrigin;
  readonly evidence: PromotedFrom;
};

/** What shipping needs of the service and of its caller. */
export type ShipContext = {
  /** Absolute folder of the serverless.yml. */
  readonly serviceDir: string;
  /** Where zips and unzipped function folders go; made when missing. */
  readonly outDir: string;
  /** What the zip of a function is called there; absent: by the function. */
  readonly zipOf?: (key: string) => string;
  /** A running line for work over two seconds; undefined when done. */
  readonly progress: (text: string | undefined) => void;
  /** The provider's `environment`, which every function has. */
  readonly environment?: unknown;
  /** Bucket that machines share, which may have this artifact optimised already; absent: it is not asked. */
  readonly registry?: string;
  /** An error of a transform is told by the lines of its sources: for who works on it, and never deployed. */
  readonly withPlaces?: true;
  /** By model, where what another stage validated is packaged, and nothing else. */
  readonly validated?: ReadonlyMap<string, Validated>;
  /** Absent: nothing may be asked of AWS. */
  readonly aws?: AwsConfig;
};

/** The same, where all models of a service are shipped. */
export type ServiceContext = ShipContext & {
  /** Packs what a model runs from, where that is no zip. */
  readonly imaged: Imaged;
};
