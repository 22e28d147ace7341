/**
 * Lambda keeps an event for up to six hours, and calls a function by its name: a request of a deploy that
 * failed may come again when the next deploy has made the same function anew.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { describe, expect, it } from 'vitest';
import { receiveRequest } from '../../../../core/release/receive.ts';
import { FUNCTION, fakeWorld, GROUP, LIVE, request, STACK } from '../../../fakes/world.ts';

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
  await send(request('Delete', '1', 'a', { id: 'request-of-its-end', physicalId: `${FUNCTION}:live` }));

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
  expect(requests).toEqual(['request-of-the-first', 'request-of-its-end', 'request-of-the-next']);
});

describe('a Delete that comes again', () => {
  const DELETE = request('Delete', '1', 'a', { physicalId: `${FUNCTION}:live` });

  /** A world in which the model was live and is deleted. */
  async function deleted() {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '1');
    await w.send(request('Create', '1', 'a'));
    await w.send(DELETE);
    expect(w.target()).toBeUndefined();
    return w;
  }

  it('takes nothing from the model that a later deploy of the stack has made live again', async () => {
    const w = await deleted();
    await w.send(request('Create', '1', 'a'));
    const live = [w.target(), [...w.schedules.keys()], w.state()?.phase];
    await w.send(DELETE);
    expect([w.target(), [...w.schedules.keys()], w.state()?.phase]).toEqual(live);
    expect(w.target()).toEqual({ version: '1', weights: {} });
    expect(w.answers.at(-1)).toMatchObject({ RequestId: DELETE.RequestId, Status: 'SUCCESS' });
  });

  it('takes nothing from a stack that was made after the removal, with a registry of its own', async () => {
    const w = await deleted();
    w.objects.objects.delete(LIVE);
    const anew = { ...request('Create', '1', 'a'), StackId: `${STACK}-anew` };
    await w.send(anew);
    await w.send(DELETE);
    expect(w.target()).toEqual({ version: '1', weights: {} });
    // Its own is another one.
    await w.send({ ...request('Delete', '1', 'a'), StackId: `${STACK}-anew` });
    expect(w.target()).toBeUndefined();
  });

  it.each([
    `before get ${LIVE}`,
    'before delete alias',
    'after delete alias',
    `before replace ${LIVE}`,
    `after replace ${LIVE}`,
    'before answer',
    'after answer',
  ])('is followed to its end where it broke off %s', async (place) => {
    const broken: string[] = [];
    let breaks = false;
    const w = fakeWorld({
      chaos: async (at) => {
        if (!breaks || at !== place) return;
        broken.push(at);
        throw new Error('broken off');
      },
    });
    w.aliases.publish(FUNCTION, '1');
    await w.send(request('Create', '1', 'a'));
    breaks = true;
    await w.send(DELETE).catch(() => undefined);
    expect(broken).toContain(place);
    breaks = false;
    await w.send(DELETE);
    expect([w.target(), w.answers.at(-1)?.Status]).toEqual([undefined, 'SUCCESS']);
    await w.send(request('Create', '1', 'a'));
    await w.send(DELETE);
    expect(w.target()).toEqual({ version: '1', weights: {} });
  });

  it('is never answered FAILED where the answer alone does not get through', async () => {
    let breaks = 0;
    const w = fakeWorld({
      chaos: async (at) => {
        if (at === 'before answer' && breaks-- > 0) throw new Error('broken off');
      },
    });
    w.aliases.publish(FUNCTION, '1');
    await w.send(request('Create', '1', 'a'));
    breaks = 2;
    await expect(w.send(DELETE)).rejects.toThrow('broken off');
    await expect(w.send(DELETE)).rejects.toThrow('broken off');
    await w.send(DELETE);
    expect(w.answers.slice(1)).toMatchObject([{ RequestId: DELETE.RequestId, Status: 'SUCCESS' }]);
  });

  it('makes no document where `sls remove` has emptied the registry', async () => {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '1');
    await w.send(request('Create', '1', 'a'));
    w.objects.objects.clear();
    await w.send(DELETE);
    expect([w.target(), [...w.objects.objects.keys()]]).toEqual([undefined, []]);
  });
});
