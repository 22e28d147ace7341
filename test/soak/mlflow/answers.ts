import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAws } from '../../../local-aws/start.ts';
import { deployService } from '../../journeys/service.ts';
import { runWarm } from '../../warm-sls.ts';

/** What models.py leaves: what MLflow itself answers about some rows. */
type Answers = {
  readonly rows: readonly (readonly number[])[];
  /** By model and output, by the graph in MLflow's own wrapper. */
  readonly graphs: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
  /** By model, by the flavor that the graph was exported from: labels, or numbers. */
  readonly flavors: Readonly<Record<string, readonly unknown[]>>;
};
type Output = { readonly name: string; readonly shape: readonly number[]; readonly data: readonly number[] };

/** On a busy machine a deploy takes minutes, and nothing is wrong with it. */
const COMMAND_MS = 1_200_000;

/** Trees in float32 and in float64 differ where a value lies on a threshold's last digit. */
const NEAR = 1e-4;

/**
 * Deploys models of MLflow to a local AWS, and asks them about the rows that MLflow has answered.
 *
 * @param folder where models.py left its answers @param address of MLflow
 * @returns how many values were compared
 */
export async function answersAreMlflows(folder: string, address: string): Promise<number> {
  const { rows, graphs, flavors }: Answers = JSON.parse(await readFile(join(folder, 'answers.json'), 'utf8'));
  const names = Object.keys(graphs);
  const aws = await startAws();
  const before = process.env.MLFLOW_TRACKING_URI;
  process.env.MLFLOW_TRACKING_URI = address;
  try {
    const models = names.map((name) => `  ${name}: {artifact: 'models:/${name}/1'}\n`).join('');
    const service = await deployService(
      { yaml: `service: shop\nplugins: [serverless-models]\nprovider: {name: aws}\nmodels:\n${models}` },
      aws,
      undefined,
      undefined,
      (command) => runWarm({ ...command, timeout: COMMAND_MS }),
    );
    let compared = 0;
    for (const name of names) {
      const input = await inputOf(service, name);
      const tensor = { name: input, datatype: 'FP32', shape: [rows.length, 4], data: rows.flat() };
      const { answer } = await service.invoke(name, { inputs: [tensor] });
      const { outputs = [] } = answer as { readonly outputs?: readonly Output[] };
      if (outputs.length === 0) throw new Error(`${name} answers ${JSON.stringify(answer)}`);
      for (const { name: output, data } of outputs)
        compared += equal(`${name}.${output}`, data, graphs[name]?.[output]);
      compared += equal(`${name}, as its flavor`, outputs[0]?.data, flavors[name]);
    }
    await service.remove();
    return compared;
  } finally {
    if (before === undefined) delete process.env.MLFLOW_TRACKING_URI;
    else process.env.MLFLOW_TRACKING_URI = before;
    await aws.stop();
  }
}

/** The name that the exporter gave its one input. */
async function inputOf(
  service: { sls(...args: string[]): Promise<{ readonly stdout: string }> },
  model: string,
): Promise<string> {
  const { stdout } = await service.sls('models', 'list', '--json');
  const listed: readonly { readonly name: string; readonly inputs: readonly { readonly name: string }[] }[] =
    JSON.parse(stdout);
  return listed.find(({ name }) => name === model)?.inputs[0]?.name ?? '';
}

function equal(
  what: string,
  ours: readonly unknown[] | undefined,
  theirs: readonly unknown[] | undefined,
): number {
  const [a, b] = [(ours ?? []).flat(9).map(Number), (theirs ?? []).flat(9).map(Number)];
  const first = a.findIndex((value, index) => !(Math.abs(value - (b[index] ?? Number.NaN)) <= NEAR));
  if (a.length === 0 || a.length !== b.length || first >= 0)
    throw new Error(`${what}: ${a.length} values and ${b.length}, ${a[first]} and ${b[first]} at ${first}`);
  return a.length;
}
