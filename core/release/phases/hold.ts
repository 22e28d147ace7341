import type { Judgement } from '../../judge/contract.ts';
import type { Release } from '../document/contract.ts';
import type { HeldBy } from '../document/parts-contract.ts';
import { type Action, write } from '../state/action.ts';
import { allTraffic, say } from '../state/alias-target.ts';
import type { ReleaseFacts } from '../state/facts.ts';
import { heldNotice, numbers, ways } from '../state/notices.ts';
import { isPending } from '../state/predicates.ts';
import { hold } from '../state/transitions.ts';

/** Stands still, and tells why and what to do. */
export function holdFor(state: Release, by: HeldBy, why: string, now: number, looked?: Judgement): Release {
  const text = heldNotice(state, why, todo(state, by), numbers(looked), true, now);
  return hold(state, by, why, text, now);
}

/** What a person can do about it. */
export function todo(state: Release, by: HeldBy): string {
  const { model, stable, candidate } = state;
  switch (by) {
    case 'foreign': {
      const onward = `see "sls models status --model ${model}"; deploy again to go on from where the alias is`;
      if (stable === undefined) return `${onward}.`;
      const does = isPending(state)
        ? `takes version ${candidate?.version} away: version ${stable.version} has all traffic`
        : `puts version ${stable.version} back`;
      return `${onward}, or "sls models rollback --model ${model}", which ${does}.`;
    }
    case 'limit':
      return `find out what is wrong, then "sls models rollback --model ${model}" or "sls models resume --model ${model}".`;
    // The steps of a release lead nowhere from here.
    case 'refused':
      return `"sls models rollback --model ${model} --to <version>", which gives all traffic to a version that is there.`;
    default:
      return ways(model);
  }
}

/** Somebody else moved the alias: nothing is touched. */
export function foreign(state: Release, facts: ReleaseFacts, now: number): Action {
  const reason =
    `the alias ${state.alias} points to ${say(facts.alias)}, which this release did not do (stable is ${say(state.stable && allTraffic(state.stable.version))}); ` +
    'nothing was touched; deploy again to go on from there';
  return write(holdFor(state, 'foreign', reason, now));
}
