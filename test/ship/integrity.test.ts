import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { cp, mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { find, privateCopy } from '../../plugins/models/artifact/copy.ts';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import type { ShipContext } from '../../plugins/models/contracts/ship-context.ts';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { digestOf } from '../../plugins/models/disk/files.ts';
import { shipHere } from '../../plugins/models/serve/shipped.ts';
import { shipModel } from '../../plugins/models/ship/ship.ts';
import { buildLayer } from '../../plugins/models/targets/lambda-zip/layer-build.ts';
import {
  externalTensor,
  FLOAT,
  node,
  modelOf as onnx,
  tensorInfo,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { unzip } from '../unzip.ts';
import { FIXTURES, invoke, modelOf, newService, problemOf, unpacked } from './setup.ts';

const service = newService();

/** 1.05 MB of weights, so that they get a file of their own when optimised; each is `weight`. */
const WIDTH = 512;
const weightsOf = (weight: number): Buffer =>
  Buffer.from(new Float32Array(WIDTH * WIDTH).fill(weight).buffer);
const graph = onnx({
  nodes: [node('MatMul', ['x', 'w'], ['y'])],
  inputs: [tensorInfo('x', FLOAT, ['n', WIDTH])],
  outputs: [tensorInfo('y', FLOAT, ['n', WIDTH])],
  initializers: [externalTensor('w', [WIDTH, WIDTH], 'w.bin')],
});
const ask = {
  inputs: [{ name: 'x', shape: [1, WIDTH], datatype: 'FP32', data: new Array(WIDTH).fill(1) }],
};

async function folderOf(name: string, weight: number): Promise<string> {
  await service.write(`${name}/model.onnx`, graph);
  return service.write(`${name}/w.bin`, weightsOf(weight));
}

/** What the packaged function answers to ones, divided by their number: the weight that it has. */
async function weightIn(dir: string): Promise<number> {
  const [answer] = (await invoke(dir, ask)).outputs;
  return Number(answer?.data[0]) / WIDTH;
}

async function weightShipped(model: Model, context: ShipContext): Promise<number> {
  const shipped = await shipModel(model, context);
  const dir = await unpacked(shipped);
  // The zip is what is deployed, and the folder what `serve` runs.
  for (const [path, content] of Object.entries(await unzip(shipped.zip ?? ''))) {
    expect((await readFile(join(dir, path))).equals(content)).toBe(true);
  }
  return weightIn(dir);
}

describe('an artifact that is written to while it is packaged', () => {
  /** Runs `change` once it was read, before it is optimised. */
  const whenRead = (change: () => void) =>
    service.context({
      progress: (text) => {
        if (text?.startsWith('Optimising') === true) change();
      },
    });

  it.each([
    ['in place', 11, (path: string, weight: number) => writeFileSync(path, weightsOf(weight))],
    [
      'by another file under its name',
      12,
      (path: string, weight: number) => {
        writeFileSync(`${path}.new`, weightsOf(weight));
        renameSync(`${path}.new`, path);
      },
    ],
    ['and taken away', 13, (path: string) => rmSync(path)],
  ])('%s is packaged as it was, and so it is the next time', async (name, weight, write) => {
    const path = await folderOf(name, weight);
    const model = modelOf(name);
    let changes = 0;
    const changing = whenRead(() => {
      changes += 1;
      write(path, 2 * weight);
    });
    expect(await weightShipped(model, changing)).toBe(weight);
    expect(changes).toBe(1);
    await writeFile(path, weightsOf(weight));
    expect(await weightShipped(model, service.context())).toBe(weight);
    await writeFile(path, weightsOf(2 * weight));
    expect(await weightShipped(model, service.context())).toBe(2 * weight);
  });

  it('is the same for `serve`, which runs what was read', async () => {
    const path = await folderOf('served', 3);
    const outDir = service.at('serving');
    const changing = whenRead(() => writeFileSync(path, weightsOf(4)));
    const { dir, facts } = await shipHere(modelOf('served'), { ...changing, outDir });
    expect(await weightIn(dir)).toBe(3);
    // What watches the file ships it again.
    const next = await shipHere(modelOf('served'), service.context({ outDir: service.at('serving-2') }));
    expect(await weightIn(next.dir)).toBe(4);
    expect(next.facts.identity).not.toBe(facts.identity);
  });

  it('is what it was without optimisation, too', async () => {
    const path = await folderOf('plain', 5);
    const model = modelOf('plain', { optimize: false });
    const shipped = await shipModel(model, service.context());
    writeFileSync(path, weightsOf(6));
    expect(await weightIn(await unpacked(shipped))).toBe(5);
  });

  it('is refused while it is only half read', async () => {
    const [one, two] = [await service.write('half/a', 'one'), await service.write('half/b', 'two')];
    const found = [await find('model.onnx', one), await find('w.bin', two)];
    expect(await privateCopy(found, digestOf(found))).toBeDefined();
    // Both copies are in the cache, and yet the weights may go with another graph.
    await writeFile(two, 'TWO');
    expect(await privateCopy(found, digestOf(found))).toBeUndefined();
    const again = [found[0], await find('w.bin', two)].filter((file) => file !== undefined);
    await writeFile(two, 'six');
    expect(await privateCopy(again, digestOf(again))).toBeUndefined();
    rmSync(two);
    expect(await privateCopy(again, digestOf(again))).toBeUndefined();
    expect(await readdir(cacheFolder('sources'))).not.toContain(digestOf(again).slice(0, 32));
  });

  it('is refused while a training job writes to it all the time, and packaged once that ends', async () => {
    const path = await folderOf('trained', 9);
    const program = `const { openSync, writeSync } = require('node:fs');
      const file = openSync(process.argv[1], 'r+');
      const weights = Buffer.from(new Float32Array(${WIDTH * WIDTH}).fill(9).buffer);
      let at = 0;
      const step = () => {
        writeSync(file, weights, at, 4096, at);
        at = (at + 4096) % weights.length;
        setImmediate(step);
      };
      step();
      process.send('written');`;
    const job = spawn(process.execPath, ['-e', program, path], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    try {
      await once(job, 'message');
      expect(await problemOf(shipModel(modelOf('trained'), service.context()))).toMatch(
        /models\.churn\.artifact: trained was changed while it was read\..*MODELS_ARTIFACT_CHANGED/,
      );
    } finally {
      job.kill('SIGKILL');
      await once(job, 'exit');
    }
    expect(await weightShipped(modelOf('trained'), service.context())).toBe(9);
  });

  it('has the transform that its identity names', async () => {
    await mkdir(service.at('worded'), { recursive: true });
    await cp(join(FIXTURES, 'add.onnx'), service.at('worded', 'model.onnx'));
    const transform = (
      word: string,
    ) => `export const post = () => ({ sum: { datatype: 'BYTES', shape: [1], data: ['${word}'] } });
      export const outputs = [{ name: 'sum', datatype: 'BYTES', shape: [1] }];`;
    const path = await service.write('worded/transform.ts', transform('before'));
    const changing = whenRead(() => writeFileSync(path, transform('after')));
    const shipped = await shipModel(modelOf('worded'), changing);
    const { outputs } = await invoke(await unpacked(shipped), {
      inputs: [
        { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
        { name: 'b', shape: [1, 1], datatype: 'FP32', data: [0.5] },
      ],
    });
    expect(outputs[0]?.data).toEqual(['before']);
  });

  it('has the reference data that its baseline names, or is refused', async () => {
    await cp(join(FIXTURES, 'logreg.onnx'), service.at('watched.onnx'));
    const row = (at: number) => Array.from({ length: 30 }, (_, i) => ((at * 7 + i * 3) % 23) / 10).join();
    const csv = (rows: number) => Array.from({ length: rows }, (_, at) => row(at)).join('\n');
    const path = await service.write('reference.csv', csv(400));
    const drift = {
      baseline: 'reference.csv',
      window: 3600,
      budget: 1,
      effect: 0.1,
      outputs: { expectedShift: 0 },
      sample: 1,
    };
    const model = modelOf('watched.onnx', { drift });
    const changing = service.context({
      progress: (text) => {
        if (text?.includes('the model runs on its rows') === true) writeFileSync(path, csv(500));
      },
    });
    expect(await problemOf(shipModel(model, changing))).toMatch(
      /reference\.csv: It was changed while it was read\..*MODELS_REFERENCE/,
    );
    const { facts } = await shipModel(model, service.context());
    expect(facts.drift?.rows).toBe(500);
  });
});

describe('a file of the cache with other bytes', () => {
  /** 4 kB of zeros in the middle: what crashes of a machine, bad disks and restored caches leave. */
  async function damage(path: string): Promise<void> {
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    await file.write(
      Buffer.alloc(Math.min(4096, size)),
      0,
      undefined,
      Math.floor(Math.max(0, size - 4096) / 2),
    );
    await file.close();
  }
  const filesOf = async (room: string, name: string): Promise<readonly string[]> =>
    (await readdir(cacheFolder(room), { recursive: true }))
      .filter((path) => path.split('/').at(-1) === name)
      .map((path) => cacheFolder(room, path));

  it.each([
    ['sources', 'w.bin'],
    ['optimised', 'model.bin'],
    ['zips', 'function.zip'],
    ['zips', 'handler.mjs'],
    ['inspections', 'inspection.json'],
  ])('is not used: %s, %s', async (room, name) => {
    const weight = 7;
    await folderOf('damaged', weight);
    const model = modelOf('damaged');
    const context = service.context();
    const first = await shipModel(model, context);
    const before = await readFile(first.zip ?? '');
    const paths = await filesOf(room, name);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) await damage(path);
    expect(await weightShipped(model, context)).toBe(weight);
    expect((await readFile(first.zip ?? '')).equals(before)).toBe(true);
  });

  it('is not used: the layer', async () => {
    const { zip } = await buildLayer(onnxFormat.runtime, 'x86_64');
    const before = await readFile(zip);
    await damage(zip);
    const again = await buildLayer(onnxFormat.runtime, 'x86_64');
    expect((await readFile(again.zip ?? '')).equals(before)).toBe(true);
  });

  it('does not come from the package, whose files are its own', async () => {
    await folderOf('edited', 8);
    const model = modelOf('edited');
    const shipped = await shipModel(model, service.context());
    const before = await readFile(shipped.zip ?? '');
    expect((await stat(shipped.zip ?? '')).nlink).toBe(1);
    const dir = await unpacked(shipped);
    for (const path of await readdir(dir, { recursive: true })) {
      if ((await stat(join(dir, path))).isFile()) expect((await stat(join(dir, path))).nlink).toBe(1);
    }
    await damage(shipped.zip ?? '');
    const again = await shipModel(model, service.context());
    expect((await readFile(again.zip ?? '')).equals(before)).toBe(true);
  });
});
