import type { GateState } from '../gate/contract.ts';
import type { GateOutcome } from '../gate/gate.ts';
import type {
  AlarmPort,
  AliasPort,
  AliasWrite,
  AnswerPort,
  BucketEventsPort,
  CapacityPort,
  ImagePort,
  MachinePort,
  MetricsPort,
  NoticePort,
  SchedulePort,
  StackPort,
  VersionPort,
} from '../ports/aws.ts';
import type { MlflowPort } from '../ports/mlflow.ts';
import type { LiveVersion, RowScores } from '../quality/contract.ts';
import type { Registry } from '../registry/port.ts';
import { staged } from './command/text.ts';
import type { Release } from './document/contract.ts';
import type { Settings } from './document/settings-contract.ts';
import { WORKER_METRICS } from './document/worker-contract.ts';
import type { StackCaller } from './events/events.ts';
import { nameAndMessage } from './failures.ts';
import { LOOKED_AGO_MS } from './state/durations.ts';
import { scheduleOf } from './state/tick-schedule.ts';

/** All that the engine can reach. Tests put fakes behind the same ports. */
export type World = {
  readonly registry: Registry;
  readonly aliases: AliasPort;
  readonly versions: VersionPort;
  readonly images: ImagePort;
  readonly machines: MachinePort;
  readonly capacity: CapacityPort;
  readonly schedules: SchedulePort;
  readonly stacks: StackPort;
  readonly metrics: MetricsPort;
  readonly alarms: AlarmPort;
  readonly gate: GatePort;
  readonly notify: NoticePort;
  readonly bucketEvents: BucketEventsPort;
  readonly answer: AnswerPort;
  /** What is told what is live; absent where the service does not say so. */
  readonly mlflow?: MlflowPort;
  /** The service's stage and region, for commands that people are to copy. */
  readonly stage: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds that this invocation has left. */
  readonly left: () => number;
  /** Waits so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** ARN of this worker, unqualified, which schedules invoke, and the role they take. */
  readonly worker: { readonly arn: string; readonly scheduleRole: string };
  /** Counts one of the worker's own metrics; `at`: as of then, in milliseconds. */
  readonly count: (metric: string, functionName: string, at?: number) => void;
  readonly log: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
};

/** One slice of the gate of a version. @throws Error where its case file cannot be read */
export type GatePort = (ask: {
  readonly functionName: string;
  readonly version: string;
  readonly settings: Settings;
  readonly state: GateState | undefined;
  /** Only the first so many cases. */
  readonly most?: number;
  /** What labelled rows are compared with, and what they came to so far. */
  readonly live?: LiveVersion;
  readonly scores?: RowScores;
  readonly budgetMs: number;
}) => Promise<GateOutcome>;

/** A reason must stay under 1 KB for every console to show it; a whole answer under 4 KB. */
const REASON_BYTES = 1000;

/**
 * Answers CloudFormation. A second answer to the same request is ignored there, so a repetition does no harm.
 */
export async function respond(
  world: World,
  caller: StackCaller,
  status: 'SUCCESS' | 'FAILED',
  reason: string,
): Promise<void> {
  const sent = await world.answer(
    caller.url,
    JSON.stringify({
      Status: status,
      Reason: Buffer.from(staged(reason, world.stage, world.region))
        .subarray(0, REASON_BYTES)
        .toString('utf8')
        .replace(/\uFFFD+$/, ''),
      PhysicalResourceId: caller.physicalId,
      StackId: caller.stack,
      RequestId: caller.id,
      LogicalResourceId: caller.logicalId,
    }),
  );
  world.log('info', 'answered CloudFormation', { requestId: caller.id, status, reason, sent });
}

/**
 * A request of CloudFormation counts as a look of the sweep, a while ago: the alarm that misses sweeps is
 * made right after the alias, and must not find that there was none.
 */
export const asLooked = (world: World, functionName: string): void =>
  world.count(WORKER_METRICS.swept, functionName, world.clock() - LOOKED_AGO_MS);

/** An alarm waits for a few of these. */
export function countUnread(
  world: World,
  { model, functionName }: Pick<Release, 'model' | 'functionName'>,
  error: unknown,
): void {
  world.count(WORKER_METRICS.unreadable, functionName);
  world.log('warn', 'could not be read or changed', { model, reason: nameAndMessage(error) });
}

/** What came of writing an alias: the log tells of a move only where there was one. */
export function logAliasWrite(
  world: World,
  level: 'info' | 'warn',
  moved: string,
  fields: Readonly<Record<string, unknown>> & { readonly written: AliasWrite },
): void {
  if (fields.written === 'ok') world.log(level, moved, fields);
  else if (fields.written === 'changed') world.log('info', 'the alias was changed meanwhile', fields);
  else world.log('warn', 'the alias could not be moved', fields);
}

/** Makes, or makes anew, the recurring tick of a release. */
export const scheduleTicks = (world: World, state: Release): Promise<void> =>
  world.schedules.put(scheduleOf(state, world.worker));

/** Publishes a notice, its commands ready to be copied. @throws Error where the topic does not take it */
export const tellPeople = (world: World, subject: string, text: string): Promise<void> =>
  world.notify(subject, staged(text, world.stage, world.region));
