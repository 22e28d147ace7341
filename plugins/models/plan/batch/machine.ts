import { ATTRIBUTES, BATCH_TIMEOUT, KEYS, type PartAnswer } from '../../../../core/batch/contract.ts';
import {
  allow,
  arn,
  getAtt,
  type Json,
  type Resource,
  type Statement,
} from '../../contracts/cloudformation.ts';
import { type Host, providerRole } from '../../contracts/host.ts';
import { batchLogicalId } from '../../declaration/naming.ts';
import { roleOf } from '../iam/role.ts';
import { objectsIn, unique } from '../iam/s3-arns.ts';
import { type BatchModel, batchName, failedName } from './functions.ts';

/**
 * The state machine of a model: an execution scores the parts of one large object, so many at a time, each by
 * the version that the job began with, and then asks that version how the job ends.
 */
export function machineResources(model: BatchModel, host: Host): Readonly<Record<string, Resource>> {
  const id = (what: string): string => batchLogicalId(model.name, what);
  const named = providerRole(host.provider);
  return {
    [id('Machine')]: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: batchName(model, host),
        StateMachineType: 'STANDARD',
        RoleArn: roleArn(named, id('MachineRole')),
        DefinitionString: { 'Fn::Sub': JSON.stringify(definitionOf(model, host)) },
      },
    },
    ...(named === undefined && { [id('MachineRole')]: machineRole(model, host) }),
  };
}

const roleArn = (named: unknown, own: string): unknown =>
  named === undefined
    ? getAtt(own, 'Arn')
    : typeof named === 'string' && !named.startsWith('arn:')
      ? getAtt(named, 'Arn')
      : named;

/**
 * Lambda may have no instance for batch for a long while, since requests go first: an hour of it is waited
 * out. Everything else that passes does so soon.
 * https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
 */
const retry = (MaxAttempts: number) => [
  {
    ErrorEquals: ['Lambda.TooManyRequestsException'],
    IntervalSeconds: 2,
    BackoffRate: 2,
    MaxDelaySeconds: 60,
    MaxAttempts: 120,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: ['States.ALL'],
    IntervalSeconds: 5,
    BackoffRate: 3,
    MaxDelaySeconds: 600,
    MaxAttempts,
    JitterStrategy: 'FULL',
  },
];

/** A part that fails is seen by the end of the job; the end itself waits for an hour's outage. */
const TRIES = { part: 3, finish: 12 } as const;

/** Seconds: what Lambda itself ends is told by Lambda. */
const PATIENCE = BATCH_TIMEOUT + 60;

const PARTITION = `\${AWS::Partition}`;

/** For Fn::Sub. */
function definitionOf(model: BatchModel, host: Host): Json {
  const ask = (payload: Json, tries: number): Json => ({
    Type: 'Task',
    Resource: `arn:${PARTITION}:states:::lambda:invoke`,
    Parameters: {
      FunctionName: subbed('lambda', `function:${batchName(model, host)}`),
      'Qualifier.$': '$.version',
      Payload: payload,
    },
    TimeoutSeconds: PATIENCE,
    Retry: retry(tries),
  });
  return {
    Comment: `Parts of the large objects of ${model.name}`,
    StartAt: 'Parts',
    States: {
      Parts: {
        Type: 'Map',
        ItemReader: {
          Resource: `arn:${PARTITION}:states:::s3:getObject`,
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { 'Bucket.$': '$.plan.bucket', 'Key.$': '$.plan.key' },
        },
        ItemSelector: { 'version.$': '$.version', 'job.$': '$.job', 'part.$': '$$.Map.Item.Value' },
        MaxConcurrency: model.batch.concurrency,
        // Every part gets its turn, so that a job that fails says all that is wrong; how it ends, `finish`
        // decides.
        ToleratedFailurePercentage: 100,
        ItemProcessor: {
          // Not EXPRESS: those are ended after five minutes, and a part may take Lambda's fifteen.
          // https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Part',
          States: {
            Part: {
              ...ask({ 'job.$': '$.job', 'part.$': '$.part' }, TRIES.part),
              ResultSelector: { [`${MORE}.$`]: `$.Payload.${MORE}` },
              ResultPath: '$.scored',
              Next: 'Scored',
            },
            // A slow model does not get through a part in one invocation: the next goes on behind what is
            // written.
            Scored: {
              Type: 'Choice',
              Choices: [{ Variable: `$.scored.${MORE}`, BooleanEquals: true, Next: 'Part' }],
              Default: 'Whole',
            },
            Whole: { Type: 'Succeed' },
          },
        },
        ResultWriter: {
          Resource: `arn:${PARTITION}:states:::s3:putObject`,
          Parameters: { 'Bucket.$': '$.plan.bucket', 'Prefix.$': '$.results' },
        },
        ResultPath: '$.map',
        // No plan, or nowhere to write to: the job fails for the parts that are missing.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.fault', Next: 'Finish' }],
        Next: 'Finish',
      },
      Finish: {
        ...ask({ 'finish.$': '$.job' }, TRIES.finish),
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.fault', Next: 'GiveUp' }],
        End: true,
      },
      // Whoever asks what failed is told, as of any other message that is given up.
      GiveUp: {
        Type: 'Task',
        Resource: `arn:${PARTITION}:states:::sqs:sendMessage`,
        Parameters: {
          QueueUrl: `\${${batchLogicalId(model.name, 'FailedQueue')}}`,
          'MessageBody.$': '$.job.message',
          MessageAttributes: {
            [ATTRIBUTES.code]: { DataType: 'String', StringValue: 'GAVE_UP' },
            [ATTRIBUTES.reason]: { DataType: 'String', StringValue: UNENDED },
          },
        },
        Retry: retry(TRIES.finish),
        Next: 'Unended',
      },
      Unended: { Type: 'Fail', Error: 'GAVE_UP', Cause: UNENDED },
    },
  };
}

const MORE: keyof PartAnswer = 'more';
const UNENDED =
  'Its parts were tried, but the end of the job failed each time; the log of the batch function says why.';

const subbed = (service: string, resource: string): unknown => arn(service, resource)['Fn::Sub'];

/**
 * What the state machine's role must allow.
 * https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
 */
export function machineStatements(model: BatchModel, host: Host): readonly Json[] {
  const name = batchName(model, host);
  return [
    allow(['lambda:InvokeFunction'], [arn('lambda', `function:${name}:*`)]),
    ...jobStatements(model),
    allow(['sqs:SendMessage'], [arn('sqs', failedName(model, host))]),
    allow(['states:StartExecution'], [arn('states', `stateMachine:${name}`)]),
    // The map's children.
    allow(['states:DescribeExecution', 'states:StopExecution'], [arn('states', `execution:${name}/*`)]),
  ];
}

/** Where it reads which parts there are, and writes how they ended. */
export function jobStatements(model: BatchModel): readonly Statement[] {
  const jobs = (end: string) =>
    unique(
      model.batch.entries.map(({ output }) =>
        objectsIn(output.bucket, `${output.prefix}${model.name}@`, `*/${end}`),
      ),
    );
  return [
    allow(['s3:GetObject'], jobs(KEYS.plan)),
    allow(
      ['s3:GetObject', 's3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      jobs(`${KEYS.map}/*`),
    ),
  ];
}

/**
 * Those of the model's own statements that are about keys: it reads and writes in buckets that may be
 * encrypted with them, too.
 */
function keyStatements({ iam }: BatchModel): readonly Json[] {
  return iam.statements.flatMap((statement) => {
    // What CloudFormation makes of a function nobody knows here.
    const { Action } = statement as { readonly Action?: unknown };
    const actions = [Action].flat().filter((action) => typeof action === 'string' && /^kms:/i.test(action));
    return actions.length === 0 ? [] : [{ ...statement, Action: actions } as Json];
  });
}

function machineRole(model: BatchModel, host: Host): Resource {
  const role = roleOf({}, host, [...machineStatements(model, host), ...keyStatements(model)]);
  const machine = `stateMachine:${batchName(model, host)}`;
  const trust = {
    Effect: 'Allow',
    Principal: { Service: ['states.amazonaws.com'] },
    Action: ['sts:AssumeRole'],
    // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    Condition: {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
      // The children of a map are executions of `<machine>/<label of the map>`:
      // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
      ArnLike: { 'aws:SourceArn': [arn('states', machine), arn('states', `${machine}/*`)] },
    },
  };
  return {
    ...role,
    Properties: {
      ...role.Properties,
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
    },
  };
}
