import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { ZipFile } from 'yazl';
import { client } from '../../local-aws/deployed.ts';
import type { Json, Resource } from '../../plugins/models/contracts/cloudformation.ts';
import type { Host } from '../../plugins/models/contracts/host.ts';
import type { PlanInput } from '../../plugins/models/contracts/input.ts';
import type { Facts, ImageFacts, Model } from '../../plugins/models/declaration/model.ts';
import {
  aliasLogicalId,
  functionLogicalId,
  logGroupLogicalId,
  RELEASE,
} from '../../plugins/models/declaration/naming.ts';
import { FEATURES } from '../../plugins/models/plan/features.ts';
import { foldOf } from '../../plugins/models/plan/fold.ts';
import { releaseFunctions, releaseResources } from '../../plugins/models/plan/release/functions.ts';
import { markedForced } from '../../plugins/models/plan/release/offers.ts';
import { alertResources } from '../../plugins/models/plan/watch/alerts.ts';
import { LAYER as layer, modelNamed } from '../fixtures/service.ts';
import type { Edition } from '../older/version-before.ts';
import { workerBundle } from './worker-bundle.ts';

export const BUCKET = 'release-test';
export const SERVICE = 'shop';
export const STAGE = 'test';
export const WORKER = `${SERVICE}-${STAGE}-${RELEASE}`;

/** This version of the plugin: the worker with what alarms and tells. */
const PRESENT: Pick<Edition, 'releaseFunctions' | 'releaseResources'> = {
  releaseFunctions,
  releaseResources: (input, endpoints) => {
    const whole: PlanInput = { ...input, built: new Map() };
    const known = new Map(endpoints.map(({ model: { name }, facts }) => [name, facts]));
    const fold = foldOf(FEATURES, input.host, known);
    return { resources: { ...releaseResources(input, endpoints), ...alertResources(whole, fold) } };
  },
};

const facts: Facts = {
  identity: 'identity',
  source: 'source',
  sourceBytes: 1,
  signature: { inputs: [], outputs: [], omitted: [] },
  opset: 21,
  optimized: true,
  zipBytes: 1,
  unzippedBytes: 1,
  remote: [],
} as unknown as Facts;

/** What is recorded of a version that would run from an image: its function here is a zip all the same. */
const IMAGE: ImageFacts = {
  base: `registry.example/node@sha256:${'b'.repeat(64)}`,
  identity: 'image',
  layers: [],
};

export const hostOf = (service: string): Host => ({
  service,
  stage: STAGE,
  region: 'us-east-1',
  stack: `${service}-${STAGE}`,
  provider: {},
  functions: {},
  bucket: BUCKET,
  prefix: `serverless/${service}/${STAGE}/`,
});

/** A model as one deploy has it: what its function answers, and what its version behaves as. */
export type Deployed = {
  readonly name: string;
  readonly answer?: string;
  readonly fingerprint: string;
  /** Source of its function, in place of one that gives `answer`. */
  readonly code?: string;
  /** What is declared beside the defaults of `modelNamed`; memory and timeout are the function's, too. */
  readonly declares?: Partial<Model>;
  readonly cases?: Facts['cases'];
};

export type StackOptions = {
  /** Default: `SERVICE`. */
  readonly service?: string;
  /** Variables of the worker beside its own. */
  readonly environment?: Json;
};

/** A resource that takes its time and ends as asked. */
export type Tail = {
  readonly name: string;
  readonly seconds: number;
  /** An address that it waits for, beside its seconds. */
  readonly gate?: string;
  readonly status: 'SUCCESS' | 'FAILED';
  /** What waits for it; default: nothing, it comes after the aliases. */
  readonly before?: 'versions' | 'aliases';
};

const TAIL_CODE = `export const handler = async (event) => {
  const { Seconds, Status, Gate } = event.ResourceProperties;
  const working = event.RequestType === 'Create';
  if (working) await new Promise((resolve) => setTimeout(resolve, Number(Seconds) * 1000));
  if (working && Gate) await fetch(Gate);
  const { StackId, RequestId, LogicalResourceId } = event;
  const body = { Status: working ? Status : 'SUCCESS', Reason: 'asked to', PhysicalResourceId: LogicalResourceId, StackId, RequestId, LogicalResourceId };
  await fetch(event.ResponseURL, { method: 'PUT', body: new TextEncoder().encode(JSON.stringify(body)) });
};`;

/** A stack with the release worker as the plan makes it, and functions in the models' place. */
export function releaseStack(endpoint: string, { service = SERVICE, environment = {} }: StackOptions = {}) {
  const settings = client(endpoint);
  const host = hostOf(service);
  const clients = {
    cloudFormation: new CloudFormationClient(settings),
    lambda: new LambdaClient(settings),
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    scheduler: new SchedulerClient(settings),
  };
  const upload = async (key: string, code: string): Promise<void> => {
    const body = await zipped('handler.mjs', code);
    await clients.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
  };

  /**
   * Uploads the worker and the functions' code, and returns the template of this state of the service.
   *
   * @param edition by which version of the plugin; default: this one
   */
  const template = async (
    models: readonly Deployed[],
    tail?: Tail,
    forced?: string,
    edition?: Edition,
  ): Promise<string> => {
    const source = edition?.worker ?? (await workerBundle());
    const plan = edition ?? PRESENT;
    const workerKey = `worker-${createHash('sha256').update(source).digest('hex').slice(0, 12)}.zip`;
    await upload('tail.zip', TAIL_CODE);
    await upload(workerKey, source);
    const input = {
      models: models.map(({ name, declares }) => modelNamed(name, declares)),
      host,
      options: {},
      zips: new Map<string, string>(),
    };
    const resources: Record<string, Resource> = {};
    const endpoints = [];
    for (const { name, answer, fingerprint, code: own, declares = {}, cases } of models) {
      // Asked {}, an endpoint refuses: that is how a gate knows that it has started.
      const refusal = "{ error: 'nothing is asked', code: 'MISSING' }";
      const code =
        own ??
        `export const handler = async (event) => (JSON.stringify(event) === '{}' ? ${refusal} : ${JSON.stringify(answer)});`;
      const digest = createHash('sha256').update(code).digest('hex').slice(0, 12);
      await upload(`${name}-${digest}.zip`, code);
      const [functionId, versionId] = [functionLogicalId(name), `Version${name}${digest}${fingerprint}`];
      resources[functionId] = functionResource(
        `${service}-${STAGE}-${name}`,
        `${name}-${digest}.zip`,
        { 'Fn::GetAtt': ['TestRole', 'Arn'] },
        { description: fingerprint, memorySize: declares.memory, timeout: declares.timeout },
        declares.concurrency?.reserved,
      );
      resources[versionId] = {
        Type: 'AWS::Lambda::Version',
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
        ...(tail?.before === 'versions' && { DependsOn: tail.name }),
        Properties: { FunctionName: { Ref: functionId } },
      };
      endpoints.push({
        model: modelNamed(name, declares),
        facts: {
          ...facts,
          ...(cases && { cases }),
          ...(declares.package === 'image' && { image: IMAGE }),
        },
        layer,
        functionName: `${service}-${STAGE}-${name}`,
        functionLogicalId: functionId,
        versionLogicalId: versionId,
        aliasLogicalId: aliasLogicalId(name),
        fingerprint,
      });
    }
    const ours = { ...plan.releaseResources(input, endpoints).resources };
    for (const { aliasLogicalId: id } of endpoints) {
      const alias = ours[id];
      if (tail?.before === 'aliases' && alias !== undefined)
        ours[id] = { ...alias, DependsOn: [alias.DependsOn ?? [], tail.name].flat() };
    }
    const worker = plan.releaseFunctions(input)[RELEASE];
    const role = { 'Fn::GetAtt': [String(worker?.role), 'Arn'] };
    const groups = [RELEASE, ...models.map(({ name }) => name)];
    return JSON.stringify({
      Resources: afterTheirGroups(groups, {
        ...resources,
        TestRole: TEST_ROLE,
        // As the framework makes them: the roles may not.
        ...Object.fromEntries(
          groups.map((name) => [
            logGroupLogicalId(name),
            {
              Type: 'AWS::Logs::LogGroup',
              Properties: { LogGroupName: `/aws/lambda/${service}-${STAGE}-${name}` },
            },
          ]),
        ),
        TailFunction: functionResource(
          `${service}-${STAGE}-tail`,
          'tail.zip',
          { 'Fn::GetAtt': ['TestRole', 'Arn'] },
          { timeout: 60 },
        ),
        ...(tail !== undefined && {
          [tail.name]: {
            Type: 'Custom::Tail',
            ...(tail.before !== 'versions' && {
              DependsOn: endpoints.map((one) =>
                tail.before === 'aliases' ? one.versionLogicalId : one.aliasLogicalId,
              ),
            }),
            Properties: {
              ServiceToken: { 'Fn::GetAtt': ['TailFunction', 'Arn'] },
              ServiceTimeout: 60 + tail.seconds,
              Seconds: tail.seconds,
              Status: tail.status,
              ...(tail.gate !== undefined && { Gate: tail.gate }),
            },
          },
        }),
        ...(worker !== undefined && {
          [functionLogicalId(RELEASE)]: functionResource(String(worker.name), workerKey, role, {
            ...worker,
            environment: { ...(worker.environment as Json), ...environment },
          }),
        }),
        ...ours,
        ...markedForced(ours, forced),
      }),
    });
  };

  const settled = async (stack = host.stack): Promise<string> => {
    for (;;) {
      const { Stacks } = await clients.cloudFormation
        .send(new DescribeStacksCommand({ StackName: stack }))
        .catch((error: unknown) => {
          if (error instanceof Error && /does not exist/.test(error.message)) return { Stacks: [] };
          throw error;
        });
      const status = Stacks?.[0]?.StackStatus ?? 'DELETE_COMPLETE';
      if (!status.endsWith('_IN_PROGRESS')) return status;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const options = (body: string) => ({
    StackName: host.stack,
    TemplateBody: body,
    Capabilities: ['CAPABILITY_IAM' as const],
  });
  return {
    ...clients,
    stack: host.stack,
    worker: `${service}-${STAGE}-${RELEASE}`,
    template,
    /** Waits until nothing is in progress. @returns the stack's status */
    settled: (): Promise<string> => settled(),
    create: async (body: string): Promise<string> => {
      await clients.cloudFormation.send(new CreateStackCommand(options(body)));
      return settled();
    },
    update: async (body: string): Promise<string> => {
      await clients.cloudFormation.send(new UpdateStackCommand(options(body)));
      return settled();
    },
    remove: async (): Promise<string> => {
      await clients.cloudFormation.send(new DeleteStackCommand({ StackName: host.stack }));
      return settled();
    },
    /** What went wrong, for a failing test's message. */
    events: async (): Promise<string> => {
      const { StackEvents } = await clients.cloudFormation.send(
        new DescribeStackEventsCommand({ StackName: host.stack }),
      );
      return (StackEvents ?? [])
        .map(
          (event) => `${event.LogicalResourceId} ${event.ResourceStatus} ${event.ResourceStatusReason ?? ''}`,
        )
        .join('\n');
    },
    close: (): void => {
      for (const one of Object.values(clients)) one.destroy();
    },
  };
}

const TEST_ROLE: Resource = {
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: ['lambda.amazonaws.com'] }, Action: ['sts:AssumeRole'] },
      ],
    },
    Policies: [
      {
        PolicyName: 'logs',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }],
        },
      },
    ],
  },
};

/** A function that was asked before its group is there would make that itself, and the stack could not. */
function afterTheirGroups(keys: readonly string[], resources: Readonly<Record<string, Resource>>) {
  const found = { ...resources };
  for (const key of keys) {
    const [id, group] = [functionLogicalId(key), logGroupLogicalId(key)];
    if (found[id] !== undefined) found[id] = { ...found[id], DependsOn: group };
  }
  return found;
}

function functionResource(
  name: string,
  key: string,
  role: unknown,
  definition: Json,
  reserved?: number,
): Resource {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: name,
      Handler: 'handler.handler',
      Runtime: 'nodejs24.x',
      Code: { S3Bucket: BUCKET, S3Key: key },
      Role: role,
      Timeout: definition.timeout ?? 10,
      MemorySize: definition.memorySize ?? 128,
      ...(definition.description !== undefined && { Description: definition.description }),
      ...(definition.environment !== undefined && { Environment: { Variables: definition.environment } }),
      ...(reserved !== undefined && { ReservedConcurrentExecutions: reserved }),
    },
  };
}

export function zipped(path: string, text: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(text), path, { mtime: new Date(1980, 0, 1, 12) });
  zip.end();
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    zip.outputStream.on('data', (part: Buffer) => parts.push(part));
    zip.outputStream.on('end', () => resolve(Buffer.concat(parts)));
    zip.outputStream.on('error', reject);
  });
}
