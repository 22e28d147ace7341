import { createHash } from 'node:crypto';
import type { ToldOrigin } from '../origin/contract.ts';
import type { TensorSpec } from '../tensor/contract.ts';
import type { CardDataset, CardDocument, ModelCard } from './contract.ts';
import { spdxOf } from './licence.ts';
import { datasetName, sourcesOf } from './words.ts';

/**
 * The card as an ML-BOM: the same of the same, byte for byte. So there is no time in it, and its serial
 * number follows from what it says. https://cyclonedx.org/docs/1.7/json/
 */
export function cycloneDx(document: CardDocument) {
  const { card, runtime } = document;
  const data = card.datasets.map(dataOf);
  const engine = {
    type: 'library',
    'bom-ref': 'runtime',
    name: runtime.name,
    version: runtime.version,
    ...(runtime.purl !== undefined && { purl: runtime.purl }),
  };
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.7',
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'serverless-models' }] },
      component: modelOf(
        document,
        data.map(({ 'bom-ref': ref }) => ref),
      ),
    },
    components: [engine, ...data],
    dependencies: [
      { ref: MODEL, dependsOn: [engine, ...data].map(({ 'bom-ref': ref }) => ref) },
      ...[engine, ...data].map(({ 'bom-ref': ref }) => ({ ref })),
    ],
  };
  return numbered(bom);
}

/** Its serial number follows from what it says. */
export const numbered = <T extends object>(bom: T): T & { readonly serialNumber: string } => ({
  ...bom,
  serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bom))}`,
});

type Bom = Readonly<Record<string, unknown>>;
type Property = { readonly name: string; readonly value: string };

const MODEL = 'model';
const OURS = 'serverless-models';

function modelOf(document: CardDocument, data: readonly string[]): Bom {
  const { model, card, artifact, origin, signedBy, inputs, outputs } = document;
  const [only, second] = artifact.files;
  const licence = card.licence;
  const purl = origin && purlOf(origin);
  return {
    type: 'machine-learning-model',
    'bom-ref': MODEL,
    name: model,
    version: origin?.version ?? artifact.sha256.slice(0, 12),
    ...(only !== undefined && second === undefined && { hashes: hashesOf(only.sha256) }),
    ...(licence && { licenses: [{ license: licenceOf(licence.value) }] }),
    ...(purl !== undefined && { purl }),
    ...(card.base && { pedigree: { ancestors: [ancestorOf(card.base.value)] } }),
    components: artifact.files.map(({ path, sha256 }, index) => ({
      type: 'file',
      'bom-ref': `file-${index + 1}`,
      name: path,
      hashes: hashesOf(sha256),
    })),
    modelCard: {
      modelParameters: {
        ...(card.task && { task: card.task.value }),
        ...(data.length > 0 && { datasets: data.map((ref) => ({ ref })) }),
        inputs: inputs.map(formatOf),
        outputs: outputs.map(formatOf),
      },
      ...measured(card),
    },
    properties: propertiesOf({
      'artifact:sha256': artifact.sha256,
      'artifact:opset': String(artifact.opset),
      'signed-by': signedBy,
      'origin:at': origin?.at,
      'origin:alias': origin?.alias,
      'origin:run': origin?.run,
      'origin:by': origin?.by,
      'origin:commit': origin?.commit,
      'origin:approval': origin?.approval?.status,
      owner: card.owner?.value,
      'from:task': card.task && sourcesOf(card.task),
      'from:licence': card.licence && sourcesOf(card.licence),
      'from:base': card.base && sourcesOf(card.base),
      ...Object.fromEntries(
        card.metrics.flatMap(({ name, on, value, min }) => {
          const key = on === undefined ? name : `${name} on ${on.value}`;
          return [
            [`from:metric:${key}`, value && sourcesOf(value)],
            [`min:metric:${key}`, min === undefined ? undefined : String(min)],
          ];
        }),
      ),
    }),
  };
}

/** What nobody knows is left out: there is no word for it. */
function measured({ metrics }: ModelCard): Bom {
  const known = metrics.flatMap(({ name, value, on }) =>
    value === undefined
      ? []
      : [{ type: name, value: String(value.value), ...(on !== undefined && { slice: on.value }) }],
  );
  return known.length === 0 ? {} : { quantitativeAnalysis: { performanceMetrics: known } };
}

const dataOf = (dataset: CardDataset, index: number) => ({
  type: 'data',
  'bom-ref': `data-${index + 1}`,
  name: datasetName(dataset),
  ...(dataset.sha256 && { hashes: hashesOf(dataset.sha256.value) }),
  data: [{ type: 'dataset', name: datasetName(dataset) }],
  properties: propertiesOf({
    context: dataset.context,
    file: dataset.file,
    bytes: dataset.bytes === undefined ? undefined : String(dataset.bytes),
    'from:name': dataset.name && sourcesOf(dataset.name),
    'from:sha256': dataset.sha256 ? sourcesOf(dataset.sha256) : 'not known',
    // Over its first rows alone.
    'mlflow-digest': dataset.digest,
  }),
});

const propertiesOf = (values: Readonly<Record<string, string | undefined>>): readonly Property[] =>
  Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: `${OURS}:${name}`, value }],
  );

const hashesOf = (sha256: string) => [{ alg: 'SHA-256', content: sha256 }];

const licenceOf = (licence: string) => {
  const id = spdxOf(licence);
  return id === undefined ? { name: licence } : { id };
};

const formatOf = ({ name, datatype, shape }: TensorSpec) => ({
  format: `${name}: ${datatype} [${shape.join(', ')}]`,
});

/** `hf://org/repo@<commit>`, or whatever it is called. */
function ancestorOf(base: string): Bom {
  const { repo, commit } =
    /^(?:hf:\/\/)?(?<repo>[\w.-]+\/[\w.-]+)(?:@(?<commit>[0-9a-f]{40}))?$/.exec(base)?.groups ?? {};
  const common = { type: 'machine-learning-model', 'bom-ref': 'base' };
  if (repo === undefined) return { ...common, name: base };
  return {
    ...common,
    name: repo,
    ...(commit !== undefined && { version: commit, purl: `pkg:huggingface/${repo}@${commit}` }),
  };
}

/** https://github.com/package-url/purl-spec: `huggingface` and `mlflow`; SageMaker has none. */
const purlOf = ({ from, at, name, version }: ToldOrigin): string | undefined =>
  from === 'sagemaker'
    ? undefined
    : from === 'huggingface'
      ? `pkg:huggingface/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`
      : `pkg:mlflow/${encodeURIComponent(name)}@${encodeURIComponent(version)}${at === undefined ? '' : `?repository_url=${encodeURIComponent(at)}`}`;

/** A UUID of version 8, whose bits are of the maker's choice: RFC 9562. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
