import type { Objective } from '../../../core/capacity/contract.ts';
import {
  chosenSize,
  type MeasuredSize,
  type SizeChoice,
  type SizeRow,
  sizeRow,
} from '../../../core/capacity/memory-sizes.ts';
import type { Architecture, Facts, Model } from '../declaration/model.ts';
import { total } from '../plan/cost.ts';
import { leastInstances, warmCost } from '../plan/endpoint/cost.ts';
import type { TuneOptions } from './options.ts';
import { priceOf } from './quote.ts';

/** What `--json` prints. */
export type TuneDocument = {
  readonly model: string;
  /** ISO. */
  readonly at: string;
  readonly plugin: string;
  readonly function: string;
  readonly architecture: Architecture;
  /** MB that it is declared with. */
  readonly memory: number;
  /** Where the requests come from. */
  readonly asked: string;
  readonly invocations: number;
  readonly objective?: Objective;
  readonly sizes: readonly SizeRow[];
  /** Instances that are kept warm, on average, and what they cost a month at each size, beside requests. */
  readonly kept?: {
    readonly instances: number;
    readonly sizes: readonly { readonly memory: number; readonly month: number }[];
  };
  readonly choice: SizeChoice;
  readonly interrupted: boolean;
};

/** Where few requests come, most of the bill: the cheapest by requests may be dearer with it. */
function keptOf(model: Model, sizes: readonly SizeRow[]): Pick<TuneDocument, 'kept'> {
  const instances = leastInstances(model);
  if (instances === 0) return {};
  const month = (memory: number): number => total(warmCost({ ...model, memory }));
  const ran = sizes.filter((row) => !('failed' in row));
  return { kept: { instances, sizes: ran.map(({ memory }) => ({ memory, month: month(memory) })) } };
}

export function tuneDocument(
  model: Model,
  facts: Facts,
  { invocations, objective }: TuneOptions,
  measured: readonly MeasuredSize[],
  about: Pick<TuneDocument, 'at' | 'plugin' | 'function' | 'asked' | 'interrupted'>,
): TuneDocument {
  const price = priceOf(model, facts);
  const sizes = measured.map((size) => sizeRow(size, objective, price));
  return {
    model: model.name,
    ...about,
    architecture: model.architecture,
    memory: model.memory,
    invocations,
    ...(objective && { objective }),
    sizes,
    ...keptOf(model, sizes),
    choice: chosenSize(sizes, objective),
  };
}
