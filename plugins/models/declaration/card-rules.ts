import { CARD_METRICS } from '../../../core/card/contract.ts';
import { isObject } from '../../../core/json/is-object.ts';
import type { Problem } from '../problems/errors.ts';
import { at } from './issues.ts';
import type { Declaration } from './schema.ts';

/** What MLflow takes as the name of a metric, too; and no name that JavaScript’s objects have already. */
const METRIC = /^(?!__proto__$)[\w .:/@-]{1,80}$/;

/** Rules between the keys of `card`. @param raw the declaration as written */
export function cardProblems(key: string, { card }: Declaration, raw: unknown): readonly Problem[] {
  if (card === undefined) return [];
  const problems: Problem[] = [];
  const invalid = (below: string, message: string, fix: string): void => {
    problems.push({ code: 'MODELS_INVALID_VALUE', key: `${key}.card.${below}`, message, fix });
  };
  // What is written there and wrong is told already.
  const dataset = Object.values(at(raw, ['card', 'dataset']) ?? {});
  if (card.dataset !== undefined && dataset.every((one) => one === null))
    invalid('dataset', 'names no data.', 'Write `file`, `name` or `sha256`, or leave it out.');
  const written = at(raw, ['card', 'metrics']);
  const names = isObject(written) ? Object.keys(written) : [];
  for (const name of names.filter((one) => !METRIC.test(one)).slice(0, CARD_METRICS))
    invalid(
      'metrics',
      `has ${JSON.stringify(name.slice(0, 80))}, which is no name of a metric.`,
      'Write 1 to 80 letters, digits, spaces and any of . _ : / @ -.',
    );
  if (names.length > CARD_METRICS)
    invalid(
      'metrics',
      `has ${names.length} metrics; a card shows ${CARD_METRICS}.`,
      'Leave out those that decide nothing.',
    );
  return problems;
}
