import type { GateOutcome } from '../../core/gate/gate.ts';
import type { ArtifactOrigin } from '../../core/origin/contract.ts';
import { registry } from '../../core/registry/registry.ts';
import type { Release } from '../../core/release/document/contract.ts';
import type { Settings } from '../../core/release/document/settings-contract.ts';
import {
  type CommandAnswer,
  type CommandEvent,
  type TickAnswer,
  WORKER_METRICS,
} from '../../core/release/document/worker-contract.ts';
import type { World } from '../../core/release/ports.ts';
import { receiveRequest } from '../../core/release/receive.ts';
import { fakeAliases } from './aliases.ts';
import { fakeBuckets } from './buckets.ts';
import { fakeCapacity } from './capacity.ts';
import { type Chaos, calm } from './chaos.ts';
import { fakeImages } from './images.ts';
import { fakeMachines } from './machines.ts';
import { fakeAlarms, fakeMetrics, fakeNotices } from './metrics.ts';
import { fakeObjects } from './objects.ts';
import { fakeAnswers, fakeSchedules, fakeStack } from './others.ts';
import { fakeRegistered } from './registered.ts';
import { SETTINGS } from './settings.ts';
import { fakeVersions } from './versions.ts';
import { onlyWhole } from './whole.ts';

export const SCOPE = 'models/1/us-east-1/shop/dev/';
export const LIVE = `${SCOPE}releases/churn/live.json`;
export const FUNCTION = 'shop-dev-churn';
export const BATCH = 'shop-dev-churn-batch';
export const STACK = 'arn:aws:cloudformation:us-east-1:1:stack/shop-dev/1';
export const GROUP = 'group';

/** A release worker among fakes, with a clock that the test moves. */
export function fakeWorld(
  options: {
    readonly chaos?: Chaos;
    readonly start?: number;
    readonly readyAfter?: number;
    /** Milliseconds that an invocation has left; those of a whole one where it says nothing. */
    readonly left?: () => number | undefined;
    /** MLflow is told what is live. */
    readonly mlflow?: true;
  } = {},
) {
  const chaos = options.chaos ?? calm;
  const aliases = fakeAliases(chaos);
  const objects = fakeObjects(chaos);
  const schedules = fakeSchedules(chaos);
  const stack = fakeStack('busy', chaos);
  const answers = fakeAnswers(chaos);
  const clock = { now: options.start ?? Date.parse('2026-01-01T00:00:00Z') };
  const time = () => clock.now;
  const capacity = fakeCapacity(chaos, { clock: time, readyAfter: options.readyAfter ?? 0 });
  const metrics = fakeMetrics(chaos, { clock: time });
  const alarms = fakeAlarms(chaos, time);
  const notices = fakeNotices(chaos);
  const buckets = fakeBuckets(chaos);
  const images = fakeImages(chaos);
  /** State machines of which an execution runs. */
  const busy = new Set<string>();
  const mlflow = fakeRegistered(chaos);
  const counted: string[] = [];
  /** Functions by what was counted of them, looks of the sweep included, which `counted` leaves out. */
  const countsOf = new Map<string, string[]>();
  /** How long ago each of those looks was, in milliseconds. */
  const ages: number[] = [];
  /**
   * What the gate finds of a version, slice by slice; the last one again and again. A pass where none is
   * set.
   */
  const gates = new Map<string, GateOutcome[]>();
  const gated: string[] = [];
  const log: { readonly level: string; readonly message: string; readonly fields?: unknown }[] = [];
  /** Documents that were written and are not what the type of their phase says. */
  const unsound: string[] = [];
  const world: World = {
    registry: onlyWhole(registry(objects.port, SCOPE), unsound),
    stage: 'dev',
    region: 'us-east-1',
    aliases: aliases.port,
    capacity: capacity.port,
    schedules: schedules.port,
    stacks: stack.port,
    versions: fakeVersions(aliases, chaos),
    images: images.port,
    machines: fakeMachines(busy, chaos),
    metrics: metrics.port,
    alarms: alarms.port,
    notify: notices.port,
    gate: async ({ version }) => {
      await chaos('before gate');
      gated.push(version);
      const [first, ...others] = gates.get(version) ?? [];
      if (others.length > 0) gates.set(version, others);
      await chaos('after gate');
      return first ?? { state: { verdict: 'pass', done: 0, count: 0, failed: [] }, failures: [] };
    },
    bucketEvents: buckets.port,
    answer: answers.port,
    ...(options.mlflow && { mlflow: mlflow.port }),
    clock: time,
    left: () => options.left?.() ?? 300_000,
    count: (metric, functionName, at = clock.now) => {
      if (metric === WORKER_METRICS.swept) ages.push(clock.now - at);
      else counted.push(metric);
      countsOf.set(metric, [...(countsOf.get(metric) ?? []), functionName]);
    },
    pause: async (milliseconds) => {
      clock.now += milliseconds;
    },
    worker: {
      arn: 'arn:aws:lambda:us-east-1:1:function:shop-dev-models-release',
      scheduleRole: 'arn:aws:iam::1:role/ticks',
    },
    log: (level, message, fields) => log.push({ level, message, fields }),
  };
  return {
    world,
    unsound,
    aliases,
    objects,
    schedules: schedules.schedules,
    capacity,
    stack: stack.stack,
    answers: answers.answers,
    clock,
    log,
    metrics,
    alarms,
    notices: notices.published,
    buckets: buckets.buckets,
    images: images.images,
    busy,
    mlflow,
    counted,
    countsOf,
    ages,
    gates,
    gated,
    send: async (event: unknown): Promise<TickAnswer | undefined> => {
      const answer = await receiveRequest(world, GROUP, event);
      return answer !== undefined && 'done' in answer ? undefined : answer;
    },
    command: async (
      verb: CommandEvent['command']['verb'],
      more: Partial<CommandEvent['command']> = {},
    ): Promise<CommandAnswer | undefined> => {
      const command = {
        verb,
        model: 'churn',
        functionName: FUNCTION,
        alias: 'live',
        by: 'arn:aws:iam::1:user/me',
        ...more,
      };
      const answer = await receiveRequest(world, GROUP, { command });
      return answer !== undefined && 'done' in answer ? answer : undefined;
    },
    alias: () => aliases.at(FUNCTION, 'live'),
    /** Where it points, to be compared as a whole. */
    target: () => {
      const alias = aliases.at(FUNCTION, 'live');
      return alias && { version: alias.version, weights: alias.weights };
    },
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
    readonly forced?: string;
    /** The mark that the template had before. */
    readonly forcedBefore?: string;
    /** Asked for anew, without force. */
    readonly again?: string;
    /** sha256 over the source artifact. */
    readonly source?: string;
    /** What a registry of models knows of it. */
    readonly origin?: ArtifactOrigin;
    /** Version of the model's batch function. */
    readonly batch?: string;
    /** What is told of the model, as the plan writes it. */
    readonly card?: string;
    /** What the version runs from, likewise. */
    readonly image?: string;
  } = {},
) {
  requests += 1;
  const id = changes.id ?? `request-${String(requests).padStart(12, '0')}`;
  const functionName = changes.functionName ?? FUNCTION;
  const properties = (of: string, forced: string | undefined, again?: string) => ({
    ServiceToken: 'arn',
    ServiceTimeout: changes.timeout ?? '600',
    FunctionName: functionName,
    Alias: 'live',
    Model: 'churn',
    Version: of,
    Fingerprint: fingerprint,
    Identity: `identity of ${fingerprint}`,
    Layer: 'layer',
    Source: changes.source ?? 'source',
    ...(changes.card !== undefined && { Card: changes.card }),
    ...(changes.image !== undefined && { Image: changes.image }),
    ...(changes.origin !== undefined && { Origin: JSON.stringify(changes.origin) }),
    Settings: JSON.stringify(changes.settings ?? SETTINGS),
    ...(forced !== undefined && { Forced: forced }),
    ...(again !== undefined && { Again: again }),
    ...(changes.batch !== undefined && { Batch: { FunctionName: BATCH, Version: changes.batch } }),
  });
  return {
    RequestType: type,
    RequestId: id,
    ResponseURL: `https://answer.example/${id}?signature=secret`,
    StackId: STACK,
    LogicalResourceId: 'ChurnLiveAlias',
    ResourceType: 'Custom::ModelAlias',
    ...(type !== 'Create' && { PhysicalResourceId: changes.physicalId ?? `${functionName}:live` }),
    ResourceProperties: properties(version, changes.forced, changes.again),
    ...(changes.before !== undefined && {
      OldResourceProperties: properties(changes.before, changes.forcedBefore),
    }),
  };
}

/** A tick manually, or with the input of a schedule. */
export const tick = (input: object = {}) => ({
  tick: { model: 'churn', functionName: FUNCTION, alias: 'live', ...input },
});
