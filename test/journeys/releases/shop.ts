/**
 * A service of one model on a local AWS, deployed by CloudFormation with the worker, the roles, alarms and
 * schedules that the plan emits; in the endpoint's place small functions (`version.ts`). Each shop is a
 * service of its own: several fit on one AWS.
 */

import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ContinueUpdateRollbackCommand,
  DescribeStackResourceCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ListProvisionedConcurrencyConfigsCommand,
  ListVersionsByFunctionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { DeleteScheduleCommand, ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import type { Release } from '../../../core/release/document/contract.ts';
import type { AliasTarget, Phase } from '../../../core/release/document/parts-contract.ts';
import {
  type CommandAnswer,
  type CommandEvent,
  RESOURCE_TYPE,
  type TickAnswer,
} from '../../../core/release/document/worker-contract.ts';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import type { Model } from '../../../plugins/models/declaration/model.ts';
import {
  alertsTopic,
  RELEASE,
  roleLogicalId,
  sweepName,
} from '../../../plugins/models/declaration/naming.ts';
import { modelNamed } from '../../fixtures/service.ts';
import { BUCKET, releaseStack, STAGE, type StackOptions, zipped } from '../../local-aws/release-stack.ts';
import { workerBundle } from '../../local-aws/worker-bundle.ts';
import type { Edition } from '../../older/version-before.ts';
import { ASKING_CODE, type AskingTail, type HeldTail, holdTail } from './held-tail.ts';
import { type Pager, startPager } from './pager.ts';
import { lost, servedBy, startTraffic, type Traffic } from './traffic.ts';
import { type Kind, versionCode } from './version.ts';

const MODEL = 'churn';
const ACCOUNT = '000000000000';

/** One deploy: which version, and what its declaration says. */
export type Deploy = Kind & {
  /**
   * What tells this version from others; equal ones behave the same. Default: its kind and number of the
   * deploy.
   */
  readonly fingerprint?: string;
  readonly release?: Partial<Model['release']>;
  readonly declares?: Partial<Omit<Model, 'release'>>;
  /** Content of a gate's case file. */
  readonly cases?: string;
  /** A resource after the alias. */
  readonly tail?: AskingTail;
  /** By `sls deploy --force`. */
  readonly forced?: boolean;
  /** By another version of the plugin. */
  readonly edition?: Edition;
};

/**
 * Half of the traffic for long: whoever deploys with it finds a release under way, ten minutes later, too.
 */
export const CANARY: Partial<Model['release']> = {
  strategy: 'canary',
  steps: [{ weight: 50, bake: 36_000 }],
  minRequests: 20,
  increase: 0.5,
};
/** Nothing is waited for but the stack. */
export const AT_ONCE: Partial<Model['release']> = { strategy: 'allAtOnce', steps: [] };

/**
 * Seconds of its clock that CloudFormation waits for the alias. What the plan says is twenty seconds of ours
 * at most, in which a busy machine has not even started the worker.
 */
export const PATIENCE = 3600;

export type Shop = Awaited<ReturnType<typeof openShop>>;

export type ShopOptions = Omit<StackOptions, 'service'> & {
  /** Further models, deployed and released as the one that is for sale. */
  readonly beside?: readonly string[];
};

export async function openShop(
  aws: LocalAws,
  service: string,
  { beside = [], ...options }: ShopOptions = {},
) {
  const stack = releaseStack(aws.endpoint, { ...options, service });
  const cloudWatch = new CloudWatchClient(client(aws.endpoint));
  const cloudWatchLogs = new CloudWatchLogsClient(client(aws.endpoint));
  const iam = new IAMClient(client(aws.endpoint));
  const functionName = `${service}-${STAGE}-${MODEL}`;
  const scope = `models/${ACCOUNT}/us-east-1/${service}/${STAGE}/`;
  const target = { model: MODEL, functionName, alias: 'live' };
  await stack.s3.send(new CreateBucketCommand({ Bucket: BUCKET })).catch((error: unknown) => {
    if (!(error instanceof Error && /BucketAlready/.test(error.name))) throw error;
  });
  let deploys = 0;
  let status = 'DELETE_COMPLETE';
  const traffics: Traffic[] = [];
  const holding: HeldTail[] = [];
  const closed: { close(): void }[] = [];

  const template = async ({
    fingerprint,
    release = AT_ONCE,
    declares,
    cases,
    tail,
    forced,
    edition,
    ...kind
  }: Deploy): Promise<string> => {
    deploys += 1;
    const rules = { ...RULES, ...release };
    const file = cases === undefined ? undefined : await putFile(cases);
    const model = {
      code: await versionCode(kind),
      fingerprint: fingerprint ?? `f${deploys}`,
      declares: {
        memory: 256,
        // By our clock: an environment that has no processor for some seconds has not failed.
        timeout: 20,
        ...declares,
        release: rules,
        ...(file && { gate: { cases: 'cases.jsonl', tolerance: 1e-4, ...declares?.gate } }),
      },
      ...(file && { cases: file }),
    };
    const made = await stack.template(
      [MODEL, ...beside].map((name) => ({ name, ...model })),
      tail,
      forced ? `forced-${deploys}` : undefined,
      edition,
    );
    const Body = await zipped('handler.mjs', ASKING_CODE);
    await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: ASKING_TAIL, Body }));
    return patient(made, tail);
  };
  const putFile = async (text: string) => {
    const sha256 = createHash('sha256').update(text).digest('hex');
    await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `models/files/${sha256}`, Body: text }));
    return { sha256, bytes: text.length, count: text.trim().split('\n').length };
  };
  /** What the worker's own timer ended, which goes by the fast clock, is asked again: it may be. */
  const worker = async <T>(event: unknown, tries = 5): Promise<T> => {
    const answer = await stack.lambda.send(
      new InvokeCommand({ FunctionName: stack.worker, Payload: JSON.stringify(event) }),
    );
    const text = answer.Payload?.transformToString() ?? '';
    if (answer.FunctionError === undefined) return JSON.parse(text) as T;
    if (tries > 1 && text.includes('The operation was aborted')) return worker(event, tries - 1);
    throw new Error(text);
  };
  const text = async (key: string): Promise<string> => {
    const found = await stack.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return (await found.Body?.transformToString()) ?? '';
  };
  /** The worker's lines that are JSON, by the time that they tell. */
  const log = async (): Promise<readonly Record<string, string>[]> => {
    const lines: string[] = [];
    const logGroupName = `/aws/lambda/${stack.worker}`;
    for await (const { events = [] } of paginateFilterLogEvents({ client: cloudWatchLogs }, { logGroupName }))
      lines.push(...events.map(({ message = '' }) => message));
    const read: Record<string, string>[] = lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    return read.toSorted((a, b) => (a.timestamp ?? '').localeCompare(b.timestamp ?? ''));
  };
  const document = async (model = MODEL): Promise<Release> =>
    JSON.parse(await text(`${scope}releases/${model}/live.json`));
  const alias = async (model = MODEL): Promise<AliasTarget> => {
    const found = await stack.lambda.send(
      new GetAliasCommand({ FunctionName: `${service}-${STAGE}-${model}`, Name: 'live' }),
    );
    return {
      version: found.FunctionVersion ?? '',
      weights: found.RoutingConfig?.AdditionalVersionWeights ?? {},
    };
  };

  return {
    ...stack,
    service,
    functionName,
    scope,
    target,
    document,
    alias,
    text,
    cloudWatch,
    /** A deploy until CloudFormation is done. @returns the stack's status */
    deploy: async (deploy: Deploy): Promise<string> => {
      const body = await template(deploy);
      // AWS, and the framework with it, makes nothing of a stack whose first deploy failed.
      if (status === 'ROLLBACK_COMPLETE') status = await stack.remove();
      status = await (status === 'DELETE_COMPLETE' ? stack.create(body) : stack.update(body));
      return status;
    },
    /** Once what made the stack's rollback fail is fixed. @returns the stack's status */
    goOn: async (): Promise<string> => {
      await stack.cloudFormation.send(new ContinueUpdateRollbackCommand({ StackName: stack.stack }));
      status = await stack.settled();
      return status;
    },
    /** Where the worker has put the alias, oldest first: `version 1 (2: 50 %)`. */
    moves: async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const line of await log()) {
        const { message, written, to } = line;
        if (message === 'moved the alias' && written === 'ok') found.push(to ?? '');
      }
      return found;
    },
    log,
    pager: async (): Promise<Pager> => {
      const pager = await startPager(
        aws.endpoint,
        `arn:aws:sns:us-east-1:${ACCOUNT}:${alertsTopic(service, STAGE)}`,
      );
      closed.push(pager);
      return pager;
    },
    /** A tail that holds a deploy until the test has looked. */
    holdTail: async (name = 'Held'): Promise<HeldTail> => {
      const held = await holdTail(name);
      holding.push(held);
      closed.push(held);
      return held;
    },
    /** Is the stack still at it? */
    isBusy: async (): Promise<boolean> => {
      const { Stacks = [] } = await stack.cloudFormation.send(
        new DescribeStacksCommand({ StackName: stack.stack }),
      );
      return Stacks[0]?.StackStatus?.endsWith('_IN_PROGRESS') ?? false;
    },
    /** Takes an action from the worker's role, or gives it back. */
    deny: async (action: string | undefined): Promise<void> => {
      const { StackResourceDetail } = await stack.cloudFormation.send(
        new DescribeStackResourceCommand({
          StackName: stack.stack,
          LogicalResourceId: roleLogicalId(RELEASE),
        }),
      );
      const policy = { RoleName: StackResourceDetail?.PhysicalResourceId, PolicyName: 'denied' };
      if (action === undefined) await iam.send(new DeleteRolePolicyCommand(policy));
      else {
        const statement = { Effect: 'Deny', Action: action, Resource: '*' };
        await iam.send(
          new PutRolePolicyCommand({
            ...policy,
            PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
          }),
        );
      }
    },
    /** Writes the document as if time had passed, or somebody had. */
    edit: async (change: Partial<Release>): Promise<void> => {
      const Key = `${scope}releases/${MODEL}/live.json`;
      const found = { ...(await document()), ...change };
      await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: JSON.stringify(found) }));
    },
    /** The registry's keys below the service's own. */
    keys: async (): Promise<readonly string[]> => {
      const { Contents = [] } = await stack.s3.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: scope }),
      );
      return Contents.map(({ Key = '' }) => Key.slice(scope.length));
    },
    schedules: async (): Promise<readonly string[]> => {
      const { Schedules = [] } = await stack.scheduler.send(new ListSchedulesCommand({}));
      return Schedules.map(({ Name = '' }) => Name).filter((name) => name.startsWith(`${service}-`));
    },
    /**
     * As if they were lost: what happens from now on no schedule has called for, until the worker makes a new
     * one. A tick that is under way puts its schedule back as it ends, so it is looked for once more.
     */
    stopTicks: async (): Promise<void> => {
      for (;;) {
        const { Schedules = [] } = await stack.scheduler.send(new ListSchedulesCommand({}));
        const own = Schedules.filter(({ Name = '' }) => Name.startsWith(`${service}-`));
        if (own.length === 0) return;
        for (const { Name, GroupName } of own)
          await stack.scheduler.send(new DeleteScheduleCommand({ Name, GroupName })).catch((error: Error) => {
            // It ended itself in the meantime.
            if (error.name !== 'ResourceNotFoundException') throw error;
          });
        await pause(3000);
      }
    },
    /** As if it were lost, too: nobody looks for schedules that are. */
    stopSweep: async (): Promise<void> => {
      const { Schedules = [] } = await stack.scheduler.send(new ListSchedulesCommand({}));
      const [sweep, ...others] = Schedules.filter(({ Name }) => Name === sweepName);
      if (others.length > 0) throw new Error('whose sweep?');
      await stack.scheduler.send(
        new DeleteScheduleCommand({ Name: sweep?.Name, GroupName: sweep?.GroupName }),
      );
    },
    versions: async (): Promise<readonly string[]> => {
      const { Versions = [] } = await stack.lambda.send(
        new ListVersionsByFunctionCommand({ FunctionName: functionName }),
      );
      return Versions.map(({ Version = '' }) => Version).filter((version) => version !== '$LATEST');
    },
    /** Version → instances that are ready. */
    provisioned: async (): Promise<Readonly<Record<string, number>>> => {
      const { ProvisionedConcurrencyConfigs = [] } = await stack.lambda.send(
        new ListProvisionedConcurrencyConfigsCommand({ FunctionName: functionName }),
      );
      return Object.fromEntries(
        ProvisionedConcurrencyConfigs.map(
          ({ FunctionArn = '', AvailableProvisionedConcurrentExecutions: ready = 0 }) => [
            FunctionArn.split(':').at(-1) ?? '',
            ready,
          ],
        ),
      );
    },
    alarm: async (suffix: string) => {
      const { MetricAlarms = [] } = await cloudWatch.send(
        new DescribeAlarmsCommand({ AlarmNames: [`${functionName}-${suffix}`] }),
      );
      return MetricAlarms[0];
    },
    byHand: (version: string, weights: Readonly<Record<string, number>> = {}) =>
      stack.lambda.send(
        new UpdateAliasCommand({
          FunctionName: functionName,
          Name: 'live',
          FunctionVersion: version,
          RoutingConfig: { AdditionalVersionWeights: { ...weights } },
        }),
      ),
    /**
     * Puts a worker in the place of the one that is deployed: of another version of the plugin, else of this
     * one.
     */
    workBy: async (edition?: Edition): Promise<void> => {
      const source = edition?.worker ?? (await workerBundle());
      await stack.lambda.send(
        new UpdateFunctionCodeCommand({
          FunctionName: stack.worker,
          ZipFile: await zipped('handler.mjs', source),
        }),
      );
    },
    /** Is it that version's worker that is deployed? */
    worksBy: async (edition?: Edition): Promise<boolean> => {
      const zip = await zipped('handler.mjs', edition?.worker ?? (await workerBundle()));
      const { CodeSha256 } = await stack.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: stack.worker }),
      );
      return CodeSha256 === createHash('sha256').update(zip).digest('base64');
    },
    tick: (): Promise<TickAnswer> => worker({ tick: target }),
    ask: <T>(event: unknown): Promise<T> => worker(event),
    /** As AWS's services do: nobody waits for an answer, and what fails is tried again. */
    call: (event: unknown) =>
      stack.lambda.send(
        new InvokeCommand({
          FunctionName: stack.worker,
          InvocationType: 'Event',
          Payload: JSON.stringify(event),
        }),
      ),
    command: (
      verb: CommandEvent['command']['verb'],
      rest: Partial<CommandEvent['command']> = {},
    ): Promise<CommandAnswer> =>
      worker({ command: { ...target, verb, by: 'arn:aws:iam::000000000000:user/ops', ...rest } }),
    /** Waits for what schedules, alarms and the clock do by themselves. */
    until: (phase: Phase, seconds?: number): Promise<Release> =>
      until(
        `phase ${phase}`,
        async () => {
          const found = await document();
          return found.phase === phase && found.intent === undefined ? found : undefined;
        },
        seconds,
        document,
      ),
    traffic: (perSecond: number, most?: number): Traffic => {
      const traffic = startTraffic(aws.endpoint, functionName, perSecond, undefined, most);
      traffics.push(traffic);
      return traffic;
    },
    /** Removes the stack. */
    end: async (): Promise<void> => {
      for (const one of traffics) await one.stop();
      for (const one of holding) one.letGo();
      if (status !== 'DELETE_COMPLETE') await stack.remove();
      stack.close();
      for (const one of closed) one.close();
      for (const one of [cloudWatch, cloudWatchLogs, iam]) one.destroy();
    },
  };
}

/** Code of the tail's function: one object for all deploys, so that none of them changes the function. */
const ASKING_TAIL = 'asking-tail.zip';

type Template = {
  readonly Resources: Record<
    string,
    { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }
  >;
};

/** A template whose deploy has the time that a busy machine takes, and whose tail may ask. */
function patient(body: string, tail: AskingTail | undefined): string {
  const { Resources } = JSON.parse(body) as Template;
  const more: Record<string, object> = {
    TailFunction: { Code: { S3Bucket: BUCKET, S3Key: ASKING_TAIL } },
    ...(tail?.asks && { [tail.name]: { Asks: tail.asks } }),
  };
  for (const [id, { Type }] of Object.entries(Resources))
    if (Type === RESOURCE_TYPE) more[id] = { ServiceTimeout: PATIENCE };
  const changed = Object.entries(Resources).map(([id, resource]) => [
    id,
    more[id] === undefined ? resource : { ...resource, Properties: { ...resource.Properties, ...more[id] } },
  ]);
  return JSON.stringify({ Resources: Object.fromEntries(changed) });
}

const RULES = { ...modelNamed('shop').release, steps: [] };

/**
 * @throws Error with what there is instead, after so many seconds of the real clock: some take two on a quiet
 *   machine, most of them twenty
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  seconds = 180,
  instead: () => Promise<unknown> = look,
): Promise<T> {
  const began = Date.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const waited = Date.now() - began;
    if (waited > seconds * 1000)
      throw new Error(
        `${what} did not come within ${seconds} s: ${JSON.stringify(await instead(), null, 1)}`,
      );
    // What takes long is looked at less often: each look is a request.
    await pause(Math.min(Math.max(50, waited / 10), 250));
  }
}

/** What every journey ends with. */
export type End = {
  readonly alias: AliasTarget;
  readonly phase: Phase;
  readonly stable: string | undefined;
  /**
   * Requests that failed by nobody's fault but the shift's, or were answered by who has no traffic, in words.
   */
  readonly lost: readonly string[];
};

/** Requests that are still answered when all is over. */
const LAST = 5;

/** @param bad versions that fail by themselves; a fault of any other one is the shift's */
export async function endOf(shop: Shop, traffic: Traffic, bad: readonly string[] = []): Promise<End> {
  const over = Date.now();
  const late = () => traffic.outcomes.filter(({ sent }) => sent > over);
  await until('requests after the end', async () => (late().length < LAST ? undefined : true));
  const outcomes = await traffic.stop();
  const { phase, stable } = await shop.document();
  const alias = await shop.alias();
  const has = new Set([alias.version, ...Object.keys(alias.weights)]);
  const strays = servedBy(late()).filter((version) => !has.has(version));
  return {
    alias,
    phase,
    stable: stable?.version,
    lost: [
      ...new Set([...lost(outcomes, bad), ...strays.map((version) => `${version} answered at the end`)]),
    ],
  };
}

export const whole = (version: string): AliasTarget => ({ version, weights: {} });
export const half = (version: string, other: string): AliasTarget => ({ version, weights: { [other]: 0.5 } });

/** A log is complete when the invocation is over that writes it. */
export const WRITTEN = { timeout: 90_000, interval: 200 };
