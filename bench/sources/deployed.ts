import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { filesBelow, sha256Of } from '../../plugins/models/disk/files.ts';
import { shipModel, unpack } from '../../plugins/models/ship/ship.ts';
import { fakeMlflow, mlmodelOf } from '../../test/fakes/mlflow.ts';
import { models, progress } from '../stage.ts';

/**
 * Ships one model from a file and from MLflow, by the fake of the tests: that the files of MLflow's own
 * server are those that its client brings is looked at where both are timed.
 *
 * @returns how many files of the zips differ, by path or content
 */
export async function filesThatDiffer(): Promise<number> {
  const serviceDir = await mkdtemp(join(tmpdir(), 'bench-deployed-'));
  const mlflow = await fakeMlflow();
  const before = process.env.MLFLOW_TRACKING_URI;
  try {
    process.env.MLFLOW_TRACKING_URI = mlflow.address;
    const graph = join(await models(), 'logreg.onnx');
    await copyFile(graph, join(serviceDir, 'logreg.onnx'));
    const files = { MLmodel: mlmodelOf('model.onnx'), 'model.onnx': await readFile(graph) };
    mlflow.alias('logreg', 'champion', mlflow.register('logreg', files));
    const ours = await deployed(serviceDir, 'models:/logreg@champion', 'registry');
    const other = await deployed(serviceDir, 'logreg.onnx', 'file');
    if (ours.size === 0 || ![...ours.keys()].some((path) => path.endsWith('.onnx')))
      throw new Error('Nothing was packaged.');
    const paths = new Set([...ours.keys(), ...other.keys()]);
    return [...paths].filter((path) => ours.get(path) !== other.get(path)).length;
  } finally {
    if (before === undefined) delete process.env.MLFLOW_TRACKING_URI;
    else process.env.MLFLOW_TRACKING_URI = before;
    await mlflow.stop();
    await rm(serviceDir, { recursive: true, force: true });
  }
}

/** sha256 by path of all that the function's zip holds. */
async function deployed(
  serviceDir: string,
  artifact: string,
  name: string,
): Promise<ReadonlyMap<string, string>> {
  const { models: parsed, problems } = parseModels({ logreg: { artifact } });
  const [model] = parsed;
  if (model === undefined) throw new Error(JSON.stringify(problems));
  const { content } = await shipModel(model, { serviceDir, outDir: join(serviceDir, name), progress });
  const folder = join(serviceDir, `${name}-unpacked`);
  await unpack(content, folder);
  const files = await filesBelow(folder);
  return new Map(
    await Promise.all(files.map(async ({ path, from }) => [path, await sha256Of(from)] as const)),
  );
}
