import { openPromise } from 'yauzl';
import { onnxFormat } from '../plugins/models/artifact/onnx/format.ts';
import { buildLayer } from '../plugins/models/targets/lambda-zip/layer-build.ts';
import { mustAgree, outputsOf } from './answers.ts';
import { inTurns, type Reader, type Steady, steady } from './children.ts';
import type { Claim, Effort, Measured, Sample } from './claims.ts';
import { oneCore, oneVcpuQuota } from './constrain.ts';
import { median } from './median.ts';
import { packaging } from './packaging.ts';
import { event, original, ownSurroundings, progress, shipped, tensor } from './stage.ts';
import { withAudit, withDrift } from './variants.ts';

/** One thread, as the endpoint has at one vCPU. */
const ONE_THREAD = { intraOpNumThreads: 1, interOpNumThreads: 1 };

/**
 * The handler and `session.run` on the shipped file with the same options, in one process, block after block.
 */
async function overhead(
  name: 'logreg' | 'cnn',
  kind: 'json' | 'binary',
  effort: Effort,
  { prefix, reader }: { prefix?: readonly string[]; reader?: Reader } = {},
): Promise<Sample> {
  const { dir } = await shipped(name);
  const result = await steady(
    {
      handler: { file: `${dir}/handler.mjs`, event: await event(name, kind) },
      bare: { model: `${dir}/model/model.onnx`, options: ONE_THREAD, tensor: await tensor(name) },
      warm: effort.warm,
      block: effort.block,
      blocks: effort.repeats,
    },
    { ...(await ownSurroundings(dir)), ...(prefix && { prefix }) },
    reader,
  );
  mustAgree(outputsOf(result.answer), result.outputs ?? {});
  return { ours: result.handler, other: result.bare };
}

/**
 * On one core, which is what 1,769 MB buy, and its line of metrics read by somebody who is awake. Elsewhere
 * the machine's hypervisor comes into it: each thread of V8 and each reader that is woken on another virtual
 * core costs more than all that the handler does. What Lambda's costs is not known, so that case is measured
 * too and reported beside.
 */
const PROCESSES = 5;
async function tabular(effort: Effort): Promise<Measured> {
  const core = oneCore();
  if ('unmeasured' in core) return core;
  const waking = await overhead('logreg', 'json', effort, { reader: 'sleeps' });
  const added = (median(waking.ours) - median(waking.other)).toFixed(1);
  const sample = await inProcesses(effort, (own) => overhead('logreg', 'json', own, core));
  return { ...sample, beside: `on all cores, where each line of metrics wakes its reader: +${added} µs` };
}

/** A process may be compiled and laid out luckily or not for all its life, which is microseconds here. */
async function inProcesses(effort: Effort, measure: (effort: Effort) => Promise<Sample>): Promise<Sample> {
  const samples: Sample[] = [];
  const repeats = Math.ceil(effort.repeats / PROCESSES);
  for (let process = 0; process < Math.min(effort.repeats, PROCESSES); process++)
    samples.push(await measure({ ...effort, repeats }));
  return { ours: samples.flatMap(({ ours }) => ours), other: samples.flatMap(({ other }) => other) };
}

/** The handler that does more and the handler without, in turns in one process on one core. */
async function added(variant: (dir: string) => Promise<string>, effort: Effort): Promise<Measured> {
  const core = oneCore();
  if ('unmeasured' in core) return core;
  const { dir } = await shipped('logreg');
  const request = await event('logreg', 'json');
  const command = { ...(await ownSurroundings(dir)), ...core };
  const more = { file: await variant(dir), event: request };
  const plain = { file: `${dir}/handler.mjs`, event: request };
  return inProcesses(effort, async ({ warm, block, repeats }) => {
    const result = await steady({ handler: more, other: plain, warm, block, blocks: repeats }, command);
    mustAgree(outputsOf(result.answer), outputsOf(result.otherAnswer));
    return { ours: result.handler, other: result.other };
  });
}
const DRIFTING = 20;

/**
 * Process by process, since a process has one way to use threads: the handler, and a session with ORT's
 * defaults. The claim is about the 95th percentile: two threads use up a period's time in half of it and then
 * wait for the next. Which requests wait depends on the machine's speed: of short ones every third, so that a
 * median falls on either side by chance.
 */
async function threads(effort: Effort): Promise<Measured> {
  const quota = oneVcpuQuota();
  if ('unmeasured' in quota) return quota;
  const { dir } = await shipped('cnn');
  const command = { ...(await ownSurroundings(dir)), prefix: quota.prefix };
  const handler = { file: `${dir}/handler.mjs`, event: await event('cnn', 'binary') };
  const bare = { model: await original('cnn'), options: {}, tensor: await tensor('cnn') };
  // Long blocks: where the quota's periods cut the requests is chance.
  const times = { warm: effort.warm, block: effort.block * 6, blocks: 1 };
  const taken: { handler: Steady[]; bare: Steady[] } = { handler: [], bare: [] };
  const side = (name: 'handler' | 'bare') => async (): Promise<number> => {
    const result = await steady({ ...(name === 'handler' ? { handler } : { bare }), ...times }, command);
    taken[name].push(result);
    return median(result.p95[name]) / 1000;
  };
  const sample = await inTurns(effort.repeats, { ours: side('handler'), other: side('bare') });
  // The first of each is the untimed one.
  const ms = (of: 'handler' | 'bare', figure: (result: Steady) => readonly number[]): string =>
    (median(taken[of].slice(1).flatMap(figure)) / 1000).toFixed(1);
  const medians = `${ms('handler', ({ handler }) => handler)} ms beside ${ms('bare', ({ bare }) => bare)} ms`;
  const cpu = `${ms('handler', (result) => result.cpu.handler)} ms beside ${ms('bare', (result) => result.cpu.bare)} ms`;
  return { ...sample, beside: `at the median ${medians}; processor time a request ${cpu}` };
}

async function layerSize(): Promise<Sample> {
  const { zip } = await buildLayer(onnxFormat.runtime, 'x86_64', progress);
  const file = await openPromise(zip);
  let bytes = 0;
  for await (const entry of file.eachEntry()) bytes += entry.uncompressedSize;
  return { ours: [bytes / 1e6], other: [] };
}

const milliseconds = (sample: Sample): Sample => ({
  ours: sample.ours.map((us) => us / 1000),
  other: sample.other.map((us) => us / 1000),
});

export const SERVING: readonly Claim[] = [
  {
    name: 'layer-x64-mb',
    group: 'serving',
    about: 'ONNX Runtime layer for x86_64, unzipped',
    ours: 'the layer',
    unit: 'MB',
    compare: 'value',
    limit: 50,
    measure: layerSize,
  },
  {
    name: 'cnn-binary',
    group: 'serving',
    about: 'a 600 KB float32 tensor (MobileNetV2’s layout), binary request and answer',
    ours: 'generated handler',
    other: 'bare session.run',
    unit: 'ms',
    compare: 'ratio',
    limit: 1.05,
    measure: async (effort) => milliseconds(await overhead('cnn', 'binary', effort)),
  },
  {
    name: 'cnn-json',
    group: 'serving',
    about: 'the same tensor as JSON, 2.9 MB of text',
    ours: 'generated handler',
    other: 'bare session.run',
    unit: 'ms',
    compare: 'ratio',
    limit: 1.7,
    measure: async (effort) => milliseconds(await overhead('cnn', 'json', effort)),
  },
  {
    name: 'tabular-added-us',
    group: 'serving',
    about: 'logistic regression on 30 features, JSON, one core',
    ours: 'generated handler',
    other: 'bare session.run',
    unit: 'µs',
    compare: 'difference',
    limit: 10,
    measure: tabular,
  },
  {
    name: 'drift-added-us',
    group: 'serving',
    about: `the same with ${DRIFTING} of the features scored against reference data`,
    ours: 'handler with drift',
    other: 'handler without',
    unit: 'µs',
    compare: 'difference',
    limit: 10,
    measure: (effort) => added((dir) => withDrift(dir, DRIFTING), effort),
  },
  {
    name: 'audit-added-us',
    group: 'serving',
    about: 'the same with a line of audit, without predictions',
    ours: 'handler with audit',
    other: 'handler without',
    unit: 'µs',
    compare: 'difference',
    limit: 10,
    measure: (effort) => added(withAudit, effort),
  },
  {
    name: 'cnn-one-vcpu',
    group: 'serving',
    about: 'the 600 KB tensor at a quota of one vCPU, binary, 95th percentile',
    ours: 'generated handler',
    other: 'bare session.run with ONNX Runtime’s default threads',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.55,
    measure: threads,
  },
  {
    name: 'package-added-s',
    group: 'serving',
    about: '`sls package` of a service with ten unchanged models (104 MB)',
    ours: 'with the plugin',
    other: 'the service without it',
    unit: 's',
    compare: 'difference',
    limit: 2,
    measure: packaging,
  },
];
