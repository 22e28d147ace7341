import {
  type ApplicationAutoScalingClient,
  DeleteScheduledActionCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  paginateDescribeScheduledActions,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { Scaling } from '../../core/ports/aws.ts';
import { rangeAt } from '../../core/release/capacity-range.ts';
import { MINUTE_MS } from '../../core/units/time.ts';

/** The one policy of a version: put again it is overwritten. */
const POLICY = 'models-use';

/**
 * What Application Auto Scaling calls a version. The documentation names alias or version, never `$LATEST`:
 * https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
 */
export const scalableTarget = (functionName: string, qualifier: string) =>
  ({
    ServiceNamespace: 'lambda',
    ResourceId: `function:${functionName}:${qualifier}`,
    ScalableDimension: 'lambda:function:ProvisionedConcurrency',
  }) as const;

/**
 * Brings the scaling of a version to what is given. May be repeated: every call overwrites by name, and what
 * is not given goes last, so that a crash in between leaves too much rather than nothing.
 */
export async function scale(
  client: ApplicationAutoScalingClient,
  functionName: string,
  version: string,
  scaling: Scaling,
  clock: () => number,
): Promise<void> {
  const target = scalableTarget(functionName, version);
  const began = await setRange(client, target, scaling, clock);
  await client.send(
    new PutScalingPolicyCommand({
      ...target,
      PolicyName: POLICY,
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        // A share, not percent:
        // https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html#managing-provisioned-concurency
        TargetValue: scaling.target,
        PredefinedMetricSpecification: { PredefinedMetricType: 'LambdaProvisionedConcurrencyUtilization' },
      },
    }),
  );
  for (const { name, at, timezone, min, max } of scaling.schedules)
    await client.send(
      new PutScheduledActionCommand({
        ...target,
        ScheduledActionName: name,
        Schedule: at,
        Timezone: timezone,
        ScalableTargetAction: { MinCapacity: min, MaxCapacity: max },
      }),
    );
  const names = new Set(scaling.schedules.map(({ name }) => name));
  for await (const { ScheduledActions } of paginateDescribeScheduledActions({ client }, target))
    for (const { ScheduledActionName = '' } of ScheduledActions ?? [])
      if (!names.has(ScheduledActionName)) await removeAction(client, target, ScheduledActionName);
  // An action of the minute that began meanwhile was not there yet, or was of what is removed, or came before
  // the range of the minute before it.
  if (minuteOf(clock()) !== minuteOf(began)) await setRange(client, target, scaling, clock);
}

const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

/**
 * A scheduled action sets the range once, at its time: a version that is registered at noon would else run
 * with the range of the night until the next morning, and a repetition would take the day's range away.
 * @returns the time whose range it is
 */
async function setRange(
  client: ApplicationAutoScalingClient,
  target: ReturnType<typeof scalableTarget>,
  scaling: Scaling,
  clock: () => number,
): Promise<number> {
  const now = clock();
  const { min, max } = rangeAt(scaling, now);
  await client.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: min, MaxCapacity: max }));
  return now;
}

async function removeAction(
  client: ApplicationAutoScalingClient,
  target: ReturnType<typeof scalableTarget>,
  ScheduledActionName: string,
): Promise<void> {
  try {
    await client.send(new DeleteScheduledActionCommand({ ...target, ScheduledActionName }));
  } catch (error) {
    if (errorName(error) !== 'ObjectNotFoundException') throw error;
  }
}
