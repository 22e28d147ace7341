import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { expect, it } from 'vitest';
import { scale } from '../../../../aws/lambda/scaling.ts';
import type { Scaling } from '../../../../core/ports/aws.ts';

/** A Monday, in UTC. */
const EIGHT = Date.UTC(2026, 11, 7, 8);
/** Milliseconds of a call. */
const CALL = 100;

type Asked = Readonly<Record<string, unknown>> & { readonly ScheduledActionName?: string };

/** Application Auto Scaling, at which actions of eight o’clock take place where they are there by then. */
function autoScaling(began: number, there: readonly string[]) {
  const actions = new Set(there);
  let now = began;
  let range: unknown;
  const tick = (): void => {
    const before = now;
    now += CALL;
    if (before < EIGHT && now >= EIGHT && actions.has('day-start')) range = [10, 50];
  };
  const send = async ({
    constructor: { name },
    input,
  }: {
    constructor: { readonly name: string };
    input: Asked;
  }) => {
    tick();
    const { ScheduledActionName: action = '' } = input;
    if (name === 'RegisterScalableTargetCommand') range = [input.MinCapacity, input.MaxCapacity];
    if (name === 'PutScheduledActionCommand') actions.add(action);
    if (name === 'DeleteScheduledActionCommand') actions.delete(action);
    if (name !== 'DescribeScheduledActionsCommand') return {};
    return { ScheduledActions: [...actions].map((one) => ({ ScheduledActionName: one })) };
  };
  const client = Object.assign(new ApplicationAutoScalingClient({ region: 'eu-central-1' }), { send });
  return { client, clock: () => now, range: () => range };
}

const action = { timezone: 'UTC', min: 10, max: 50 };
const day = { name: 'day-start', at: 'cron(0 8 ? * MON-FRI *)', ...action };
const night = { name: 'day-end', at: 'cron(0 20 ? * MON-FRI *)', ...action, min: 2, max: 5 };

/** @returns the range that holds once a version was scaled, from so many calls before eight o’clock on */
async function rangeAfter(schedules: Scaling['schedules'], there: readonly string[], calls: number) {
  const { client, clock, range } = autoScaling(EIGHT - calls * CALL + 1, there);
  await scale(client, 'churn', '7', { min: 2, max: 5, target: 0.7, schedules }, clock);
  // What was there by then takes place, however soon it was over.
  while (clock() < EIGHT) await client.send({ constructor: Date, input: {} });
  return range();
}

const CALLS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

it.each(CALLS)('the day that begins within %i calls has its range, of a new version, too', async (calls) => {
  expect(await rangeAfter([day, night], [], calls)).toEqual([10, 50]);
  expect(await rangeAfter([day, night], ['day-start', 'day-end'], calls)).toEqual([10, 50]);
});

it.each(CALLS)(
  'a window that is removed leaves no range behind, %i calls before it begins',
  async (calls) => {
    expect(await rangeAfter([], ['day-start', 'day-end'], calls)).toEqual([2, 5]);
  },
);
