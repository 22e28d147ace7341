import type { AwsConfig } from '../commands/command.ts';

/** What shipping needs of the service and of its caller. */
export type ShipContext = {
  /** Absolute folder of the serverless.yml. */
  readonly serviceDir: string;
  /** Where zips and unzipped function folders go; made when missing. */
  readonly outDir: string;
  /** A running line for work over two seconds; undefined when done. */
  readonly progress: (text: string | undefined) => void;
  /** Absent: nothing may be asked of AWS. */
  readonly aws?: AwsConfig;
};
