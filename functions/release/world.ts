import type { AliasPort, AnswerPort, CapacityPort, SchedulePort, StackPort } from '../shared/aws/ports.ts';
import type { Registry } from '../shared/registry.ts';
import type { Release } from './contract.ts';
import type { Caller } from './events.ts';

/** All that the engine can reach. Tests put fakes behind the same ports. */
export type World = {
  readonly registry: Registry;
  readonly aliases: AliasPort;
  readonly capacity: CapacityPort;
  readonly schedules: SchedulePort;
  readonly stacks: StackPort;
  readonly answer: AnswerPort;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Waits so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** ARN of this worker, unqualified, which schedules invoke, and the role they take. */
  readonly worker: { readonly arn: string; readonly scheduleRole: string };
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
};

/** A reason must stay under 1 KB for every console to show it; a whole answer under 4 KB. */
const REASON_BYTES = 1000;

/** Answers CloudFormation. A second answer to the same request is ignored there, so a repetition does no harm. */
export async function respond(
  world: World,
  caller: Caller,
  status: 'SUCCESS' | 'FAILED',
  reason: string,
): Promise<void> {
  const sent = await world.answer(
    caller.url,
    JSON.stringify({
      Status: status,
      Reason: Buffer.from(reason)
        .subarray(0, REASON_BYTES)
        .toString('utf8')
        .replace(/\uFFFD+$/, ''),
      PhysicalResourceId: caller.physicalId,
      StackId: caller.stack,
      RequestId: caller.id,
      LogicalResourceId: caller.logicalId,
    }),
  );
  world.log('answered CloudFormation', { requestId: caller.id, status, reason, sent });
}

/** Makes, or makes anew, the recurring tick of a release. */
export function schedule(world: World, state: Release): Promise<void> {
  const { model, functionName, alias, release, stable, deadline } = state;
  return world.schedules.put({
    ...state.schedule,
    every: 'rate(1 minute)',
    target: world.worker.arn,
    role: world.worker.scheduleRole,
    input: JSON.stringify({
      tick: {
        model,
        functionName,
        alias,
        release,
        stable: stable?.version,
        deadline,
        schedule: state.schedule,
      },
    }),
  });
}
