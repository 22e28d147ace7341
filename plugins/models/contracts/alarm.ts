import type { ALARMS } from '../../../core/release/document/worker-contract.ts';
import type { Model } from '../declaration/model.ts';
import type { Resource } from './cloudformation.ts';

/** One alarm of every model that has what it watches. */
export type AlarmKind = {
  readonly suffix: keyof typeof ALARMS;
  /**
   * When it goes off, for people; `p95`: the objective, or the words for it; `of`: the periods that it looks
   * back over.
   */
  readonly when: (p95: number | string, of?: number) => string;
  readonly what: string;
  /** What a person does then. */
  readonly advice: string;
  /** The same where it brings no version back, although it may. */
  readonly alone?: string;
  /** Within `rollbackWindow` it makes the release worker look whether the last good version does better. */
  readonly rollsBack: boolean;
  /** Undefined for a model without what it watches. */
  readonly watch: (model: Model, functionName: string) => Watch | undefined;
};

export type Metric = {
  readonly namespace: string;
  readonly name: string;
  /** Values may be functions of CloudFormation. */
  readonly dimensions: Readonly<Record<string, unknown>>;
  readonly stat: 'Sum' | 'Maximum' | 'Average';
};

export type Watch = {
  readonly metrics: Readonly<Record<string, Metric>>;
  /** An expression over the metrics' names; absent where the only metric itself is compared. */
  readonly expression?: string;
  readonly above: number;
  /** Seconds; so many periods of the last `of` must be above. */
  readonly period: number;
  readonly periods: number;
  readonly of: number;
  /**
   * Something is published all the time: where nothing is, that is the fault. It is made once that has begun.
   */
  readonly lives?: { readonly from: string };
};

export type Alarm = {
  readonly name: string;
  readonly logicalId: string;
  /** Each is billed: https://aws.amazon.com/cloudwatch/pricing/ */
  readonly metrics: number;
  readonly resource: Resource;
  /** Absent where it follows from reference data. */
  readonly kind?: AlarmKind;
};
