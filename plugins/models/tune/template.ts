import { createHash } from 'node:crypto';
import { getAtt, type Json } from '../contracts/cloudformation.ts';
import type { Host } from '../contracts/host.ts';
import type { Facts, Model, ServiceOptions } from '../declaration/model.ts';
import { TUNE } from '../declaration/naming.ts';
import { logStatements } from '../plan/iam/permissions.ts';
import { roleOf } from '../plan/iam/role.ts';
import { resolve } from '../releases/alias/intrinsics.ts';
import { targetOf } from '../targets/targets.ts';
import { tuneProblem } from './problems.ts';
import type { TunedSource } from './source.ts';

/** The temporary stack: a function like the model's, with a role and a log group of its own. Pure. */

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
const NAME_LENGTH = 64;

/** Name of the stack and of its function: always the same one, so that the next run finds what one left. */
export function tuneName({ service, stage }: Pick<Host, 'service' | 'stage'>, model: string): string {
  const whole = `${service}-${stage}-${TUNE}-${model}`.replaceAll('_', '-');
  const plain = `${service}-${stage}-${TUNE}-${model}`;
  if (whole === plain && whole.length <= NAME_LENGTH) return whole;
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, 8);
  return `${whole.slice(0, NAME_LENGTH - digest.length - 1)}-${digest}`;
}

/** Days: what is left in it if its removal fails. */
const RETENTION = 1;

export function tuneTemplate(
  model: Model,
  facts: Facts,
  host: Host,
  options: ServiceOptions,
  { properties, stack }: TunedSource,
  memory: number,
): Json {
  const name = tuneName(host, model.name);
  const role = roleOf({}, host, [
    ...logStatements({}, { ...host.provider, logs: undefined }, name),
    ...targetOf(model).statements(facts, host, options),
  ]);
  const known = resolve(role, stack);
  if ('unresolved' in known)
    throw tuneProblem(
      model.name,
      `cannot get a role: ${known.unresolved} can be resolved by CloudFormation alone.`,
      'Write the value itself into `provider.iam.role`.',
    );
  return {
    Description: `Temporary, of sls models tune: ${model.name} of ${host.service}, ${host.stage}`,
    Resources: {
      Log: {
        Type: 'AWS::Logs::LogGroup',
        Properties: { LogGroupName: `/aws/lambda/${name}`, RetentionInDays: RETENTION },
      },
      Role: known.value,
      Function: {
        Type: 'AWS::Lambda::Function',
        DependsOn: ['Log'],
        Properties: { ...properties, FunctionName: name, MemorySize: memory, Role: getAtt('Role', 'Arn') },
      },
    },
  };
}
