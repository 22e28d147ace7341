import { isObject } from '../../../../core/json/is-object.ts';
import type { Json, Statement } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import { batchKey, batchLogicalId, roleLogicalId } from '../../declaration/naming.ts';
import { ownStatements, policiesOf, statementsIn, withOwnStatements } from '../iam/role-policies.ts';
import { LIMITS, policyCharacters } from '../shared/limits.ts';
import { type BatchModel, placeStatements } from './functions.ts';
import { jobStatements } from './machine.ts';

/**
 * A role has no versions: a deploy that changes `input` or `output` would take the places of the version
 * before out of it, which reads and writes there until the new one is promoted, in the jobs that it began,
 * and after a rollback. So a deploy keeps them, as statements beside the declared ones, until the places
 * change again. Pure.
 */

type Resources = Readonly<Record<string, Json>>;

/** A statement that is kept, not declared: `KeptPlaces0`, … */
const SID = 'KeptPlaces';

/**
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 * @param isSettled is what is deployed of the model live, so that no version before it works any more but in
 * jobs that it began?
 * @returns the roles that keep something, and a line for each model whose places change, or cannot be kept
 */
export function keptPlaces(
  models: readonly BatchModel[],
  host: Host,
  resources: Resources,
  deployed: Resources,
  isSettled: (model: string) => boolean,
): { readonly resources: Resources; readonly lines: readonly string[] } {
  const found = models.flatMap((model) =>
    [
      { id: roleLogicalId(batchKey(model.name)), places: placeStatements(model) },
      { id: batchLogicalId(model.name, 'MachineRole'), places: jobStatements(model) },
    ].flatMap(({ id, places }) => {
      const kept = keptIn(
        places,
        statementsOf(resources[id]),
        statementsOf(deployed[id]),
        isSettled(model.name),
      );
      const role = resources[id];
      if (role === undefined || kept.statements.length === 0) return [];
      const next = withOwnStatements(role, [...ownStatements(role), ...kept.statements]);
      const fits =
        policyCharacters(isObject(next.Properties) ? next.Properties : {}, host) <= LIMITS.policies;
      return [{ model: model.name, id, next: fits ? next : role, fits, ...kept }];
    }),
  );
  return {
    resources: Object.fromEntries(found.map(({ id, next }) => [id, next])),
    lines: models.flatMap(({ name }) => {
      // What was kept before and has no room any more is told, too.
      const ours = found.filter(({ model, changes, fits }) => model === name && (changes || !fits));
      const places = [...new Set(ours.flatMap(({ statements }) => statements.flatMap(placesIn)))];
      if (places.length === 0) return [];
      return [ours.every(({ fits }) => fits) ? keptLine(name, places) : lostLine(name, places)];
    }),
  };
}

type Kept = {
  readonly statements: readonly SidStatement[];
  /** Do the places differ from those that were declared before? */
  readonly changes: boolean;
};
type SidStatement = Statement & { readonly Sid: string };

/**
 * @param places what is declared now, a statement for each list of actions; those lists are the same in each
 * version
 */
function keptIn(
  places: readonly Statement[],
  now: readonly Json[],
  before: readonly Json[],
  isSettled: boolean,
): Kept {
  const each = places.map(({ Action }, index) => {
    // The first one: what the model's own `iam.statements` say stands behind ours, and is never kept.
    const of = (statements: readonly Json[], sid: string | undefined): readonly string[] =>
      placesOf(
        statements.find((one) => one.Sid === sid && JSON.stringify(one.Action) === JSON.stringify(Action)),
      );
    const sid = `${SID}${index}`;
    const [declared, last, kept] = [of(now, undefined), of(before, undefined), of(before, sid)];
    return {
      Action,
      sid,
      declared,
      last,
      kept,
      changes: [...last].sort().join() !== [...declared].sort().join(),
    };
  });
  const changes = before.length > 0 && each.some((one) => one.changes);
  return {
    changes,
    statements: each.flatMap(({ Action, sid, declared, last, kept }) => {
      const needed = !changes ? kept : isSettled ? last : [...last, ...kept];
      const beside = [...new Set(needed)].filter((resource) => !declared.includes(resource));
      if (beside.length === 0) return [];
      return [{ Sid: sid, Effect: 'Allow', Action, Resource: beside.map((text) => JSON.parse(text)) }];
    }),
  };
}

/** What a statement of ours has: it allows, without a condition, and names places as we write them. */
function placesOf(statement: Json | undefined): readonly string[] {
  if (statement === undefined || statement.Effect !== 'Allow' || 'Condition' in statement) return [];
  const resources = Array.isArray(statement.Resource) ? statement.Resource : [];
  return resources.every((one) => isObject(one) && 'Fn::Join' in one)
    ? resources.map((one) => JSON.stringify(one))
    : [];
}

/** Statements of all its policies. */
const statementsOf = (role: Json | undefined): readonly Json[] => policiesOf(role).flatMap(statementsIn);

/** For people: `s3://bucket/prefix*`; a bucket alone tells nothing more. */
const placesIn = ({ Resource }: Statement): readonly string[] =>
  Resource.flatMap((resource) => {
    const join = isObject(resource) ? resource['Fn::Join'] : undefined;
    const place = /:s3:::(.+)$/.exec(
      Array.isArray(join) ? [join[1]].flat().filter(isText).join('') : '',
    )?.[1];
    return place?.includes('/') ? [`s3://${place}`] : [];
  });

const isText = (value: unknown): value is string => typeof value === 'string';

const MOST = 4;
const listed = (places: readonly string[]): string =>
  places.length <= MOST
    ? places.join(', ')
    : `${places.slice(0, MOST).join(', ')} and ${places.length - MOST} more`;

const keptLine = (model: string, places: readonly string[]): string =>
  `${model}: the places of batch change. Its roles keep those of the version before (${listed(places)}) for the jobs that are under way and for a rollback, until the places change again.`;

const lostLine = (model: string, places: readonly string[]): string =>
  `${model}: the roles of batch have no room for the places of the version before (${listed(places)}; IAM takes ${LIMITS.policies} characters). Jobs of that version that are under way fail there, and after a rollback it cannot read or write there. To make room, shorten \`iam.statements\` or the entries, or put statements into a policy that \`iam.managedPolicies\` names.`;
