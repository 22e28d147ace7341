/** After a deploy that failed: only what it began itself is shown, and written into its record. */
import { expect, it } from 'vitest';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { begin, record } from '../../../../../plugins/models/releases/begin.ts';
import type { DeployContext } from '../../../../../plugins/models/releases/deploy-context.ts';
import { failed } from '../../../../../plugins/models/releases/failed.ts';
import type { Reach } from '../../../../../plugins/models/releases/ports.ts';
import { fakeWorld, request } from '../../../../fakes/world.ts';
import { deploy, live, type World } from '../../../core/release/traffic.ts';

const FAILED = {
  state: { verdict: 'fail' as const, done: 1, count: 1, failed: [1], reason: 'Case 1 of 1 failed.' },
  failures: [],
};
const offers = ['a', 'c'].map((fingerprint) => ({
  model: 'churn',
  identity: 'i',
  source: 's',
  layer: 'l',
  fingerprint,
}));

/** @param isThere is the model's function? */
function contextOf(w: World, isThere: boolean, more: Partial<Reach> = {}) {
  const lines: string[] = [];
  const { models } = parseModels({ churn: { artifact: 'a.onnx' } });
  const reach: Partial<Reach> = {
    bucket: async () => 'registry',
    deployedBucket: async () => undefined,
    registry: (_, work) => work({ documents: w.world.registry, by: 'me' }),
    exists: async () => isThere,
    alias: async () => undefined,
    aliases: async () => new Set(),
    neverMade: async () => false,
    rolledBack: async () => false,
    clock: () => w.clock.now,
    ...more,
  };
  const host = {
    service: 'shop',
    stage: 'dev',
    region: 'us-east-1',
    stack: 'shop-dev',
    provider: {},
    functions: {},
  };
  const context = {
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/', stack: 'shop-dev' },
    notice: (line: string) => lines.push(line),
    progress: () => {},
    models,
    host: host as unknown as Host,
    signatures: async () => new Map(),
    reach: reach as Reach,
  } satisfies DeployContext;
  return { context, lines };
}

it('the gate of an earlier model of this name is not its own: the model was not asked for at all', async () => {
  const w = fakeWorld();
  w.aliases.publish('shop-dev-churn', '3');
  w.gates.set('3', [FAILED]);
  await w.send(request('Create', '3', 'a'));
  w.stack.state = 'done';
  const { context, lines } = contextOf(w, false);
  const run = await record(context, await begin(context, offers.slice(0, 1), true), false);
  await failed(context, run, new Error('another resource failed'));
  expect(lines.join('\n')).not.toContain('did not pass');
  expect(await w.world.registry.deployment(run.id ?? '')).not.toHaveProperty('releases');
});

it('its own gate is shown, and is in its record', async () => {
  const w = await live();
  const { context, lines } = contextOf(w, true);
  const run = await record(context, await begin(context, offers.slice(1), true), false);
  w.gates.set('5', [FAILED]);
  await deploy(w, '5', 'c');
  await failed(context, run, new Error('the stack rolled back'));
  expect(lines.join('\n')).toContain('version 5 did not pass');
  expect(await w.world.registry.deployment(run.id ?? '')).toMatchObject({
    releases: { churn: { phase: 'ABORTED' } },
  });
});

it('a stack that was never complete takes no other deploy: that it is removed first is told', async () => {
  const ended = async (neverMade: Reach['neverMade']): Promise<string> => {
    const { context, lines } = contextOf(await live(), true, { neverMade });
    await failed(context, await begin(context, [], true), new Error('can not be updated'));
    return lines.join('\n');
  };
  expect(await ended(async () => true)).toContain('`sls remove`, then `sls deploy`');
  expect(await ended(async () => false)).toBe('');
  expect(await ended(async () => Promise.reject(new Error('denied')))).toBe('');
});

it('nothing is uploaded where somebody deleted the function of a model', async () => {
  const stacked = { aliases: async () => new Set(['ChurnLiveAlias']) };
  const { context } = contextOf(await live(), false, stacked);
  await expect(begin(context, offers.slice(1), true)).rejects.toThrow('Somebody deleted its function');
  // `sls rollback` may bring a template without it.
  await expect(begin(context, [], true)).resolves.toBeDefined();
});
