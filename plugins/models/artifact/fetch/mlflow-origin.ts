import { fieldIn, listIn, textIn } from '../../../../core/json/fields.ts';
import type { ArtifactOrigin, OriginDataset, OriginMetric } from '../../../../core/origin/contract.ts';

/** What answers of MLflow's say of a version; what is of another shape is left out. */

export type MlflowVersion = {
  readonly name: string;
  readonly version: string;
  readonly status: string;
  readonly run?: string;
  /** Id of the logged model, `m-…`: a version from before MLflow 3 has none. */
  readonly model?: string;
  /** What people say of it. */
  readonly tags: readonly unknown[];
  /** When it was registered: a server that was made anew counts its versions from 1 again. */
  readonly created: string;
};

/** @returns undefined where the answer is no version */
export function versionIn(answer: unknown): MlflowVersion | undefined {
  const found = fieldIn(answer, 'model_version');
  const [name, version] = [textIn(found, 'name'), textIn(found, 'version')];
  if (name === undefined || version === undefined) return undefined;
  const run = textIn(found, 'run_id');
  const model = /^models:\/(m-[0-9a-f]+)$/.exec(textIn(found, 'source') ?? '')?.[1];
  return {
    name,
    version,
    // Servers that do not tell it have it ready.
    status: textIn(found, 'status') ?? 'READY',
    tags: listIn(found, 'tags'),
    created: String(fieldIn(found, 'creation_timestamp') ?? ''),
    ...(run !== undefined && { run }),
    ...(model !== undefined && { model }),
  };
}

/**
 * @param run answer to `runs/get`; undefined where it could not be read
 * @param model answer to `logged-models/…`: only there a metric knows its dataset
 */
export function originOf(
  version: MlflowVersion,
  at: string,
  alias: string | undefined,
  run: unknown,
  model: unknown,
): ArtifactOrigin {
  const ran = fieldIn(run, 'run');
  const by =
    textIn(tagIn(listIn(fieldIn(ran, 'data'), 'tags'), 'mlflow.user'), 'value') ??
    textIn(fieldIn(ran, 'info'), 'user_id');
  const datasets = listIn(fieldIn(ran, 'inputs'), 'dataset_inputs').flatMap(datasetIn);
  const logged = fieldIn(model, 'model');
  const ofModel = listIn(fieldIn(logged, 'data'), 'metrics');
  const metrics = latest(ofModel.length > 0 ? ofModel : listIn(fieldIn(ran, 'data'), 'metrics')).flatMap(
    metricIn,
  );
  // What is closest to the version counts.
  const tags = [version.tags, listIn(fieldIn(logged, 'info'), 'tags'), listIn(fieldIn(ran, 'data'), 'tags')];
  const tagged = (...keys: readonly string[]): string | undefined =>
    tags.flatMap((some) => keys.flatMap((key) => textIn(tagIn(some, key), 'value') ?? []))[0];
  const [licence, task, base] = [tagged('license', 'licence'), tagged('task'), tagged('base_model')];
  return {
    from: 'mlflow',
    at,
    name: version.name,
    version: version.version,
    ...(alias !== undefined && { alias }),
    ...(version.run !== undefined && { run: version.run }),
    ...(by !== undefined && { by }),
    ...(licence !== undefined && { licence }),
    ...(task !== undefined && { task }),
    ...(base !== undefined && { bases: [base] }),
    ...(datasets.length > 0 && { datasets }),
    ...(metrics.length > 0 && { metrics }),
  };
}

const tagIn = (tags: readonly unknown[], key: string): unknown =>
  tags.find((tag) => textIn(tag, 'key') === key);

function datasetIn(input: unknown): readonly OriginDataset[] {
  const name = textIn(fieldIn(input, 'dataset'), 'name');
  const digest = textIn(fieldIn(input, 'dataset'), 'digest');
  const context = textIn(tagIn(listIn(input, 'tags'), 'mlflow.data.context'), 'value');
  if (name === undefined) return [];
  return [{ name, ...(digest !== undefined && { digest }), ...(context !== undefined && { context }) }];
}

/** The last value of each metric on each dataset: one that is logged again has a value a step. */
function latest(metrics: readonly unknown[]): readonly unknown[] {
  const time = (metric: unknown, name: string): number => Number(fieldIn(metric, name) ?? 0);
  const found = new Map<string, unknown>();
  for (const metric of metrics) {
    const key = JSON.stringify([textIn(metric, 'key'), textIn(metric, 'dataset_name')]);
    const before = found.get(key);
    const later =
      time(metric, 'step') - time(before, 'step') || time(metric, 'timestamp') - time(before, 'timestamp');
    if (before === undefined || later >= 0) found.set(key, metric);
  }
  return [...found.values()];
}

function metricIn(metric: unknown): readonly OriginMetric[] {
  const [name, value] = [textIn(metric, 'key'), fieldIn(metric, 'value')];
  const dataset = textIn(metric, 'dataset_name');
  if (name === undefined || typeof value !== 'number' || !Number.isFinite(value)) return [];
  return [{ name, value, ...(dataset !== undefined && { dataset }) }];
}
