import type { AliasState } from '../../ports/aws.ts';
import type { AliasTarget, Intent } from '../document/parts-contract.ts';

/** All traffic on one version. */
export const allTraffic = (version: string): AliasTarget => ({ version, weights: {} });

/** @param weight percent of `other` */
export const split = (version: string, other: string, weight: number): AliasTarget => ({
  version,
  weights: { [other]: weight / 100 },
});

/** Does the alias (undefined: missing) point where `target` says (null: missing)? */
export function pointsAt(alias: AliasState | undefined, target: AliasTarget | null): boolean {
  if (alias === undefined || target === null) return alias === undefined && target === null;
  const weights = Object.entries(alias.weights);
  return (
    alias.version === target.version &&
    weights.length === Object.keys(target.weights).length &&
    weights.every(([version, weight]) => target.weights[version] === weight)
  );
}

const OURS = 'serverless-models ';

/**
 * The description by which a move of the alias is known to be the one that was intended. 256 characters at
 * most.
 */
export const describe = (intent: Intent): string => `${OURS}${intent.token}`;

/**
 * Was this very move made? Same target alone is no proof: a slower worker could still make an older move
 * after it.
 */
export const made = (alias: AliasState | undefined, intent: Intent): boolean =>
  pointsAt(alias, intent.after) && alias?.description === describe(intent);

/** Was the alias made by a worker? Each of its moves has such a description. */
export const isOurs = ({ description }: AliasState): boolean => description.startsWith(OURS);

/**
 * The description of a move that took a weight away past the deadline, while the registry could not be read
 * or written.
 */
export const takenFrom = (release: string): string =>
  `${OURS}${release}: weight taken away past the deadline`;

/** The description of a move that took a weight away since the release's document was gone. */
export const takenWithout = (release: string): string =>
  `${OURS}${release}: weight taken away, since its document is gone`;

const WITHOUT_REGISTRY = ': the stack rolled back, and the registry could not be used';

/** The description of a move for a stack that rolled back while the registry could not be used. */
export const rolledBackWithout = (request: string): string => `${OURS}${request}${WITHOUT_REGISTRY}`;

/** Did a stack that rolled back take the weights away, which nobody could note? */
export const isUnnoted = (alias: AliasState): boolean =>
  isOurs(alias) && alias.description.endsWith(WITHOUT_REGISTRY);

/** For people: `version 3`, `version 3 (7: 10 %)`, `nothing`. */
export function say(target: AliasTarget | AliasState | undefined): string {
  if (target === undefined) return 'nothing';
  const weights = Object.entries(target.weights).map(
    ([version, weight]) => `${version}: ${Number((weight * 100).toPrecision(6))} %`,
  );
  return `version ${target.version}${weights.length > 0 ? ` (${weights.join(', ')})` : ''}`;
}
