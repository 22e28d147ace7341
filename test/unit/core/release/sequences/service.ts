import type { Release } from '../../../../../core/release/document/contract.ts';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import type { World } from '../../../../../core/release/ports.ts';
import { receiveRequest } from '../../../../../core/release/receive.ts';
import { HOUR_MS } from '../../../../../core/units/time.ts';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import { aliasLogicalId } from '../../../../../plugins/models/declaration/naming.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { isProblemError } from '../../../../../plugins/models/problems/errors.ts';
import { begin, record } from '../../../../../plugins/models/releases/begin.ts';
import type { Deploy, DeployContext } from '../../../../../plugins/models/releases/deploy-context.ts';
import { forceMark } from '../../../../../plugins/models/releases/deployment.ts';
import { failed } from '../../../../../plugins/models/releases/failed.ts';
import { finishDeploy, missing } from '../../../../../plugins/models/releases/finish.ts';
import type { Reach } from '../../../../../plugins/models/releases/ports.ts';
import { readStatus } from '../../../../../plugins/models/releases/read-status.ts';
import { type Status, statusOf } from '../../../../../plugins/models/releases/status.ts';
import { SETTINGS } from '../../../../fakes/settings.ts';
import { fakeWorld, GROUP, SCOPE, STACK } from '../../../../fakes/world.ts';
import { MINUTE } from '../traffic.ts';
import {
  type Ended,
  type Fingerprint,
  type Kind,
  kindOf,
  MODELS,
  type Name,
  type Offering,
  type Subject,
  sharesOf,
  type Template,
} from './subject.ts';

/**
 * A service of two models, whole: the framework with its own idea of what is unchanged, CloudFormation,
 * Lambda and the release worker, all in memory; the plugin's side of a deploy and of the commands is the real
 * one.
 */

type Alias = {
  readonly version: string;
  readonly fingerprint: Fingerprint;
  readonly Forced?: string;
  readonly Again?: string;
};
type Stack = Readonly<Record<Name, Alias>>;

const RATES: Readonly<Record<Kind, number>> = { good: 0.02, gate: 0.02, bad: 0.4 };
const RULES: Settings = {
  ...SETTINGS,
  strategy: 'canary',
  steps: [
    { weight: 10, bake: 120 },
    { weight: 50, bake: 120 },
  ],
  minRequests: 20,
  increase: 0.5,
  maxWait: 6 * 3600,
  rollbackWindow: 3600,
  capacity: { provisioned: { min: 1, max: 3, target: 0.7 }, schedules: [] },
};

const functionOf = (model: Name): string => `shop-dev-${model}`;
const FAILED = { verdict: 'fail' as const, done: 1, count: 1, failed: [1], reason: 'Case 1 of 1 failed.' };

class Killed extends Error {}

export function openService(): Subject {
  const w = fakeWorld({ readyAfter: MINUTE / 2 });
  /** What each published version is, by `function:version`. */
  const contents = new Map<string, Fingerprint>();
  const counts = new Map<Name, number>();
  const world: World = {
    ...w.world,
    gate: async ({ functionName, version }) => {
      const kind = kindOf(contents.get(`${functionName}:${version}`) ?? 'good-0');
      const passed = { verdict: 'pass' as const, done: 0, count: 0, failed: [] };
      return { state: kind === 'gate' ? FAILED : passed, failures: [] };
    },
  };
  let stack: Stack | undefined;
  /** What the framework uploaded last: it compares with that, whatever became of it. */
  let uploaded: string | undefined;
  let isRolledBack = false;
  let requests = 0;
  let deploys = 0;
  /** The latest of CloudFormation's requests. */
  const events = new Map<Name, unknown>();
  let waits = false;
  const send = (event: unknown) => receiveRequest(world, GROUP, event);

  const serve = (): void => {
    for (const model of MODELS) {
      const name = functionOf(model);
      const alias = w.aliases.at(name, 'live');
      if (alias === undefined) continue;
      const others = Object.entries(alias.weights);
      const rest = 1 - others.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [version, share] of [[alias.version, rest] as const, ...others]) {
        const n = Math.round(1000 * share);
        const rate = RATES[kindOf(contents.get(`${name}:${version}`) ?? 'good-0')];
        const did = { invocations: n, crashes: 0, requests: n, errors: Math.round(n * rate) };
        w.metrics.add(name, 'live', version, w.clock.now, did);
      }
    }
  };
  /** A minute with the ticks that come due in it. */
  const minute = async (isBusy: boolean): Promise<void> => {
    if (isBusy) serve();
    w.clock.now += MINUTE;
    // The stack's own schedule.
    if (Math.floor(w.clock.now / MINUTE) % 15 === 0) await send({ sweep: true });
    for (const { input } of [...w.schedules.values()]) await send(JSON.parse(input));
  };
  const minutes = async (count: number, isBusy: boolean): Promise<void> => {
    for (let done = 0; done < count; done += 1) await minute(isBusy);
  };

  const propertiesOf = (model: Name, { version, fingerprint, Forced, Again }: Alias) => ({
    ServiceToken: 'arn',
    ServiceTimeout: '600',
    FunctionName: functionOf(model),
    Alias: 'live',
    Model: model,
    Version: version,
    Fingerprint: fingerprint,
    Identity: `identity of ${fingerprint}`,
    Layer: 'layer',
    Source: `source of ${fingerprint}`,
    Settings: JSON.stringify(RULES),
    ...(Forced !== undefined && { Forced }),
    ...(Again !== undefined && { Again }),
  });
  /** CloudFormation asks the worker, and waits for its answer. */
  const ask = async (model: Name, to: Alias, before: Alias | undefined): Promise<boolean> => {
    requests += 1;
    const id = `request-${String(requests).padStart(12, '0')}`;
    const event = {
      RequestType: before === undefined ? 'Create' : 'Update',
      RequestId: id,
      ResponseURL: `https://answer.example/${id}`,
      StackId: STACK,
      LogicalResourceId: `${model.toUpperCase()}LiveAlias`,
      ResourceType: 'Custom::ModelAlias',
      ...(before !== undefined && { PhysicalResourceId: `${functionOf(model)}:live` }),
      ResourceProperties: propertiesOf(model, to),
      ...(before !== undefined && { OldResourceProperties: propertiesOf(model, before) }),
    };
    await send(event);
    // Lambda delivers an event more than once, and late: the one before comes again when this one is
    // followed.
    await send(events.get(model) ?? event);
    events.set(model, event);
    const answer = () => w.answers.find(({ RequestId }) => RequestId === id)?.Status;
    for (let waited = 0; waited < 20 && answer() === undefined; waited += 1) await minute(false);
    if (answer() === undefined) throw new Error(`${id} of ${model} is not answered`);
    return answer() === 'SUCCESS';
  };
  const publish = (model: Name, fingerprint: Fingerprint): string => {
    const count = (counts.get(model) ?? 0) + 1;
    counts.set(model, count);
    w.aliases.publish(functionOf(model), String(count));
    contents.set(`${functionOf(model)}:${count}`, fingerprint);
    return String(count);
  };

  /** @returns the stack's status */
  const operation = async (
    template: Template,
    marks: Readonly<Partial<Record<Name, Pick<Alias, 'Forced' | 'Again'>>>>,
    isBroken: boolean,
  ): Promise<'UPDATE_COMPLETE' | 'UPDATE_ROLLBACK_COMPLETE'> => {
    const before = stack;
    w.stack.state = 'busy';
    const made: string[] = [];
    const done: Name[] = [];
    const next: Partial<Record<Name, Alias>> = { ...before };
    let isGood = true;
    for (const model of MODELS) {
      const old = before?.[model];
      const isNew = old?.fingerprint !== template[model];
      const version = isNew || old === undefined ? publish(model, template[model]) : old.version;
      if (isNew) made.push(`${model}:${version}`);
      const to: Alias = { version, fingerprint: template[model], ...marks[model] };
      if (JSON.stringify(to) === JSON.stringify(old)) continue;
      next[model] = to;
      done.push(model);
      isGood = await ask(model, to, old);
      if (!isGood) break;
    }
    if (isGood && !(isBroken && before !== undefined)) {
      // Without a change CloudFormation leaves the status.
      if (JSON.stringify(stack) !== JSON.stringify(next)) isRolledBack = false;
      stack = next as Stack;
      w.stack.state = 'done';
      return 'UPDATE_COMPLETE';
    }
    w.stack.state = 'rollingBack';
    isRolledBack = true;
    for (const model of done.reverse()) {
      const [old, to] = [before?.[model], next[model]];
      if (old === undefined || to === undefined) throw new Error('a first deploy must not fail here');
      if (!(await ask(model, old, to))) throw new Error(`the rollback of ${model} fails`);
    }
    for (const one of made) {
      const [model, version = ''] = one.split(':') as [Name, string];
      if (w.aliases.needs(functionOf(model), version)) throw new Error(`${one} is deleted and has traffic`);
      w.aliases.unpublish(functionOf(model), version);
    }
    w.stack.state = 'done';
    return 'UPDATE_ROLLBACK_COMPLETE';
  };

  const { models } = parseModels(
    Object.fromEntries(MODELS.map((name) => [name, { artifact: 'a.onnx', release: { strategy: 'canary' } }])),
  );
  const host = {
    service: 'shop',
    stage: 'dev',
    region: 'us-east-1',
    stack: 'shop-dev',
    provider: {},
    functions: {},
  };
  const reach: Reach = {
    bucket: async () => 'registry',
    registry: (_, work) => work({ documents: world.registry, by: 'arn:aws:iam::1:user/me' }),
    deployedBucket: async () => 'registry',
    worker: () => ({
      tick: async (tick) => (await send({ tick })) as never,
      command: async (command) => (await send({ command })) as never,
      close: () => {},
    }),
    alias: async ({ functionName, alias }) => w.aliases.at(functionName, alias),
    exists: async (functionName) => w.aliases.published(functionName).size > 0,
    aliases: async () => new Set(stack === undefined ? [] : ['ALiveAlias', 'BLiveAlias']),
    functions: async () => new Set(),
    template: async () =>
      Object.fromEntries(
        Object.entries(stack ?? {}).map(([model, alias]) => [
          aliasLogicalId(model),
          { Type: 'Custom::ModelAlias', Properties: propertiesOf(model as Name, alias) },
        ]),
      ),
    neverMade: async () => false,
    rolledBack: async () => isRolledBack,
    lacks: async () => ({ problems: [], lines: [] }),
    traffic: async () => ({ unknown: 'nobody counted it' }),
    clock: () => w.clock.now,
    // Whoever waits for a release waits for its traffic.
    pause: () => minute(waits),
  };

  const lines: string[] = [];
  const context: DeployContext = {
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/', stack: 'shop-dev' },
    notice: (line) => lines.push(line),
    progress: () => {},
    models,
    signatures: async () => new Map(),
    host: host as unknown as Host,
    reach,
  };

  /** `sls deploy`, as the framework calls the plugin's hooks. @returns undefined where it was killed */
  const deploy = async (template: Template, options: Offering = {}): Promise<Ended | undefined> => {
    lines.length = 0;
    const marks: Partial<Record<Name, { Forced?: string; Again?: string }>> = {};
    let run: Deploy | undefined;
    const again = (names: readonly string[]): void => {
      for (const name of names)
        marks[name as Name] = { ...marks[name as Name], Again: new Date(w.clock.now).toISOString() };
    };
    try {
      const offers = MODELS.map((model) => ({
        model,
        identity: `identity of ${template[model]}`,
        source: `source of ${template[model]}`,
        layer: 'layer',
        fingerprint: template[model],
      }));
      run = await begin(context, offers, true);
      // The clock of whoever deploys is behind; and no two deploys are at the same millisecond of a minute,
      // as here all would be, with one mark for all.
      deploys += 1;
      const Forced = forceMark(run.before, w.clock.now - HOUR_MS + deploys);
      if (options.force) for (const model of MODELS) marks[model] = { Forced };
      again(run.again);
      const compiled = (): string => JSON.stringify([template, marks, options.isBroken === true]);
      let skips = uploaded === compiled();
      if (skips || !options.force) {
        const asked = await missing(context, run, skips);
        again(asked ?? []);
        skips &&= asked === undefined;
      }
      if (options.killed === 'before the upload') throw new Killed();
      if (!skips) {
        run = await record(context, run, false);
        // An upload that is younger than the functions was never deployed: the framework does not trust it.
        uploaded = options.killed === 'after the upload' ? undefined : compiled();
        if (options.killed === 'after the upload') throw new Killed();
        const ended = await operation(template, marks, options.isBroken === true);
        if (options.killed === 'in the operation') throw new Killed();
        if (ended !== 'UPDATE_COMPLETE') throw new Error(`the stack is ${ended}`);
      }
      const begun = run;
      waits = options.wait === true;
      run = undefined;
      await finishDeploy(context, begun, options.wait === true);
      return { code: 0, output: lines.join('\n') };
    } catch (error) {
      if (error instanceof Killed) return undefined;
      if (run?.id !== undefined) await failed(context, run, error);
      if (!(isProblemError(error) || /^the stack is/.test(String((error as Error).message)))) throw error;
      return { code: 1, output: [...lines, (error as Error).message].join('\n') };
    }
  };

  const stands = async (model: Name): Promise<Status> => {
    const target = { model, functionName: functionOf(model), alias: 'live' };
    const sight = {
      aliases: world.aliases,
      alarms: world.alarms,
      capacity: world.capacity,
      exists: reach.exists,
      published: async (name: string, version: string) => w.aliases.published(name).has(version),
      stacked: async () => stack !== undefined,
      close: () => {},
    };
    const say = Object.assign((verb: string) => `sls models ${verb}`, {
      sls: (command: string) => `sls ${command}`,
      aws: (command: string) => `aws ${command}`,
    });
    return statusOf(await readStatus(sight, world.registry, target), w.clock.now, say);
  };

  return {
    now: () => w.clock.now,
    deploy,
    minutes,
    quiet: async (look) => {
      await minutes(1, false);
      await look();
    },
    status: stands,
    command: async (model, verb, to) => {
      const command = {
        verb,
        model,
        functionName: functionOf(model),
        alias: 'live',
        by: 'me',
        ...(to && { to }),
      };
      const answer = await send({ command });
      return answer !== undefined && 'done' in answer && answer.done;
    },
    moveAlias: async (model, version) =>
      w.aliases.byHand(functionOf(model), 'live', { version, weights: {} }),
    loseAlias: async (model) => w.aliases.byHand(functionOf(model), 'live', undefined),
    loseSchedules: async (model) => {
      for (const [key, { name }] of [...w.schedules])
        if (name.startsWith(`${functionOf(model)}-`)) w.schedules.delete(key);
    },
    loseDocument: async (model) => {
      // Nothing knows by then which requests there were.
      events.delete(model);
      w.objects.objects.delete(`${SCOPE}releases/${model}/live.json`);
    },
    traffic: async (model) => {
      const alias = w.aliases.at(functionOf(model), 'live');
      if (alias === undefined) return undefined;
      return sharesOf(alias, (version) => contents.get(`${functionOf(model)}:${version}`));
    },
    document: async (model) => {
      const found = w.objects.objects.get(`${SCOPE}releases/${model}/live.json`);
      return found && (JSON.parse(found.text) as Release);
    },
    schedules: async (model) =>
      [...w.schedules.values()].filter(({ name }) => name.startsWith(`${functionOf(model)}-`)).length,
    held: async (model) =>
      w.capacity
        .held(functionOf(model))
        .map((version) => contents.get(`${functionOf(model)}:${version}`) ?? version),
    published: async (model) => [...w.aliases.published(functionOf(model))],
    contentOf: async (model, version) => contents.get(`${functionOf(model)}:${version}`),
  };
}
