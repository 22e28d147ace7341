import { callerOf } from '../../../aws/caller.ts';
import { isNoStack } from '../../../aws/stack.ts';
import { isObject } from '../../../core/json/is-object.ts';
import type { Context } from '../context/context.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Architecture, Model } from '../declaration/model.ts';
import { functionLogicalId } from '../declaration/naming.ts';
import { problemError } from '../problems/errors.ts';
import { type DeployedStack, resolve } from '../releases/alias/intrinsics.ts';
import { readStack } from '../releases/alias/read-stack.ts';
import { tuneProblem } from './problems.ts';

/** What a model's deployed function consists of, resolved: the other one is made of the same. */
export type TunedSource = {
  readonly properties: Json;
  /** What is measured, and billed: serverless.yml may say something else by now. */
  readonly deployed: { readonly architecture: Architecture; readonly timeout: number };
  /** Names of variables that are not copied: a secret would stand in a template then. */
  readonly leftOut: readonly string[];
  readonly stack: DeployedStack;
};

/** What decides how fast it is and how much memory it takes. Networks, queues and keys of its own do not. */
const COPIED = [
  'Code',
  'PackageType',
  'Handler',
  'Runtime',
  'Architectures',
  'Timeout',
  'Layers',
  'EphemeralStorage',
];

/** Reads the service's stack. @throws ProblemError where the model is not deployed */
export async function readTunedSource(model: Model, { aws, service }: Context): Promise<TunedSource> {
  const { arn } = await callerOf(aws);
  const { stack, region, stage } = service;
  const found = await readStack(aws, { stack, region, by: arn }).catch((error: unknown) => {
    if (isNoStack(error)) return undefined;
    throw error;
  });
  const source = found && tunedSourceOf(model.name, found);
  if (source !== undefined) return source;
  throw problemError([
    {
      code: 'MODELS_NOT_DEPLOYED',
      key: `models.${model.name}`,
      message: `is not deployed by ${stack} in ${region}; its package and layer are taken from there.`,
      fix: `Run \`sls deploy --stage ${stage}\`, or name another --stage or --region.`,
    },
  ]);
}

/** @returns undefined where the stack has no such function; @throws ProblemError where a part is not known */
export function tunedSourceOf(model: string, stack: DeployedStack): TunedSource | undefined {
  const deployed = stack.resources.get(functionLogicalId(model));
  if (deployed === undefined) return undefined;
  const parts = COPIED.flatMap((name) => {
    const value = deployed.properties[name];
    if (value === undefined) return [];
    const known = resolve(value, stack);
    if ('value' in known) return [[name, known.value] as const];
    throw tuneProblem(
      model,
      `cannot be made again: ${name} of its function is ${known.unresolved}, which only CloudFormation can resolve.`,
      'Write the value itself into `function`.',
    );
  });
  const { variables, leftOut } = environmentOf(deployed.properties, stack);
  const copied: Json = Object.fromEntries(parts);
  return {
    deployed: deployedOf(copied),
    properties: {
      ...copied,
      ...(Object.keys(variables).length > 0 && { Environment: { Variables: variables } }),
    },
    leftOut,
    stack,
  };
}

/** What Lambda takes where a template says nothing is x86_64, and three seconds. */
function deployedOf({ Architectures: named, Timeout: timeout = 3 }: Json): TunedSource['deployed'] {
  const isArm = Array.isArray(named) && named.includes('arm64');
  return { architecture: isArm ? 'arm64' : 'x86_64', timeout: Number(timeout) };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html */
const DYNAMIC = /\{\{resolve:/;

function environmentOf(
  { Environment: environment }: Json,
  stack: DeployedStack,
): { readonly variables: Json; readonly leftOut: readonly string[] } {
  const given = isObject(environment) && isObject(environment.Variables) ? environment.Variables : {};
  const variables: Record<string, unknown> = {};
  const leftOut: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const known = resolve(value, stack);
    if ('value' in known && !DYNAMIC.test(String(known.value))) variables[name] = known.value;
    else leftOut.push(name);
  }
  return { variables, leftOut };
}
