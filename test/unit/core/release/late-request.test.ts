/**
 * Lambda keeps an event for up to six hours, and calls a function by its name: a request of a deploy that
 * failed may come again when the next deploy has made the same function anew.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { expect, it } from 'vitest';
import { receiveRequest } from '../../../../core/release/receive.ts';
import { FUNCTION, fakeWorld, GROUP, request } from '../../../fakes/world.ts';

const FAILED = { verdict: 'fail' as const, done: 1, count: 1, failed: [1], reason: 'Case 1 of 1 failed.' };

it('a request of a first deploy that failed, come again in the next one, takes no place there', async () => {
  const w = fakeWorld();
  let passes = false;
  const world = {
    ...w.world,
    gate: async () =>
      passes
        ? { state: { verdict: 'pass' as const, done: 0, count: 0, failed: [] }, failures: [] }
        : { state: FAILED, failures: [] },
  };
  const send = (event: unknown) => receiveRequest(world, GROUP, event);
  const statuses = () => w.answers.map(({ RequestId, Status }) => [RequestId, Status]);

  w.stack.state = 'busy';
  w.aliases.publish(FUNCTION, '1');
  const first = request('Create', '1', 'a', { id: 'request-of-the-first' });
  await send(first);
  expect(statuses()).toEqual([['request-of-the-first', 'FAILED']]);
  w.stack.state = 'rollingBack';
  await send(request('Delete', '1', 'a', { physicalId: `${FUNCTION}:live` }));

  // The function is gone with the stack's rollback, and made anew: its versions begin at 1 again.
  w.stack.state = 'busy';
  passes = true;
  await send(request('Create', '1', 'b', { id: 'request-of-the-next' }));
  passes = false;
  await send(first);
  w.stack.state = 'done';
  expect(statuses().slice(2)).toEqual([['request-of-the-next', 'SUCCESS']]);
  const { release, stable, requests } = w.state() ?? {};
  expect([release, stable?.fingerprint]).toEqual(['request-of-the-next', 'b']);
  expect(requests).toEqual(['request-of-the-first', 'request-of-the-next']);
});
