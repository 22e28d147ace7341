import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import {
  DeleteAliasCommand,
  GetAliasCommand,
  ListProvisionedConcurrencyConfigsCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { GetScheduleCommand, ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import type { Release } from '../../../core/release/document/contract.ts';
import type { AliasTarget, Phase } from '../../../core/release/document/parts-contract.ts';
import type { CommandEvent } from '../../../core/release/document/worker-contract.ts';
import { BUCKET, type Cloud, GROUP, type ResourceEvent, SCOPE } from './cloud.ts';
import { type Deploy, template } from './template.ts';
import { counted, type Traffic } from './traffic.ts';

const MINUTE = 60_000;
/** Minutes after which nothing more is waited for. */
const MOST = 150;

type Due = {
  readonly event: unknown;
  readonly at: number;
  readonly tries: number;
  readonly dies?: () => void;
};

/**
 * One alias, as it goes on AWS: CloudFormation asks, schedules tick, alarms call, people command. What Lambda
 * invokes asynchronously it tries again twice, after a minute and two more; a schedule’s tick is not relied
 * on to be tried again, since the next one is as good; a person whose command came to nothing gives it again.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export function life(cloud: Cloud, { name, functionName, from }: LifeOf) {
  const { aws } = cloud;
  const stackName = `crash-${name}`;
  let now = from;
  let traffic: Traffic = { perMinute: 1000, errors: {}, crashes: {} };
  let before: Deploy | undefined;
  const inbox: Due[] = [];
  const ticks = new Map<string, { readonly input: string; readonly every: number; readonly at: number }>();
  const statuses: string[] = [];
  const deaths: string[] = [];
  const failures: string[] = [];
  const asked: string[] = [];

  const alias = async (): Promise<AliasTarget | undefined> => {
    try {
      const { FunctionVersion = '', RoutingConfig } = await aws.lambda.send(
        new GetAliasCommand({ FunctionName: functionName, Name: 'live' }),
      );
      return { version: FunctionVersion, weights: RoutingConfig?.AdditionalVersionWeights ?? {} };
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  };
  const document = async (): Promise<Release | undefined> => {
    try {
      const Key = `${SCOPE}releases/${name}/live.json`;
      const found = await aws.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      return JSON.parse((await found.Body?.transformToString()) ?? '');
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
      throw error;
    }
  };

  const schedules = async () => {
    const { Schedules = [] } = await aws.scheduler.send(new ListSchedulesCommand({ GroupName: GROUP }));
    return Promise.all(
      Schedules.map(({ Name }) => aws.scheduler.send(new GetScheduleCommand({ GroupName: GROUP, Name }))),
    );
  };

  /** Which schedules there are, and when they come due; one that is made anew counts from then on. */
  const learn = async (): Promise<void> => {
    const found = await schedules();
    for (const known of [...ticks.keys()]) if (!found.some(({ Name }) => Name === known)) ticks.delete(known);
    for (const { Name = '', ScheduleExpression = '', Target } of found) {
      const every = Number(/^rate\((\d+) minutes?\)$/.exec(ScheduleExpression)?.[1]) * MINUTE;
      if (!(every > 0)) throw new Error(`a schedule of ${ScheduleExpression}`);
      const input = Target?.Input ?? '';
      const known = ticks.get(Name);
      if (known?.input !== input || known.every !== every) ticks.set(Name, { input, every, at: now + every });
    }
  };
  /** @returns what came of it; undefined where its process died */
  const invoke = async (event: unknown): Promise<{ readonly answer: unknown } | undefined> => {
    const invoked = await cloud.workers.invoke(event, now);
    await learn();
    if (invoked === 'died') {
      deaths.push(JSON.stringify(event));
      return undefined;
    }
    if ('error' in invoked) {
      failures.push(invoked.error);
      return undefined;
    }
    return invoked;
  };

  const deliver = async (): Promise<void> => {
    for (const due of inbox.filter(({ at }) => at <= now)) {
      inbox.splice(inbox.indexOf(due), 1);
      const done = await invoke(due.event);
      if (done === undefined && due.tries < 3)
        inbox.push({ ...due, at: now + due.tries * MINUTE, tries: due.tries + 1 });
    }
  };

  const tick = async (): Promise<void> => {
    for (const [name, due] of [...ticks].filter(([, { at }]) => at <= now)) {
      ticks.set(name, { ...due, at: now + due.every });
      await invoke(JSON.parse(due.input));
    }
  };

  /** Provisioned concurrency takes a minute or two of the worker’s clock, and a moment of ours. */
  const provided = async (): Promise<void> => {
    const listed = new ListProvisionedConcurrencyConfigsCommand({ FunctionName: functionName });
    for (;;) {
      const { ProvisionedConcurrencyConfigs = [] } = await aws.lambda.send(listed);
      if (ProvisionedConcurrencyConfigs.every(({ Status }) => Status !== 'IN_PROGRESS')) return;
      await pause(20);
    }
  };

  /** To the next minute in which anything is to happen; whoever judges sees the traffic until then. */
  let beats = 0;
  const pass = async (what: string): Promise<void> => {
    beats += 1;
    if (beats > MOST) throw new Error(`${what} never came: ${JSON.stringify(await document())}`);
    const due = Math.min(...[...ticks.values(), ...inbox].map(({ at }) => at));
    const to = Number.isFinite(due) ? Math.max(due, now + MINUTE) : now + MINUTE;
    const minutes = Math.ceil((to - now) / MINUTE);
    const at = await alias();
    if (at !== undefined)
      for (const put of counted(functionName, at, traffic, now, minutes)) await aws.cloudWatch.send(put);
    now += minutes * MINUTE;
    if (before?.settings.capacity !== undefined) await provided();
    await deliver();
    await tick();
  };

  const until = async (phase: Phase): Promise<void> => {
    while ((await document())?.phase !== phase) await pass(phase);
  };
  /** Until no schedule ticks and nothing is to be tried again. */
  const quiet = async (): Promise<void> => {
    while (inbox.length > 0 || ticks.size > 0) await pass('quiet');
  };

  const status = async (): Promise<string> => {
    const { Stacks } = await aws.cloudFormation
      .send(new DescribeStacksCommand({ StackName: stackName }))
      .catch((error: unknown) => {
        if (error instanceof Error && /does not exist/.test(error.message)) return { Stacks: [] };
        throw error;
      });
    return Stacks?.[0]?.StackStatus ?? 'DELETE_COMPLETE';
  };
  const reply = async (event: ResourceEvent, Status: 'SUCCESS' | 'FAILED'): Promise<void> => {
    const { StackId, RequestId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = event;
    const body = { Status, Reason: 'asked to', PhysicalResourceId, StackId, RequestId, LogicalResourceId };
    // The proxy counts what the worker writes; this goes to CloudFormation itself.
    const to = event.ResponseURL.replace(cloud.proxy.url, cloud.endpoint);
    await fetch(to, { method: 'PUT', body: new TextEncoder().encode(JSON.stringify(body)) });
  };

  /** Events of this stack; those of a run that was given up are nobody's. */
  const told = (): readonly ResourceEvent[] =>
    cloud.told.splice(0).filter(({ StackId }) => StackId.includes(`/${stackName}/`));

  /**
   * Goes along with an operation of the stack: the alias’s events go to the worker, the tail’s are answered
   * here.
   */
  const settled = async (deploy: Deploy | undefined): Promise<void> => {
    let tail: { readonly event: ResourceEvent; readonly at: number } | undefined;
    for (;;) {
      for (const event of told()) {
        if (event.LogicalResourceId !== 'Alias') {
          if (event.RequestType === 'Create')
            tail = { event, at: now + (deploy?.tail?.minutes ?? 0) * MINUTE };
          else await reply(event, 'SUCCESS');
          continue;
        }
        asked.push(event.RequestId);
        inbox.push({ event, at: now, tries: 1 });
      }
      await deliver();
      if (tail !== undefined && tail.at <= now) {
        await reply(tail.event, deploy?.tail?.status ?? 'SUCCESS');
        tail = undefined;
      }
      const so = await status();
      if (!so.endsWith('_IN_PROGRESS')) {
        statuses.push(so);
        return;
      }
      const open = asked.some((id) => !cloud.proxy.answers.some(({ RequestId }) => RequestId === id));
      if (open || tail !== undefined) await pass('an answer');
      else await pause(5);
    }
  };

  return {
    alias,
    document,
    until,
    quiet,
    schedules,
    statuses,
    deaths,
    failures,
    /** Ids of the requests of CloudFormation that the worker was asked. */
    asked,
    functionName,
    /** So many minutes. */
    minutes: async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 1) await pass('the minute');
    },
    traffic: (change: Partial<Traffic>): void => {
      traffic = { ...traffic, ...change };
    },
    /** `sls deploy` of a version, until CloudFormation is done. */
    deploy: async (deploy: Deploy): Promise<void> => {
      const options = {
        StackName: stackName,
        TemplateBody: template({ ...deploy, teller: cloud.teller, functionName, model: name }),
      };
      await (before === undefined
        ? aws.cloudFormation.send(new CreateStackCommand(options))
        : aws.cloudFormation.send(new UpdateStackCommand(options)));
      before = deploy;
      await settled(deploy);
    },
    remove: async (): Promise<void> => {
      await aws.cloudFormation.send(new DeleteStackCommand({ StackName: stackName }));
      await settled(undefined);
    },
    /** Takes the stack away without the worker. */
    abandon: async (): Promise<void> => {
      await aws.cloudFormation.send(new DeleteStackCommand({ StackName: stackName }));
      while ((await status()) !== 'DELETE_COMPLETE') {
        for (const event of told()) await reply(event, 'SUCCESS');
        await pause(5);
      }
    },
    /** Somebody else's hand on the alias; nowhere: deletes it. */
    byHand: async (to: AliasTarget | undefined): Promise<void> => {
      const alias = { FunctionName: functionName, Name: 'live' };
      await (to === undefined
        ? aws.lambda.send(new DeleteAliasCommand(alias))
        : aws.lambda.send(
            new UpdateAliasCommand({
              ...alias,
              FunctionVersion: to.version,
              RoutingConfig: { AdditionalVersionWeights: { ...to.weights } },
            }),
          ));
    },
    /** The alarm is on, stays so, and calls the hook. */
    alarm: async (suffix: string): Promise<void> => {
      const AlarmName = `${functionName}-${suffix}`;
      await aws.cloudWatch.send(
        new PutMetricAlarmCommand({
          AlarmName,
          Namespace: 'crash-test',
          MetricName: 'nothing',
          Statistic: 'Sum',
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: 1,
          ComparisonOperator: 'GreaterThanThreshold',
          TreatMissingData: 'breaching',
        }),
      );
      await cloud.isOn(AlarmName);
      const Message = JSON.stringify({ AlarmName, NewStateValue: 'ALARM' });
      inbox.push({ event: { Records: [{ EventSource: 'aws:sns', Sns: { Message } }] }, at: now, tries: 1 });
      await deliver();
    },
    /** Until it was answered, which may be by a refusal: an earlier try may have done it. */
    command: async (verb: CommandEvent['command']['verb'], to?: string): Promise<void> => {
      const command = {
        verb,
        model: name,
        functionName,
        alias: 'live',
        by: 'somebody',
        ...(to !== undefined && { to }),
      };
      while ((await invoke({ command })) === undefined) await pass('an answer to a command');
    },
  };
}

export type Life = ReturnType<typeof life>;

/** `from`: when it begins, in milliseconds of the worker’s clock. */
export type LifeOf = { readonly name: string; readonly functionName: string; readonly from: number };
