import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { startAws } from '../../local-aws/start.ts';
import { UNZIPPED_BYTES } from '../../plugins/models/targets/lambda-zip/size.ts';
import { everythingLeft, prepareService } from '../journeys/service.ts';
import {
  externalTensor,
  FLOAT,
  modelOf,
  node,
  tensorInfo,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';

/**
 * Floats in a row and in a column of the weights: 321 MB, beyond the 250 MB that a function and its layers
 * may have.
 */
export const LARGE = 8960;
/** A hundredth of it, which fits into the function's zip. */
export const HUNDREDTH_OF_LARGE = LARGE / 10;
const SERVICE = `service: large
plugins: [serverless-models]
provider: {name: aws}
models:
  wide: {artifact: wide, memory: 4096, timeout: 60}
`;

/** Different in each row and column, and exact in a float. */
const weight = (row: number, column: number): number => (((row * 31 + column * 17) % 64) - 32) / 64;

/**
 * A model x · W, deployed with the real `sls deploy` to the local AWS. Beyond the zip limit its weights go by
 * the bucket and are read when the function starts. Its answer is held against the same product computed
 * here.
 * @param size rows and columns of W
 */
export async function largeArtifact(size: number): Promise<string> {
  const aws = await startAws();
  try {
    const before = await everythingLeft(aws);
    const service = await prepareService({ yaml: SERVICE }, aws);
    try {
      await writeModel(join(service.dir, 'wide'), size);
      const began = performance.now();
      const { invoke, logs, printed } = await service.deploy();
      const seconds = (performance.now() - began) / 1000;
      const { stdout } = await service.sls('models', 'list', '--json');
      const [facts] = JSON.parse(stdout) as { identity: string; remote: { bytes: number }[] }[];
      const bytes = (facts?.remote ?? []).reduce((sum, file) => sum + file.bytes, 0);
      const weights = size * size * Float32Array.BYTES_PER_ELEMENT;
      if (weights > UNZIPPED_BYTES ? bytes < weights : bytes > 0)
        throw new Error(`${bytes} bytes of ${weights} went by the bucket:\n${printed.stdout}`);

      const at = [3, 100, size - 1];
      const data = new Array<number>(size).fill(0);
      for (const row of at) data[row] = row % 7;
      const request = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, size], data }] };
      const cold = await invoke('wide', request);
      await rm(join('/tmp', `model-${facts?.identity}`), { recursive: true, force: true });
      const answer = cold.answer as { outputs?: { data: number[] }[] };
      const [output] = answer.outputs ?? [];
      const expected = Array.from({ length: size }, (_, column) =>
        at.reduce((sum, row) => sum + (row % 7) * weight(row, column), 0),
      );
      const largest = Math.max(
        ...expected.map((value, i) => Math.abs(value - (output?.data[i] ?? Number.NaN))),
      );
      if (!(largest <= 1e-5))
        throw new Error(`differs by ${largest}: ${JSON.stringify(answer).slice(0, 300)}`);
      // The gate was the first to ask.
      const log = (await logs('wide')).join('\n');
      const init = Number(/Init Duration: ([\d.]+) ms/.exec(log)?.[1]) / 1000;
      if (!(init > 0)) throw new Error(`no start in the log:\n${log}`);

      // What did not change is neither optimised nor uploaded again.
      const again = performance.now();
      await service.deploy();
      const unchanged = (performance.now() - again) / 1000;
      await service.remove();
      const left = (await everythingLeft(aws)).filter((line) => !before.includes(line));
      if (left.length > 0) throw new Error(`left after sls remove: ${left.join(', ')}`);
      return `${(weights / 1e6).toFixed(0)} MB, deployed in ${seconds.toFixed(1)} s, again in ${unchanged.toFixed(1)} s, started in ${init.toFixed(2)} s, largest difference ${largest}`;
    } finally {
      await rm(service.dir, { recursive: true, force: true });
    }
  } finally {
    await aws.stop();
  }
}

async function writeModel(folder: string, size: number): Promise<void> {
  await mkdir(folder);
  await writeFile(
    join(folder, 'model.onnx'),
    modelOf({
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      inputs: [tensorInfo('x', FLOAT, ['n', size])],
      outputs: [tensorInfo('y', FLOAT, ['n', size])],
      initializers: [externalTensor('w', [size, size], 'w.bin')],
    }),
  );
  const file = createWriteStream(join(folder, 'w.bin'));
  for (let row = 0; row < size; row += 1) {
    const values = Float32Array.from({ length: size }, (_, column) => weight(row, column));
    if (!file.write(new Uint8Array(values.buffer))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
