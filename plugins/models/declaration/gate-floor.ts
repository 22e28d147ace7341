import type { DeclaredCard } from '../../../core/card/contract.ts';
import { MEASURES, type Measure } from '../../../core/quality/contract.ts';
import type { Declaration } from './schema.ts';

type Given = NonNullable<Declaration['gate']>;

/** The least that the card asks of what the gate measures: cards know a least value only. */
export const floorOf = (
  { metric }: { readonly metric?: { readonly name: Measure } },
  card: Pick<DeclaredCard, 'metrics'> | undefined,
): number | undefined =>
  metric !== undefined && MEASURES[metric.name].better === 'higher'
    ? card?.metrics?.[metric.name]?.min
    : undefined;

/** The gate, whose metric takes the `min` of the card where it has none of its own. */
export function gateOf(gate: Given, card: Declaration['card']): Given {
  const { metric } = gate;
  const floor = floorOf(gate, card);
  return metric === undefined || metric.min !== undefined || floor === undefined
    ? gate
    : { ...gate, metric: { ...metric, min: floor } };
}
