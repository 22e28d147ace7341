import { describe } from 'vitest';
import { fakeAliases } from '../../fakes/aliases.ts';
import { fakeCapacity } from '../../fakes/capacity.ts';
import { portContract } from '../../fakes/contract.ts';
import { fakeObjects } from '../../fakes/objects.ts';
import { fakeSchedules, fakeStack } from '../../fakes/others.ts';

describe('the fakes keep the contract of the ports', () => {
  const aliases = fakeAliases();
  for (const version of ['1', '2']) aliases.publish('churn', version);
  const capacity = fakeCapacity();
  capacity.hold('churn', '1');
  const schedules = fakeSchedules();
  const [here, gone] = [fakeStack('done'), fakeStack('gone')];
  const objects = fakeObjects();
  portContract(() => ({
    aliases: aliases.port,
    capacity: capacity.port,
    objects: objects.port,
    schedules: schedules.port,
    stacks: { state: (stack) => (stack === 'here' ? here : gone).port.state(stack) },
    functionName: 'churn',
    group: 'group',
    target: 'target',
    role: 'role',
    schedulesIn: async () => [...schedules.schedules.values()].map(({ name }) => name),
    stack: 'here',
    noStack: 'gone',
  }));
});
