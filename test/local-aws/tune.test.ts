/**
 * The temporary stack of `sls models tune`, as CloudFormation knows it: whose it is, and when it goes. What
 * cannot be made is in test/journeys/tune.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type TemporaryStacks, temporaryStacks } from '../../aws/temporary-stacks.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { ownerTags } from '../../plugins/models/tune/owner.ts';
import { type TemporaryGiven, withTemporary } from '../../plugins/models/tune/temporary.ts';
import { everythingLeft } from '../journeys/service.ts';

const NAME = 'shop-dev-models-tune-churn';
const owner = { machine: 'ab12', pid: 7, until: Date.now() + 3_600_000 };
const group = (LogGroupName: string) => ({
  Resources: { Log: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName } } },
});

let aws: LocalAws;
let stacks: TemporaryStacks;
let before: readonly string[];
let notices: string[];
beforeAll(async () => {
  aws = await startAws();
  const { endpoint, ...rest } = client(aws.endpoint);
  stacks = temporaryStacks({ ...rest, endpoint } as unknown as Parameters<typeof temporaryStacks>[0]);
  before = await everythingLeft(aws);
});
afterAll(async () => {
  stacks?.close();
  await aws?.stop();
});
beforeEach(() => {
  notices = [];
});
const left = async (): Promise<readonly string[]> =>
  (await everythingLeft(aws)).filter((thing) => !before.includes(thing));
afterEach(async () => {
  await stacks.remove(NAME);
  await expect.poll(left).toEqual([]);
});

const given = (more: Partial<TemporaryGiven> = {}): TemporaryGiven => ({
  ...{ model: 'churn', region: 'us-east-1', stacks, owner, now: Date.now, isAlive: () => false },
  stack: { name: NAME, template: group('/aws/lambda/tuned'), tags: { team: 'ml' } },
  pause: async () => sleep(50),
  ended: new AbortController().signal,
  progress: () => {},
  notice: (text) => notices.push(text),
  ...more,
});
const made = () => stacks.seen(NAME);

it('is there while the work goes on, with the service’s tags and its own, and gone after', async () => {
  const { found } = await withTemporary(given(), async () => {
    expect(await made()).toMatchObject({
      status: 'CREATE_COMPLETE',
      tags: { team: 'ml', ...ownerTags(owner) },
    });
    expect(await left()).toContain('log group /aws/lambda/tuned');
    return 42;
  });
  expect([found, await left(), notices]).toEqual([42, [], []]);
});

it('work that fails leaves nothing, and its own reason is told', async () => {
  await expect(
    withTemporary(given(), async () => {
      throw new Error('no lambda:InvokeFunction');
    }),
  ).rejects.toThrow('no lambda:InvokeFunction');
  expect(await left()).toEqual([]);
});

it('an interruption before it is made makes nothing; one meanwhile removes it', async () => {
  expect(await withTemporary(given({ ended: AbortSignal.abort() }), async () => 'cut')).toEqual({
    found: 'cut',
  });
  expect(await made()).toBeUndefined();
  const ending = new AbortController();
  const progress = (text: string): void => {
    if (text.startsWith('Making')) ending.abort();
  };
  expect(await withTemporary(given({ ended: ending.signal, progress }), async () => 'cut')).toEqual({
    found: 'cut',
  });
  expect(await left()).toEqual([]);
});

/** What a run left that nobody ended. */
async function leave(tags: Readonly<Record<string, string>>): Promise<void> {
  await stacks.create({ name: NAME, template: group('/aws/lambda/left'), tags });
  await expect.poll(async () => (await made())?.status).toBe('CREATE_COMPLETE');
}

it('what a run left whose number this process has now is removed first', async () => {
  await leave(ownerTags(owner));
  await withTemporary(given({ isAlive: () => true }), async () => 1);
  expect(notices).toEqual([`A tune that did not end left the stack ${NAME}. It is removed first.`]);
});

it('what a run that was killed left is removed first', async () => {
  await leave(ownerTags({ ...owner, pid: 8 }));
  const { found: there } = await withTemporary(given(), left);
  expect(there.filter((thing) => thing.startsWith('log group'))).toEqual(['log group /aws/lambda/tuned']);
  expect(notices).toEqual([`A tune that did not end left the stack ${NAME}. It is removed first.`]);
  expect(await left()).toEqual([]);
});

it.each([
  [
    'a run on this machine',
    ownerTags({ ...owner, pid: 8 }),
    { isAlive: () => true },
    /is being tuned on this machine, by process 8, until .* UTC at the latest\. Wait for it\. If it was killed: aws cloudformation delete-stack --stack-name shop-dev-models-tune-churn --region us-east-1 \[MODELS_TUNE\]$/,
  ],
  [
    'one on another machine',
    ownerTags({ ...owner, machine: 'cd34' }),
    {},
    /is being tuned from another machine, until /,
  ],
  [
    'a stack that is not of tune',
    { team: 'ml' },
    {},
    /there is a stack shop-dev-models-tune-churn in us-east-1 that no tune has made\./,
  ],
] as const)('%s keeps its stack', async (_, tags, more, said) => {
  await leave(tags);
  await expect(withTemporary(given(more), async () => 1)).rejects.toThrow(said);
  expect(await made()).toMatchObject({ status: 'CREATE_COMPLETE', tags });
});

it('two that begin at once: one goes on, the other touches nothing', async () => {
  let [release, begun] = [() => {}, () => {}];
  const isBegun = new Promise<void>((done) => {
    begun = done;
  });
  const first = withTemporary(given(), async () => {
    begun();
    await new Promise<void>((done) => {
      release = done;
    });
    return (await made())?.status;
  });
  await isBegun;
  // It looked before the other one was there.
  const late = {
    ...stacks,
    seen: async (stack: string) => (stack === NAME ? undefined : stacks.seen(stack)),
  };
  await expect(withTemporary(given({ stacks: late }), async () => 1)).rejects.toThrow('already exists');
  release();
  expect(await first).toEqual({ found: 'CREATE_COMPLETE' });
});

it('a removal that AWS refuses is told with the stack’s name, and what failed before is told, too', async () => {
  const stuck: TemporaryStacks = {
    ...stacks,
    remove: async () => {
      throw new Error('User: a is not authorized to perform: cloudformation:DeleteStack');
    },
  };
  const failing = withTemporary(given({ stacks: stuck }), async () => {
    throw new Error('first');
  });
  await expect(failing).rejects.toThrow(
    new RegExp(
      `leaves the stack ${NAME} in us-east-1, .*: User: a is not authorized to perform: cloudformation:DeleteStack\\. The next tune removes it, and so does: aws cloudformation delete-stack`,
    ),
  );
  expect(notices).toEqual(['first']);
  await stacks.remove(NAME);
  await expect.poll(left).toEqual([]);
  const kept = await withTemporary(given({ stacks: stuck }), async () => 'measured');
  expect(kept).toEqual({ found: 'measured', left: expect.any(Error) });
});

it('a throttled look at it, and a throttled removal, are no answers', async () => {
  let [looks, removals] = [0, 0];
  const throttled = (): Error => Object.assign(new Error('Rate exceeded'), { name: 'Throttling' });
  const busy: TemporaryStacks = {
    ...stacks,
    seen: async (stack) => {
      looks += 1;
      // One of six is answered.
      if (looks % 6 !== 1) throw throttled();
      return stacks.seen(stack);
    },
    remove: async (stack) => {
      removals += 1;
      if (removals < 5) throw throttled();
      await stacks.remove(stack);
    },
  };
  const pause = async (): Promise<void> => sleep(5);
  expect(await withTemporary(given({ stacks: busy, pause }), async () => 42)).toEqual({ found: 42 });
  expect(await left()).toEqual([]);
});

it('an answer to its making that is lost removes what was made', async () => {
  const lost: TemporaryStacks = {
    ...stacks,
    create: async (stack) => {
      await stacks.create(stack);
      throw new Error('socket hang up');
    },
  };
  await expect(withTemporary(given({ stacks: lost }), async () => 1)).rejects.toThrow('socket hang up');
  expect(await left()).toEqual([]);
});
