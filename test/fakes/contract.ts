import { expect, it } from 'vitest';
import type { Side } from '../../core/judge/contract.ts';
import type {
  AlarmPort,
  AliasPort,
  BucketEventsPort,
  CapacityPort,
  ImagePort,
  MachinePort,
  MetricsPort,
  NoticePort,
  ObjectPort,
  Scaling,
  SchedulePort,
  StackPort,
  VersionPort,
} from '../../core/ports/aws.ts';
import { watchContract } from './watch-contract.ts';

/**
 * What every implementation of the ports does: the fakes of the unit tests, and the adapters against local
 * AWS.
 */
export type Subject = {
  readonly aliases: AliasPort;
  readonly capacity: CapacityPort;
  readonly objects: ObjectPort;
  readonly schedules: SchedulePort;
  readonly stacks: StackPort;
  readonly versions: VersionPort;
  readonly machines: MachinePort;
  /** A state machine of which no execution runs. */
  readonly machine: string;
  /** Begins an execution of it. @returns what ends that */
  readonly execute: () => Promise<() => Promise<void>>;
  readonly images: ImagePort;
  /** A repository with one image, of two tags. */
  readonly repository: string;
  readonly tags: readonly [string, string];
  readonly tagsIn: () => Promise<readonly string[]>;
  readonly metrics: MetricsPort;
  readonly alarms: AlarmPort;
  readonly notices: NoticePort;
  readonly bucketEvents: BucketEventsPort;
  /** A bucket that tells nobody, and its account. */
  readonly bucket: string;
  readonly account: string;
  readonly tellsEventBridge: (bucket: string) => Promise<boolean>;
  /** Milliseconds, by the clock of what stands behind the ports. */
  readonly now: () => number;
  /** Lets some time pass. */
  readonly pause: () => Promise<void>;
  /** A function with the published versions 1 to 3, and provisioned concurrency on 1. */
  readonly functionName: string;
  /** A schedule group that exists, a function's ARN and a role's. */
  readonly group: string;
  readonly target: string;
  readonly role: string;
  readonly schedulesIn: () => Promise<readonly string[]>;
  /** What a schedule of this name tells its target. */
  readonly inputOf: (schedule: string) => Promise<string | undefined>;
  /** A stack that is done, and one that never was. */
  readonly stack: string;
  readonly noStack: string;
  /** How a version is scaled, schedules by name; undefined where it is not. `min` and `max`: as in force. */
  readonly scalingOf: (version: string) => Promise<Scaling | undefined>;
  /**
   * Has the version that an alias points to be invoked through it, and its own counts published, just now.
   */
  readonly serve: (alias: string, version: string, did: Side) => Promise<void>;
  /** Sets the state of an alarm, made if there is none. */
  readonly setAlarm: (name: string, state: 'OK' | 'ALARM') => Promise<void>;
  /** What arrived at the topic's subscribers. */
  readonly published: () => Promise<readonly { readonly subject: string; readonly text: string }[]>;
};

const at = (version: string, weights: Record<string, number> = {}) => ({
  version,
  weights,
  description: `at ${version}`,
});

export function portContract(subject: () => Subject): void {
  it('an alias is made once, and told by version, weights and description', async () => {
    const { aliases, functionName } = subject();
    expect(await aliases.get(functionName, 'a')).toBeUndefined();
    expect(await aliases.get('no-such-function', 'a')).toBeUndefined();
    expect(await aliases.create(functionName, 'a', at('1'))).toBe('ok');
    expect(await aliases.create(functionName, 'a', at('2'))).toBe('changed');
    expect(await aliases.get(functionName, 'a')).toMatchObject(at('1'));
  });

  it('an alias moves only from the revision that was read; each write makes a new one, the same target too', async () => {
    const { aliases, functionName } = subject();
    await aliases.create(functionName, 'b', at('1'));
    const first = await aliases.get(functionName, 'b');
    expect(await aliases.update(functionName, 'b', at('1'), first?.revision ?? '')).toBe('ok');
    const second = await aliases.get(functionName, 'b');
    expect(second?.revision).not.toBe(first?.revision);
    expect(await aliases.update(functionName, 'b', at('2'), first?.revision ?? '')).toBe('changed');
    expect(await aliases.update(functionName, 'b', at('2'), second?.revision ?? '')).toBe('ok');
    expect(await aliases.get(functionName, 'b')).toMatchObject(at('2'));
  });

  it('a bucket tells EventBridge once it is asked to, and goes on; one that is not there is refused', async () => {
    const { bucketEvents, bucket, account, tellsEventBridge } = subject();
    expect(await tellsEventBridge(bucket)).toBe(false);
    for (let again = 0; again < 2; again += 1) {
      expect(await bucketEvents(bucket, account)).toBe('ok');
      expect(await tellsEventBridge(bucket)).toBe(true);
    }
    expect(await bucketEvents('no-such-bucket', account)).toEqual({
      refused: expect.stringContaining('there is no bucket no-such-bucket'),
    });
  });

  it('weights are set and taken away with the version', async () => {
    const { aliases, functionName } = subject();
    await aliases.create(functionName, 'c', at('1', { '2': 0.1 }));
    const split = await aliases.get(functionName, 'c');
    expect(split?.weights).toEqual({ '2': 0.1 });
    await aliases.update(functionName, 'c', at('2'), split?.revision ?? '');
    expect(await aliases.get(functionName, 'c')).toMatchObject(at('2'));
    expect((await aliases.get(functionName, 'c'))?.weights).toEqual({});
  });

  it('a version or function that is not there is refused, with AWS’s reason; an alias that went is a change', async () => {
    const { aliases, functionName } = subject();
    await aliases.create(functionName, 'd', at('1'));
    const found = await aliases.get(functionName, 'd');
    expect(await aliases.update(functionName, 'd', at('99'), found?.revision ?? '')).toMatchObject({
      refused: expect.stringMatching(/not found/i),
    });
    expect(await aliases.create(functionName, 'e', at('99'))).toMatchObject({
      refused: expect.stringMatching(/not found/i),
    });
    expect(await aliases.create('no-such-function', 'e', at('1'))).toMatchObject({
      refused: expect.stringMatching(/not found/i),
    });
    await aliases.remove(functionName, 'd');
    expect(await aliases.update(functionName, 'd', at('1'), found?.revision ?? '')).toBe('changed');
  });

  it('what is gone can be removed again', async () => {
    const { aliases, functionName } = subject();
    await aliases.create(functionName, 'f', at('1'));
    await aliases.remove(functionName, 'f');
    expect(await aliases.get(functionName, 'f')).toBeUndefined();
    await aliases.remove(functionName, 'f');
    await aliases.remove('no-such-function', 'f');
  });

  it('an object is made once and moved by compare-and-set', async () => {
    const { objects } = subject();
    expect(await objects.get('x/y.json')).toBeUndefined();
    expect(await objects.replace('x/y.json', 'never', '"0"')).toBe('changed');
    expect(await objects.create('x/y.json', 'one')).toBe('ok');
    expect(await objects.create('x/y.json', 'other')).toBe('changed');
    const one = await objects.get('x/y.json');
    expect(one?.text).toBe('one');
    expect(await objects.replace('x/y.json', 'two', one?.etag ?? '')).toBe('ok');
    expect(await objects.replace('x/y.json', 'three', one?.etag ?? '')).toBe('changed');
    expect((await objects.get('x/y.json'))?.text).toBe('two');
  });

  it('an object beyond a number of bytes is not read', async () => {
    const { objects } = subject();
    await objects.create('x/large', 'é'.repeat(1_000_000));
    expect(await objects.get('x/large', 1_999_999)).toBeUndefined();
    expect((await objects.get('x/large', 2_000_000))?.text).toHaveLength(1_000_000);
    expect(await objects.get('x/none', 1)).toBeUndefined();
  });

  it('objects are listed by the beginning of their keys, in order, page after page', async () => {
    const { objects } = subject();
    const names = Array.from({ length: 1001 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let first = 0; first < names.length; first += 50)
      await Promise.all(names.slice(first, first + 50).map((name) => objects.create(name, '')));
    await objects.create('many-others', '');
    expect(await objects.list('many/')).toEqual(names);
    expect(await objects.list('none/')).toEqual([]);
  });

  it('of two who write at once, one wins', async () => {
    const { objects } = subject();
    await objects.create('race', 'start');
    const etag = (await objects.get('race'))?.etag ?? '';
    const written = await Promise.all(['a', 'b', 'c'].map((text) => objects.replace('race', text, etag)));
    expect(written.filter((result) => result === 'ok')).toHaveLength(1);
    const made = await Promise.all(['a', 'b', 'c'].map((text) => objects.create('race-to-make', text)));
    expect(made.filter((result) => result === 'ok')).toHaveLength(1);
  });

  it('a schedule is made, overwritten and removed, and removed again', async () => {
    const { schedules, schedulesIn, group, target, role } = subject();
    const schedule = { group, name: 'tick-1', every: 'rate(1 minute)', target, role, input: '{"tick":{}}' };
    await schedules.put(schedule);
    await schedules.put({ ...schedule, input: '{"tick":{"deadline":"later"}}' });
    expect(await schedulesIn()).toEqual(['tick-1']);
    await schedules.remove(schedule);
    await schedules.remove(schedule);
    expect(await schedulesIn()).toEqual([]);
  });

  it('a schedule that is missing is made, and one that is there stays as it is', async () => {
    const { schedules, schedulesIn, inputOf, group, target, role } = subject();
    const schedule = { group, name: 'tick-2', every: 'rate(10 minutes)', target, role, input: '{"tick":{}}' };
    expect(await schedules.make(schedule)).toBe('made');
    expect(await schedulesIn()).toEqual(['tick-2']);
    expect(await schedules.make({ ...schedule, input: '{"tick":{"deadline":"later"}}' })).toBe('there');
    expect(await inputOf('tick-2')).toBe(schedule.input);
    await schedules.remove(schedule);
  });

  it('a stack is told by what it is doing', async () => {
    const { stacks, stack, noStack } = subject();
    expect(await stacks.state(stack)).toBe('done');
    expect(await stacks.state(noStack)).toBe('gone');
  });

  it('a version is deleted unless an alias needs it, and may be gone before', async () => {
    const { aliases, versions, functionName } = subject();
    await aliases.create(functionName, 'g', at('1', { '2': 0.1 }));
    for (const needed of ['1', '2'])
      await expect(versions.remove(functionName, needed)).rejects.toThrow(/alias/i);
    await versions.remove(functionName, '3');
    await versions.remove(functionName, '3');
    await versions.remove('no-such-function', '1');
    expect([...(await versions.list(functionName))].sort()).toEqual(['1', '2']);
    expect(await versions.list('no-such-function')).toEqual([]);
  });

  it('versions tell the digests of what they run', async () => {
    const { versions, functionName } = subject();
    const digests = await versions.digests(functionName);
    expect([...digests.keys()].sort()).toEqual([...(await versions.list(functionName))].sort());
    for (const digest of digests.values()) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await versions.digests('no-such-function')).toEqual(new Map());
  });

  it('a state machine is busy while an execution runs', async () => {
    const { machines, machine, execute } = subject();
    expect(await machines.isBusy(machine)).toBe(false);
    expect(await machines.isBusy('no-such-machine')).toBe(false);
    const end = await execute();
    expect(await machines.isBusy(machine)).toBe(true);
    await end();
    expect(await machines.isBusy(machine)).toBe(false);
  });

  it('an image goes with its last tag, and may be gone before', async () => {
    const { images, repository, tags, tagsIn } = subject();
    const [one, other] = tags;
    expect([...(await tagsIn())].sort()).toEqual([...tags].sort());
    await images.remove(repository, one);
    expect(await tagsIn()).toEqual([other]);
    await images.remove(repository, one);
    await images.remove('no-such-repository', one);
    await images.remove(repository, other);
    expect(await tagsIn()).toEqual([]);
  });

  watchContract(subject);
}
