/**
 * What a template asks of a release: settings of the alias's resource, as the plan writes them. Shapes only.
 */

import type { GateSettings } from '../../gate/contract.ts';

/**
 * What a model's release follows, all of it known when packaged: JSON text in the property `Settings`, since
 * CloudFormation would turn every number in it into a string. Units: percent only in `weight`, seconds
 * everywhere.
 */
export type Settings = {
  /**
   * `auto` decides between `steps` and all at once when the release starts, from the traffic that it finds.
   */
  readonly strategy: 'auto' | 'canary' | 'linear' | 'blueGreen' | 'allAtOnce';
  /** Already spelled out for `linear`; empty for `blueGreen` and `allAtOnce`. */
  readonly steps: readonly Step[];
  /** A step and side. */
  readonly minRequests: number;
  /** Share (0 to 1) of all requests that the next step may waste if the candidate is worse. */
  readonly increase: number;
  /** Seconds, a step, beyond its bake. */
  readonly maxWait: number;
  readonly onNoData: 'hold' | 'pass' | 'rollback';
  /** Seconds after promotion in which an alarm may bring the last good version back. */
  readonly rollbackWindow: number;
  readonly dryRun: boolean;
  /** In σ: outputs of a new model may differ this much from the stable one's. */
  readonly expectedShift: number;
  /** Requests per second, as declared. */
  readonly traffic?: number;
  /** Milliseconds: the service level objective. */
  readonly p95?: number;
  /** MB and seconds of the function. */
  readonly memory: number;
  readonly timeout: number;
  readonly gate?: GateSettings;
  readonly capacity?: CapacitySettings;
  /**
   * Names of the output signals that this version publishes; two versions share a name only where they can be
   * compared.
   */
  readonly signals?: readonly string[];
  /** This version counts refused requests by version. Absent: by model only, as older ones do. */
  readonly rejected?: true;
  /**
   * Names of the signals of drift that CloudWatch's alarms watch: this version publishes their sums in units
   * of its own reference's noise.
   */
  readonly drift?: readonly string[];
};

/** `weight` in percent, `bake` in seconds. */
export type Step = { readonly weight: number; readonly bake: number };

export type CapacitySettings = {
  readonly provisioned?: { readonly min: number; readonly max: number; readonly target: number };
  readonly reserved?: number;
  /** Pairs of AWS schedule expressions that raise and restore the range of provisioned concurrency. */
  readonly schedules: readonly {
    readonly name: string;
    /** `cron(…)`, in `timezone`. */
    readonly start: string;
    readonly end: string;
    readonly timezone: string;
    readonly min: number;
    readonly max: number;
  }[];
};
