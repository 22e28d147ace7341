import type { Objective } from '../../../core/capacity/contract.ts';
import {
  chosenSize,
  type MeasuredSize,
  type SizeChoice,
  type SizeRow,
  sizeRow,
} from '../../../core/capacity/memory-sizes.ts';
import type { Architecture, Facts, Model } from '../declaration/model.ts';
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
  readonly choice: SizeChoice;
  readonly interrupted: boolean;
};

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
    choice: chosenSize(sizes, objective),
  };
}
