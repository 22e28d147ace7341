import type { Hanging } from '../../../../aws/lambda/functions.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import { shellWord } from '../../../../core/text/shell.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import { type DeployedStack, resolve } from './intrinsics.ts';

/**
 * What hangs on an alias: resource policy, function URL, settings of asynchronous calls. They go with it when
 * somebody deletes it, and CloudFormation, which made them, does not know. Pure.
 */

type Kind = 'permission' | 'url' | 'invoke';

/** One resource of the template that hangs on the alias, and the AWS CLI's command that makes it again. */
export type Carried = {
  readonly kind: Kind;
  readonly logicalId: string;
  /** The id of a permission's statement, by which CloudFormation knows it. */
  readonly statement?: string;
} & ({ readonly command: string } | { readonly unresolved: string });

/** An alias, by Lambda's names. */
export type Alias = { readonly functionName: string; readonly alias: string };

/** All that the stack made on this alias, in the template's order. */
export function carriedBy(stack: DeployedStack, alias: Alias): readonly Carried[] {
  return [...stack.resources].flatMap(([logicalId, { type, physical, properties }]): Carried[] => {
    const kind = KINDS[type];
    const on = kind !== undefined && isOn(properties, stack, alias);
    if (kind === undefined || on === false) return [];
    // A type that is identified by two things together has the statement last.
    const statement = kind === 'permission' ? physical.slice(physical.lastIndexOf('|') + 1) : undefined;
    return [
      {
        kind,
        logicalId,
        ...(statement !== undefined && { statement }),
        ...(on === true ? commandOf(kind, properties, statement, stack, alias) : on),
      },
    ];
  });
}

/** What of it is not there. */
export const missingOf = (
  carried: readonly Carried[],
  { statements, url, invoke }: Hanging,
): readonly Carried[] =>
  carried.filter(({ kind, statement = '' }) =>
    kind === 'permission' ? !statements.has(statement) : kind === 'url' ? !url : !invoke,
  );

const KINDS: Readonly<Record<string, Kind>> = {
  'AWS::Lambda::Permission': 'permission',
  'AWS::Lambda::Url': 'url',
  'AWS::Lambda::EventInvokeConfig': 'invoke',
};

/** Does it belong to this alias? Where that is not known, it counts if it names the function at all. */
function isOn(
  properties: Json,
  stack: DeployedStack,
  { functionName, alias }: Alias,
): boolean | { readonly unresolved: string } {
  const { FunctionName, TargetFunctionArn = FunctionName, Qualifier } = properties;
  const target = resolve([TargetFunctionArn, Qualifier], stack);
  if ('unresolved' in target) {
    const text = JSON.stringify([TargetFunctionArn, Qualifier]);
    const isNamed = [...stack.resources].some(
      ([logicalId, { physical }]) =>
        (physical === functionName || physical === `${functionName}:${alias}`) &&
        (text.includes(`"${logicalId}"`) || text.includes(`{${logicalId}`)),
    );
    return isNamed && { unresolved: `whether it is of this alias depends on ${target.unresolved}` };
  }
  const [called, qualifier] = target.value as readonly unknown[];
  // A name, an ARN, or a part of one, and perhaps the qualifier in it.
  const [, name, own = qualifier] =
    /^(?:arn:[^:]+:lambda:[^:]*:)?(?:\d{12}:)?(?:function:)?([\w-]+)(?::(.+))?$/.exec(String(called)) ?? [];
  return name === functionName && own === alias;
}

/**
 * Property → option of the AWS CLI, in the order of its pages. Objects are JSON; what is true or false is an
 * option without a value.
 */
type Options = readonly (readonly [property: string, option: string])[];

/** https://docs.aws.amazon.com/cli/latest/reference/lambda/ */
const COMMANDS: Readonly<Record<Kind, { readonly verb: string; readonly options: Options }>> = {
  permission: {
    verb: 'add-permission',
    options: [
      ['Action', '--action'],
      ['Principal', '--principal'],
      ['SourceArn', '--source-arn'],
      ['SourceAccount', '--source-account'],
      ['EventSourceToken', '--event-source-token'],
      ['PrincipalOrgID', '--principal-org-id'],
      ['FunctionUrlAuthType', '--function-url-auth-type'],
      ['InvokedViaFunctionUrl', '--invoked-via-function-url'],
    ],
  },
  url: {
    verb: 'create-function-url-config',
    options: [
      ['AuthType', '--auth-type'],
      ['Cors', '--cors'],
      ['InvokeMode', '--invoke-mode'],
    ],
  },
  invoke: {
    verb: 'put-function-event-invoke-config',
    options: [
      ['MaximumRetryAttempts', '--maximum-retry-attempts'],
      ['MaximumEventAgeInSeconds', '--maximum-event-age-in-seconds'],
      ['DestinationConfig', '--destination-config'],
    ],
  },
};
const NAMES: readonly string[] = ['FunctionName', 'TargetFunctionArn', 'Qualifier'];

function commandOf(
  kind: Kind,
  properties: Json,
  statement: string | undefined,
  stack: DeployedStack,
  { functionName, alias }: Alias,
): { readonly command: string } | { readonly unresolved: string } {
  const { verb, options } = COMMANDS[kind];
  // A condition that were left out would let in more than the template does.
  const unknown = Object.keys(properties).find(
    (property) => !NAMES.includes(property) && !options.some(([known]) => known === property),
  );
  if (unknown !== undefined) return { unresolved: `${unknown} has no option that is known here` };
  if (statement !== undefined && !/^[\w-]+$/.test(statement))
    return { unresolved: `${statement} is no id of a statement` };
  const words = ['aws', 'lambda', verb, '--function-name', functionName, '--qualifier', alias];
  if (statement !== undefined) words.push('--statement-id', statement);
  for (const [property, option] of options) {
    const found = resolve(properties[property], stack);
    if ('unresolved' in found) return { unresolved: `${property} needs ${found.unresolved}` };
    const { value } = found;
    if (value === undefined || (isObject(value) && Object.keys(value).length === 0)) continue;
    if (option === '--invoked-via-function-url')
      words.push(String(value) === 'true' ? option : '--no-invoked-via-function-url');
    else words.push(option, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return { command: [...words, '--region', stack.region].map(shellWord).join(' ') };
}
