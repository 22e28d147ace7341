import { describe } from 'vitest';
import { rangeAt } from '../../../core/release/capacity-range.ts';
import { fakeAliases } from '../../fakes/aliases.ts';
import { fakeBuckets } from '../../fakes/buckets.ts';
import { fakeCapacity } from '../../fakes/capacity.ts';
import { calm } from '../../fakes/chaos.ts';
import { portContract } from '../../fakes/contract.ts';
import { fakeImages } from '../../fakes/images.ts';
import { fakeMachines } from '../../fakes/machines.ts';
import { fakeAlarms, fakeMetrics, fakeNotices } from '../../fakes/metrics.ts';
import { fakeObjects } from '../../fakes/objects.ts';
import { fakeSchedules, fakeStack } from '../../fakes/others.ts';
import { fakeVersions } from '../../fakes/versions.ts';

describe('the fakes keep the contract of the ports', () => {
  let now = Date.parse('2026-01-01T10:00:30Z');
  const clock = () => now;
  const aliases = fakeAliases();
  for (const version of ['1', '2', '3']) aliases.publish('churn', version);
  const capacity = fakeCapacity(calm, { clock, readyAfter: 3000, versions: ['1', '2'] });
  capacity.hold('churn', '1');
  const schedules = fakeSchedules();
  const [here, gone] = [fakeStack('done'), fakeStack('gone')];
  const objects = fakeObjects();
  const metrics = fakeMetrics(calm, { clock });
  const alarms = fakeAlarms(calm, clock);
  const notices = fakeNotices();
  const buckets = fakeBuckets(calm);
  buckets.buckets.set('silent', false);
  const images = fakeImages();
  const busy = new Set<string>();
  for (const tag of ['v-one', 'v-two']) images.images.add(`models:${tag}`);
  portContract(() => ({
    aliases: aliases.port,
    capacity: capacity.port,
    objects: objects.port,
    schedules: schedules.port,
    stacks: { state: (stack) => (stack === 'here' ? here : gone).port.state(stack) },
    versions: fakeVersions(aliases),
    machines: fakeMachines(busy),
    machine: 'batch',
    execute: async () => {
      busy.add('batch');
      return async () => {
        busy.delete('batch');
      };
    },
    images: images.port,
    repository: 'models',
    tags: ['v-one', 'v-two'],
    tagsIn: async () => [...images.images].map((name) => name.slice('models:'.length)),
    metrics: metrics.port,
    alarms: alarms.port,
    notices: notices.port,
    bucketEvents: buckets.port,
    bucket: 'silent',
    account: '1',
    tellsEventBridge: async (bucket) => buckets.buckets.get(bucket) === true,
    now: clock,
    pause: async () => {
      now += 1000;
    },
    functionName: 'churn',
    group: 'group',
    target: 'target',
    role: 'role',
    schedulesIn: async () => [...schedules.schedules.values()].map(({ name }) => name),
    inputOf: async (name) => schedules.schedules.get(`group/${name}`)?.input,
    stack: 'here',
    noStack: 'gone',
    scalingOf: async (version) => {
      const scaling = capacity.scalings.get(`churn:${version}`);
      return scaling && { ...scaling, ...rangeAt(scaling, now), schedules: byName(scaling.schedules) };
    },
    serve: async (alias, version, did) => metrics.add('churn', alias, version, now, did),
    setAlarm: async (name, state) => alarms.set(name, state),
    published: async () => notices.published,
  }));
});

const byName = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] =>
  all.toSorted((one, other) => (one.name < other.name ? -1 : 1));
