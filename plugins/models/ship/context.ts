import type { AwsConfig } from '../../../core/ports/config.ts';

/** What shipping needs of the service and of its caller. */
export type ShipContext = {
  /** Absolute folder of the serverless.yml. */
  readonly serviceDir: string;
  /** Where zips and unzipped function folders go; made when missing. */
  readonly outDir: string;
  /** A running line for work over two seconds; undefined when done. */
  readonly progress: (text: string | undefined) => void;
  /** The provider's `environment`, which every function has. */
  readonly environment?: unknown;
  /** Bucket that machines share, which may have this artifact optimised already; absent: it is not asked. */
  readonly registry?: string;
  /** Absent: nothing may be asked of AWS. */
  readonly aws?: AwsConfig;
};
