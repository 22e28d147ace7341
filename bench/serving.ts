import { openPromise } from 'yauzl';
import { buildLayer } from '../plugins/models/ship/layer.ts';
import { mustAgree, outputsOf } from './answers.ts';
import { inTurns, steady } from './children.ts';
import type { Claim, Effort, Sample } from './claims.ts';
import { oneVcpuQuota } from './constrain.ts';
import { median } from './median.ts';
import { packaging } from './packaging.ts';
import { event, original, ownSurroundings, progress, shipped, tensor } from './stage.ts';

/** One thread, as the endpoint has at one vCPU. */
const ONE_THREAD = { intraOpNumThreads: 1, interOpNumThreads: 1 };

/** The handler and `session.run` on the shipped file with the same options, in one process, block after block. */
async function overhead(name: 'logreg' | 'cnn', kind: 'json' | 'binary', effort: Effort): Promise<Sample> {
  const { dir } = await shipped(name);
  const result = await steady(
    {
      handler: { file: `${dir}/handler.mjs`, event: await event(name, kind) },
      bare: { model: `${dir}/model/model.onnx`, options: ONE_THREAD, tensor: await tensor(name) },
      warm: effort.warm,
      block: effort.block,
      blocks: effort.repeats,
    },
    await ownSurroundings(dir),
  );
  mustAgree(outputsOf(result.answer), result.outputs ?? {});
  return { ours: result.handler, other: result.bare };
}

/** Process by process, since a process has one way to use threads: the handler, and a session with ORT's defaults. */
async function threads(effort: Effort): Promise<Sample | { unmeasured: string }> {
  const quota = oneVcpuQuota();
  if ('unmeasured' in quota) return quota;
  const { dir } = await shipped('cnn');
  const command = { ...(await ownSurroundings(dir)), prefix: quota.prefix };
  const handler = { file: `${dir}/handler.mjs`, event: await event('cnn', 'binary') };
  const bare = { model: await original('cnn'), options: {}, tensor: await tensor('cnn') };
  // Long blocks: where the quota's periods cut the requests is chance.
  const times = { warm: effort.warm, block: effort.block * 6, blocks: 1 };
  return inTurns(effort.repeats, {
    ours: async () => median((await steady({ handler, ...times }, command)).handler),
    other: async () => median((await steady({ bare, ...times }, command)).bare),
  });
}

async function layerSize(): Promise<Sample> {
  const { zip } = await buildLayer('x86_64', progress);
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
    about: 'logistic regression on 30 features, JSON',
    ours: 'generated handler',
    other: 'bare session.run',
    unit: 'µs',
    compare: 'difference',
    limit: 10,
    measure: (effort) => overhead('logreg', 'json', effort),
  },
  {
    name: 'cnn-one-vcpu',
    group: 'serving',
    about: 'the 600 KB tensor at a quota of one vCPU, binary',
    ours: 'generated handler',
    other: 'bare session.run with ONNX Runtime’s default threads',
    unit: 'ms',
    compare: 'ratio',
    limit: 0.55,
    measure: async (effort) => {
      const sample = await threads(effort);
      return 'unmeasured' in sample ? sample : milliseconds(sample);
    },
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
