import type { InvokePort } from '../../../core/ports/aws.ts';
import type { Model } from '../declaration/model.ts';

/** What a target used since it started, as far as this machine can see. */
export type Usage = {
  /** Seconds of processor time. */
  readonly cpu: number;
  /** MB, the most at once. */
  readonly memory: number;
};

/** Who is asked, and what is known of its limits. */
export type BenchTarget = {
  readonly kind: 'here' | 'url' | 'function';
  /** For people: a function with its qualifier, an address, or this machine. */
  readonly name: string;
  /** Name and version as `InvokePort` takes them; any text where there is no function. */
  readonly functionName: string;
  readonly version: string;
  readonly invoke: InvokePort;
  /** Milliseconds from its start to being ready, where it was started for this. */
  readonly started?: number;
  readonly usage?: () => Promise<Usage | undefined>;
  /** What a deployed version has: serverless.yml may differ by now. Absent where Lambda did not tell. */
  readonly size?: { readonly memory: number; readonly architecture: 'x86_64' | 'arm64' };
  /** Instances that it may have at once. */
  readonly concurrency?: number;
};

/** @returns undefined for a version of which Lambda did not tell */
export const measuredSize = (
  { kind, size }: Pick<BenchTarget, 'kind' | 'size'>,
  { architecture, memory }: Pick<Model, 'architecture' | 'memory'>,
): Pick<Model, 'architecture' | 'memory'> | undefined =>
  kind === 'function' ? size : { architecture, memory };
