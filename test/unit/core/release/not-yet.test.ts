/**
 * IAM takes some seconds until what a deploy has just allowed holds everywhere, and Lambda takes so many
 * calls a second of an account:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
 */
import { describe, expect, it } from 'vitest';
import { FUNCTION, fakeWorld, request } from '../../../fakes/world.ts';

/** Seconds. */
const SPREADS = 15;

const denied = (): Error =>
  Object.assign(new Error('User: worker is not authorized to perform: …'), {
    name: 'AccessDeniedException',
    $metadata: { httpStatusCode: 403 },
  });
/** https://github.com/aws/aws-sdk-js-v3/issues/6494 */
const unassumable = (): Error =>
  Object.assign(
    new Error('The execution role you provide must allow AWS EventBridge Scheduler to assume the role.'),
    { name: 'ValidationException', $metadata: { httpStatusCode: 400 } },
  );
const throttled = (): Error =>
  Object.assign(new Error('Rate exceeded'), {
    name: 'TooManyRequestsException',
    $metadata: { httpStatusCode: 429 },
  });

/** A first deploy whose worker is refused a call for some seconds. */
async function deployed(call: string, seconds: number, refusal: () => Error) {
  const world = fakeWorld({
    chaos: async (point) => {
      if (point === `before ${call}` && world.clock.now < began + seconds * 1000) throw refusal();
    },
  });
  const began = world.clock.now;
  world.aliases.publish(FUNCTION, '1');
  await world.send(request('Create', '1', 'one'));
  return { status: world.answers[0]?.Status, waited: (world.clock.now - began) / 1000 };
}

describe.each([
  ['get alias', denied],
  ['put schedule', denied],
  ['put schedule', unassumable],
  ['get alias', throttled],
] as const)('%s, which AWS does not take yet', (call, refusal) => {
  it('is asked for again until it is taken', async () => {
    expect((await deployed(call, SPREADS, refusal)).status).toBe('SUCCESS');
  });

  it('fails the deploy where it is not taken, long before CloudFormation gives up', async () => {
    const { status, waited } = await deployed(call, Number.POSITIVE_INFINITY, refusal);
    expect(status).toBe('FAILED');
    expect(waited).toBeLessThan(60);
  });
});
