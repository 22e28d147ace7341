import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModels } from '../plugins/models/declaration/parse.ts';
import { imageOf } from '../plugins/models/ship/oci/image.ts';
import { imageParts } from '../plugins/models/ship/oci/parts.ts';
import { pushImage } from '../plugins/models/ship/oci/push.ts';
import { openRepository } from '../plugins/models/ship/oci/registry.ts';
import { shipModel } from '../plugins/models/ship/ship.ts';
import { imageRegistry } from '../test/fakes/image-registry.ts';
import {
  externalTensor,
  FLOAT,
  modelOf,
  node,
  tensorInfo,
} from '../test/unit/plugins/models/artifact/onnx/onnx-writer.ts';
import type { Claim } from './claims.ts';

/** Floats in a row and in a column of the weights: 9 MB, which no packing makes less. */
const SIZE = 1500;

/** What is measured of images. No figure depends on the machine. */
export const IMAGE: readonly Claim[] = [
  {
    name: 'image-push',
    group: 'image',
    about: 'bytes that go to a registry for a changed model of 9 MB, whose image before is there',
    ours: 'sent',
    other: 'the model',
    unit: 'MB',
    compare: 'ratio',
    limit: 1.05,
    measure: async () => {
      const { sent, model } = await pushChanged();
      return { ours: [sent / 1e6], other: [model / 1e6] };
    },
  },
];

/** Nothing of a base goes twice, so that none is needed here. */
const BASE = {
  manifest: { schemaVersion: 2, config: { mediaType: '', digest: '', size: 0 }, layers: [] },
  config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
  file: () => '',
} as const;

async function pushChanged(): Promise<{ readonly sent: number; readonly model: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-image-'));
  const registry = await imageRegistry();
  try {
    const push = async (seed: string): Promise<number> => {
      const artifact = await writeModel(join(folder, seed), seed);
      const [model] = parseModels({ wide: { artifact } }).models;
      if (model === undefined) throw new Error('no model');
      const context = { serviceDir: folder, outDir: join(folder, 'out', seed), progress: () => {} };
      const shipped = await shipModel(model, context);
      const parts = await imageParts(model, shipped, { service: 'bench', page: '', progress: () => {} });
      const image = imageOf({ base: BASE, layers: parts.layers, config: parts.configOf('/node') });
      const to = { host: registry.host, repository: 'wide', url: registry.url };
      const before = registry.received();
      await pushImage(openRepository(to, { write: true }), image, to, { tags: ['v1'] });
      return registry.received() - before;
    };
    await push('before');
    return { sent: await push('changed'), model: SIZE * SIZE * 4 };
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeModel(folder: string, seed: string): Promise<string> {
  await mkdir(folder);
  await writeFile(
    join(folder, 'model.onnx'),
    modelOf({
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      inputs: [tensorInfo('x', FLOAT, ['n', SIZE])],
      outputs: [tensorInfo('y', FLOAT, ['n', SIZE])],
      initializers: [externalTensor('w', [SIZE, SIZE], 'w.bin')],
    }),
  );
  await writeFile(join(folder, 'w.bin'), new Uint8Array(weights(seed).buffer));
  return folder;
}

/** Values from −1 to 1 that follow from the seed. */
function weights(seed: string): Float32Array {
  const values = new Float32Array(SIZE * SIZE);
  for (let at = 0; at < values.length; at += 8) {
    const digest = createHash('sha256').update(`${seed} ${at}`).digest();
    for (let part = 0; part < 8; part += 1) values[at + part] = digest.readUInt32LE(part * 4) / 2 ** 31 - 1;
  }
  return values;
}
