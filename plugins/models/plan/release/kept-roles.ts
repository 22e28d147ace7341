import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { batchKey, batchLogicalId, functionLogicalId, roleLogicalId } from '../../declaration/naming.ts';
import { ENI_ACTIONS } from '../iam/permissions.ts';
import { ownStatements, withOwnStatements } from '../iam/role-policies.ts';
import { objects } from '../iam/s3-arns.ts';
import { LIMITS, policyCharacters } from '../shared/limits.ts';
import { FILES_PREFIX } from '../shared/registry-place.ts';

/**
 * A published version runs in the role that its function had then, and a role has no versions. A deploy that
 * replaced that role, or took it out of the stack, would end the live version with it, before any release
 * begins, and the last good one. So a deploy keeps what the versions before need of a role. Pure.
 */

type Resources = Readonly<Record<string, Json>>;

/** Statements that are kept, not declared: `KeptForVersions0`, … */
const SID = 'KeptForVersions';

/** So many of each kind at most, the newest first: each deploy may add one. */
const MOST = 6;

/**
 * What a function's own settings make us allow, by actions: where its log is, which keys decrypt its
 * environment and its files, which file system it mounts, in which VPC it is. What `iam.statements` allow is
 * the user's to take back.
 */
const KINDS = [
  { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], about: 'write its log' },
  { actions: ['kms:Decrypt'], about: 'decrypt with the key' },
  {
    actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
    about: 'mount its file system',
  },
  { actions: ['s3:GetObject'], about: 'read its files' },
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
  { actions: ENI_ACTIONS, about: 'use its VPC' },
] as const;

/**
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 * @returns the changed and kept roles, and a line for each that a person should know of
 */
export function keptRoles(
  models: readonly Model[],
  host: Host,
  resources: Resources,
  deployed: Resources,
): { readonly resources: Resources; readonly lines: readonly string[] } {
  const kept: Record<string, Json> = {};
  const lines: string[] = [];
  const known = new Set([...Object.keys(resources), ...Object.keys(deployed).filter(isRoleOf(models))]);
  for (const { name } of models)
    for (const { id, by, what, runs } of rolesOf(name)) {
      const [before, now] = [deployed[id], resources[id]];
      const [last, next] = [deployed[by], resources[by]];
      if (before === undefined || last === undefined || next === undefined) continue;
      // A function of another name is another one: the versions go with the old one.
      if (nameIn(last) !== nameIn(next)) continue;
      const found =
        now === undefined
          ? gone(before, known)
          : changed(now, before, known, host, { role: `${name}: the role ${id}`, runs });
      if (found.role !== undefined) kept[id] = found.role;
      if (now === undefined && roleIn(last) !== roleIn(next))
        lines.push(
          found.role === undefined
            ? `${name}: the role ${id} is taken out of the stack, since it refers to what is gone, and ${runs} run in it.`
            : `${name}: ${what} gets another role. The stack keeps ${id}, in which ${runs} run${runs === VERSIONS ? `: ${WHICH}` : ''}.`,
        );
      lines.push(...found.lines);
    }
  return { resources: kept, lines };
}

const VERSIONS = 'the versions before';
const WHICH = 'the live one until the next is promoted, and the last good one after a rollback';

/** Roles of a model, with what takes each. An execution goes on in the role that it began in, too. */
const rolesOf = (model: string) => [
  ...[model, batchKey(model)].map((key) => ({
    id: roleLogicalId(key),
    by: functionLogicalId(key),
    what: key,
    runs: VERSIONS,
  })),
  {
    id: batchLogicalId(model, 'MachineRole'),
    by: batchLogicalId(model, 'Machine'),
    what: 'the state machine of batch',
    runs: 'the jobs under way',
  },
];

const isRoleOf = (models: readonly Model[]) => {
  const ids = new Set(models.flatMap(({ name }) => rolesOf(name).map(({ id }) => id)));
  return (id: string): boolean => ids.has(id);
};

const propertiesOf = (resource: Json | undefined): Json =>
  isObject(resource?.Properties) ? resource.Properties : {};
const nameIn = (resource: Json): string => {
  const { FunctionName, StateMachineName } = propertiesOf(resource);
  return JSON.stringify(FunctionName ?? StateMachineName);
};
const roleIn = (resource: Json): string => {
  const { Role, RoleArn } = propertiesOf(resource);
  return JSON.stringify(Role ?? RoleArn);
};

type Found = { readonly role: Json | undefined; readonly lines: readonly string[] };

/** A role of the user's takes its place: it stays as it was, but for what refers to nothing any more. */
function gone(before: Json, known: ReadonlySet<string>): Found {
  const statements = ownStatements(before).filter((one) => isWhole(one, known));
  const role = withOwnStatements(before, statements);
  return { role: isWhole(role, known) && statements.length > 0 ? role : undefined, lines: [] };
}

function changed(
  now: Json,
  before: Json,
  known: ReadonlySet<string>,
  host: Host,
  about: { readonly role: string; readonly runs: string },
): Found {
  const [next, last] = [propertiesOf(now).Path, propertiesOf(before).Path];
  // Another path is another role.
  const { Path: _, ...others } = propertiesOf(now);
  const moved = JSON.stringify(next) !== JSON.stringify(last);
  const placed = moved
    ? { ...now, Properties: { ...others, ...(last !== undefined && { Path: last }) } }
    : now;
  const { statements, added } = keptStatements(ownStatements(now), ownStatements(before), known);
  const whole = withOwnStatements(placed, [...ownStatements(now), ...statements]);
  const fits = statements.length > 0 && policyCharacters(propertiesOf(whole), host) <= LIMITS.policies;
  return {
    role: fits ? whole : moved ? placed : undefined,
    lines: [
      ...((last ?? '/') !== (next ?? '/')
        ? [
            `${about.role} keeps the path ${String(last ?? '/')}: another path is another role, and ${about.runs} run in this one.`,
          ]
        : []),
      ...(added.length === 0 && (fits || statements.length === 0)
        ? []
        : [
            fits
              ? `${about.role} may still ${listed(added)} as before, for ${about.runs}${about.runs === VERSIONS ? `: ${WHICH}` : ''}.`
              : `${about.role} has no room for what ${about.runs} need (${listed(statements.map(aboutOf))}; IAM takes ${LIMITS.policies} characters): new instances may fail.`,
          ]),
    ],
  };
}

/** @returns what is added to the declared ones, and what of it is new, in words */
function keptStatements(
  now: readonly Json[],
  before: readonly Json[],
  known: ReadonlySet<string>,
): { readonly statements: readonly Json[]; readonly added: readonly string[] } {
  const declared = new Set(now.map(textOf));
  const count = new Map<string, number>();
  const statements: Json[] = [];
  const added = new Set<string>();
  // Those that were declared last come before those that were kept then.
  for (const one of [...before.filter((each) => !isKept(each)), ...before.filter(isKept)]) {
    const about = aboutOf(one);
    const statement = plain(one);
    if (about === undefined || statement === undefined || !isWhole(statement, known)) continue;
    const text = textOf(statement);
    const so = count.get(about) ?? 0;
    if (declared.has(text) || so >= MOST) continue;
    declared.add(text);
    count.set(about, so + 1);
    statements.push({ Sid: `${SID}${statements.length}`, ...statement });
    if (!isKept(one)) added.add(about);
  }
  return { statements, added: [...added] };
}

const isKept = ({ Sid }: Json): boolean => typeof Sid === 'string' && Sid.startsWith(SID);

const aboutOf = (statement: Json): string | undefined =>
  statement.Effect === 'Allow'
    ? KINDS.find(({ actions }) => JSON.stringify(actions) === JSON.stringify(statement.Action))?.about
    : undefined;

/** As it would be declared; undefined: it is not of a function's own settings. Files by their bucket. */
function plain({ Sid, ...statement }: Json): Json | undefined {
  if (Sid !== undefined && !isKept({ Sid })) return undefined;
  if (aboutOf(statement) !== 'read its files') return statement;
  const [first] = [statement.Resource].flat();
  const parts: unknown = isObject(first) ? [first['Fn::Join']].flat()[1] : undefined;
  if (!Array.isArray(parts) || !parts.some((part) => String(part).includes(FILES_PREFIX))) return undefined;
  return { ...statement, Resource: [objects(parts[3], FILES_PREFIX)] };
}

const textOf = ({ Effect, Action, Resource, Condition }: Json): string =>
  JSON.stringify([Effect, Action, Resource, Condition]);

/** Does all that it refers to stand in the template? */
const isWhole = (value: unknown, known: ReadonlySet<string>): boolean =>
  referredIn(value).every((name) => name.startsWith('AWS::') || known.has(name));

/** Logical ids, and pseudo parameters. A condition is no resource, and counts as gone. */
function referredIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referredIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, argument]) => {
    if (name === 'Ref' || name === 'Condition')
      return typeof argument === 'string' ? [argument] : referredIn(argument);
    if (name === 'Fn::If') return ['Fn::If'];
    if (name === 'Fn::GetAtt')
      return [String(Array.isArray(argument) ? argument[0] : argument).split('.')[0] ?? ''];
    if (name !== 'Fn::Sub') return referredIn(argument);
    const [text, own] = [argument].flat() as readonly unknown[];
    const names = [...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, one = '']) => one.trim());
    return [
      ...names
        .filter((one) => !isObject(own) || !Object.hasOwn(own, one))
        .map((one) => one.split('.')[0] ?? ''),
      ...referredIn(own),
    ];
  });
}

const listed = (words: readonly (string | undefined)[]): string => [...new Set(words)].join(', and ');
