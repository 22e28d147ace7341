import { caseLines } from '../../../../core/gate/cases.ts';
import { readLabelled } from '../../../../core/gate/labelled.ts';
import { best } from '../../../../core/quality/best.ts';
import type { GateMetric } from '../../declaration/model.ts';

/**
 * Could a version pass on these rows at all? What is known before anybody is asked is told before anything is
 * uploaded.
 * @param text the labelled rows, packed
 */
export function decidable(
  { name, min, onNoData }: GateMetric,
  text: string,
): { readonly message: string; readonly fix: string } | undefined {
  const labels = caseLines(text).flatMap(({ start, end }) => readLabelled(text.slice(start, end)).labels);
  const found = best(name, labels);
  if ('lacks' in found)
    return { message: `${name} cannot be measured: ${found.lacks}.`, fix: 'Label more rows, of each kind.' };
  if (min === undefined || found.low >= min || onNoData === 'pass') return undefined;
  const low = Number(found.low.toPrecision(4));
  return {
    message: `A version without a fault on these ${labels.length} rows would have ${name} ${found.value} (95 % interval ${low} to ${found.high}), so that none can be shown to have ${min}.`,
    fix: 'Label more rows, write a lower `min`, or let it pass with `onNoData: pass`.',
  };
}
