import type { Release, Settings, TickAnswer } from '../../functions/release/contract.ts';
import { receive } from '../../functions/release/receive.ts';
import type { World } from '../../functions/release/world.ts';
import { registry } from '../../functions/shared/registry.ts';
import { fakeAliases } from './aliases.ts';
import { fakeCapacity } from './capacity.ts';
import { type Chaos, calm } from './chaos.ts';
import { fakeObjects } from './objects.ts';
import { fakeAnswers, fakeSchedules, fakeStack } from './others.ts';
import { SETTINGS } from './settings.ts';

export const SCOPE = 'models/1/us-east-1/shop/dev/';
export const LIVE = `${SCOPE}releases/churn/live.json`;
export const FUNCTION = 'shop-dev-churn';
export const STACK = 'arn:aws:cloudformation:us-east-1:1:stack/shop-dev/1';
export const GROUP = 'group';

/** A release worker among fakes, with a clock that the test moves. */
export function fakeWorld(options: { readonly chaos?: Chaos; readonly start?: number } = {}) {
  const chaos = options.chaos ?? calm;
  const aliases = fakeAliases(chaos);
  const objects = fakeObjects(chaos);
  const schedules = fakeSchedules(chaos);
  const capacity = fakeCapacity(chaos);
  const stack = fakeStack('busy', chaos);
  const answers = fakeAnswers(chaos);
  const clock = { now: options.start ?? Date.parse('2026-01-01T00:00:00Z') };
  const log: { readonly message: string; readonly fields?: unknown }[] = [];
  const world: World = {
    registry: registry(objects.port, SCOPE),
    aliases: aliases.port,
    capacity: capacity.port,
    schedules: schedules.port,
    stacks: stack.port,
    answer: answers.port,
    clock: () => clock.now,
    pause: async (milliseconds) => {
      clock.now += milliseconds;
    },
    worker: {
      arn: 'arn:aws:lambda:us-east-1:1:function:shop-dev-models-release',
      scheduleRole: 'arn:aws:iam::1:role/ticks',
    },
    log: (message, fields) => log.push({ message, fields }),
  };
  return {
    world,
    aliases,
    objects,
    schedules: schedules.schedules,
    capacity,
    stack: stack.stack,
    answers: answers.answers,
    clock,
    log,
    send: (event: unknown): Promise<TickAnswer | undefined> => receive(world, GROUP, event),
    alias: () => aliases.at(FUNCTION, 'live'),
    state: (): Release | undefined => {
      const found = objects.objects.get(LIVE);
      return found && (JSON.parse(found.text) as Release);
    },
  };
}

let requests = 0;

/** A request as CloudFormation sends it. */
export function request(
  type: 'Create' | 'Update' | 'Delete',
  version: string,
  fingerprint: string,
  changes: {
    readonly id?: string;
    readonly functionName?: string;
    readonly before?: string;
    readonly timeout?: string;
    readonly physicalId?: string;
    readonly settings?: Settings;
  } = {},
) {
  requests += 1;
  const id = changes.id ?? `request-${String(requests).padStart(12, '0')}`;
  const functionName = changes.functionName ?? FUNCTION;
  const properties = (of: string) => ({
    ServiceToken: 'arn',
    ServiceTimeout: changes.timeout ?? '600',
    FunctionName: functionName,
    Alias: 'live',
    Model: 'churn',
    Version: of,
    Fingerprint: fingerprint,
    Identity: `identity of ${fingerprint}`,
    Layer: 'layer',
    Source: 'source',
    Settings: JSON.stringify(changes.settings ?? SETTINGS),
  });
  return {
    RequestType: type,
    RequestId: id,
    ResponseURL: `https://answer.example/${id}?signature=secret`,
    StackId: STACK,
    LogicalResourceId: 'ChurnLiveAlias',
    ResourceType: 'Custom::ModelAlias',
    ...(type !== 'Create' && { PhysicalResourceId: changes.physicalId ?? `${functionName}:live` }),
    ResourceProperties: properties(version),
    ...(changes.before !== undefined && { OldResourceProperties: properties(changes.before) }),
  };
}

/** A tick by hand, or with the input of a schedule. */
export const tick = (input: object = {}) => ({
  tick: { model: 'churn', functionName: FUNCTION, alias: 'live', ...input },
});
