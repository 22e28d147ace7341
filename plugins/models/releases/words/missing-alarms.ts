import type { Release } from '../../../../core/release/document/contract.ts';
import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import { ROLLS_BACK } from '../../../../core/release/state/alarm-names.ts';
import { orderOf } from '../../../../core/release/state/noted.ts';
import { HOUR_MS } from '../../../../core/units/time.ts';
import { type Advice, worse } from './level.ts';

/** Alarms that every model has. */
const EACH: readonly string[] = [ALARMS.crashes, ALARMS.errors, ALARMS.throttles, ALARMS.release];

/**
 * Adds which of these alarms are not there. CloudFormation does not notice that somebody deleted one, and it
 * looks like one that is off. Pure.
 *
 * @param there suffixes of those that exist; undefined: they cannot be read, which is told elsewhere
 */
export function withMissingAlarms(
  own: Advice,
  there: { readonly has: (suffix: string) => boolean } | undefined,
  release: Pick<Release, 'functionName' | 'startedAt' | 'order' | 'highest'>,
  now: number,
): Advice {
  const { functionName, startedAt } = release;
  // The stack of a first deploy makes them after the alias, whose release may have ended by then.
  const isNew = orderOf(release).length < 2 && now - Date.parse(startedAt) < HOUR_MS;
  const missing = there === undefined || isNew ? [] : EACH.filter((suffix) => !there.has(suffix));
  if (missing.length === 0) return own;
  const names = missing.map((suffix) => `${functionName}-${suffix}`).join(', ');
  const [is, it, tells] = missing.length === 1 ? ['is', 'it', 'it tells'] : ['are', 'them', 'they tell'];
  const back = ROLLS_BACK.filter((suffix) => missing.includes(suffix));
  const idle =
    back.length === 0 ? '' : `, and no version is brought back by the alarm ${back.join(', nor by ')}`;
  return {
    ...own,
    level: worse(own.level, 'look'),
    summary: `${own.summary} ${names} ${is} not there: somebody deleted ${it}, so ${tells} nobody${idle}.`,
    todo: [...own.todo, 'No deploy makes a deleted alarm again: docs/alarms.md says what does.'],
  };
}
