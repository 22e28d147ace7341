/** What of a policy's statement grants nothing, by AWS's service authorization reference. */
import { isOfType } from './arns.ts';
import type { Action, Reference, Service } from './reference.ts';

export type Statement = {
  /** File, resource and Sid or place. */
  readonly where: string;
  readonly actions: readonly string[];
  /** ARNs; none in a role's trust policy, which is for the role itself. */
  readonly resources: readonly string[];
  /** Names of condition keys. */
  readonly conditions: readonly string[];
};

export type Finding = {
  readonly where: string;
  /** The action, or those actions of the statement that take none of its resources. */
  readonly action: string;
  readonly resource: string;
  readonly reason: string;
};

/**
 * Keys that AWS sends whatever is asked. Those of tags are left out: they apply where the reference says so.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
const GLOBAL: readonly RegExp[] = [
  /^aws:(CalledVia|CalledViaFirst|CalledViaLast|ChatbotSourceArn|CurrentTime|EpochTime|FederatedProvider)$/i,
  /^aws:(MultiFactorAuthAge|MultiFactorAuthPresent|referer|RequestedRegion|SecureTransport|UserAgent)$/i,
  /^aws:Principal(Account|Arn|IsAWSService|OrgID|OrgPaths|ServiceName|ServiceNamesList|Type|Tag\/.+)$/i,
  /^aws:Resource(Account|OrgID|OrgPaths)$/i,
  /^aws:Source(Account|Arn|Identity|Ip|OrgID|OrgPaths|Vpc|VpcArn|Vpce)$/i,
  /^aws:(TokenIssueTime|userid|username|ViaAWSService|VpcSourceIp|VpceAccount|VpceOrgID|VpceOrgPaths)$/i,
];

/** All that is wrong with a statement; nothing in a right one. */
export function findings(statement: Statement, reference: Reference): readonly Finding[] {
  const asked = statement.actions.map((action) => lookedUp(action, reference));
  const found = (action: string, resource: string, reason: string): Finding => ({
    where: statement.where,
    action,
    resource,
    reason,
  });
  const known = asked.filter(({ actions }) => actions.length > 0);
  return [
    ...asked
      .filter(({ actions }) => actions.length === 0)
      .map(({ name }) => found(name, '', 'no such action')),
    ...known.flatMap((one) => withoutResource(one, statement).map(([on, why]) => found(one.name, on, why))),
    // Where no action is known, that is what is wrong.
    ...statement.resources
      .filter((resource) => resource !== '*' && known.length > 0)
      .filter((resource) => !known.some((one) => takes(one, resource)))
      .map((resource) => found(names(known), resource, 'none of the actions takes this resource')),
    ...known.flatMap((one) =>
      statement.conditions
        .filter((key) => !applies(key, one, statement.resources))
        .map((key) => found(one.name, names(statement.resources), `${key} does not apply to it`)),
    ),
  ];
}

type Asked = {
  /** As the policy says it. */
  readonly name: string;
  /** All that it means: of `s3:Get*` several. */
  readonly actions: readonly Action[];
  readonly service: Service | undefined;
};

const names = (all: readonly (string | Asked)[]): string =>
  all.map((one) => (typeof one === 'string' ? one : one.name)).join(', ');

/** IAM reads the names of actions in letters of either size. */
function lookedUp(name: string, reference: Reference): Asked {
  const [prefix = '', action = ''] = name.toLowerCase().split(':');
  const service = reference.service(prefix);
  const pattern = action
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const actions = Object.entries(service?.actions ?? {})
    .filter(([key]) => new RegExp(`^${pattern}$`).test(key))
    .map(([, value]) => value);
  return { name, actions, service };
}

const typesOf = ({ actions }: Asked): readonly string[] => [
  ...new Set(actions.flatMap(({ resourceTypes }) => resourceTypes.map(({ name }) => name))),
];

const takes = ({ actions, service }: Asked, resource: string): boolean =>
  actions.some((action) =>
    action.resourceTypes.some((type) => service && isOfType(resource, type.name, action.name, service)),
  );

/** Why an action is granted on nothing, with the resources that do not do. */
function withoutResource(
  asked: Asked,
  { resources }: Statement,
): readonly (readonly [on: string, why: string])[] {
  if (resources.length === 0 || resources.includes('*')) return [];
  const types = typesOf(asked);
  if (types.length === 0) return [[names(resources), 'takes no resource: it stands with * only']];
  if (resources.some((resource) => takes(asked, resource))) return [];
  return [[names(resources), `is for ${types.join(', ')}; none of its resources is one`]];
}

/** Whether a key is sent with the action, on one of the resources of the statement. */
function applies(key: string, { actions, service }: Asked, resources: readonly string[]): boolean {
  if (GLOBAL.some((global) => global.test(key))) return true;
  return actions.some((action) =>
    [
      ...action.conditionKeys,
      ...action.resourceTypes
        .filter((type) => resources.some((one) => service && isOfType(one, type.name, action.name, service)))
        .flatMap((type) => [
          ...type.conditionKeys,
          ...(service?.resourceTypes[type.name.toLowerCase()]?.conditionKeys ?? []),
        ]),
    ].some((known) => isKey(key, known)),
  );
}

/** `aws:ResourceTag/${TagKey}` is a key for each tag; keys are read in letters of either size. */
function isKey(key: string, known: string): boolean {
  const [before = '', open] = known.toLowerCase().split(/\$\{|</);
  return open === undefined
    ? key.toLowerCase() === before
    : key.toLowerCase().startsWith(before) && key.length > before.length;
}
