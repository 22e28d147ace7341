/**
 * `node told.ts`: what declaration, JSON Schema and docs say of the formats of the copy that it lies in, as
 * JSON.
 */
import { z } from 'zod';
import { folderOf, partKey } from '../../../../core/batch/job.ts';
import { optionTable } from '../../../../plugins/models/declaration/options.ts';
import { parseModels } from '../../../../plugins/models/declaration/parse.ts';
import { declaration } from '../../../../plugins/models/declaration/schema.ts';
import { formatTable } from '../../docs/formats.ts';
import { ENTRY } from '../batch/scene.ts';

export type Told = {
  readonly formats: readonly (readonly [string, string])[];
  readonly problems: readonly string[];
  readonly schema: string;
  readonly options: string;
  readonly docs: string;
  readonly part: string;
};

const place = { output: 's3://scored/x/' };
const { models, problems } = parseModels({
  bySuffix: { artifact: 'm.onnx', batch: [{ input: 's3://incoming/x/*.NOOP', ...place }] },
  byName: {
    artifact: 'm.onnx',
    batch: [{ input: 's3://incoming/x/', format: 'csv', outputFormat: 'noop', ...place }],
    drift: { baseline: 'data/reference.noop' },
  },
});
if (problems.length > 0) throw new Error(JSON.stringify(problems));
const wrong = parseModels({
  churn: {
    artifact: 'm.onnx',
    batch: [{ input: 's3://incoming/x/', format: 'xlsx', ...place }],
    drift: { baseline: 'data/reference.xlsx' },
  },
});
const told: Told = {
  formats: models.flatMap(({ batch }) =>
    (batch?.entries ?? []).map(({ format, outputFormat }) => [format, outputFormat] as const),
  ),
  problems: wrong.problems.map(({ key, fix }) => `${key}: ${fix}`),
  schema: JSON.stringify(z.toJSONSchema(declaration, { io: 'input', unrepresentable: 'any' })),
  options: optionTable(),
  docs: formatTable(),
  part: partKey(
    folderOf({ model: 'm', identity: 'i', object: { bucket: 'b', key: 'k', etag: 'e' } }, ENTRY),
    { part: 0, number: 0 },
    'noop',
  ),
};
console.log(JSON.stringify(told));
