/**
 * The card of a packaged model: its dataset file is hashed, what the artifact and MLflow say is in it, and
 * what does not fit together stops the package.
 */
import { createHash } from 'node:crypto';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CardDocument } from '../../core/card/contract.ts';
import { HTTP_LIMITS } from '../../plugins/models/artifact/fetch/http.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { isProblemError, type Problem } from '../../plugins/models/problems/errors.ts';
import { shipCard } from '../../plugins/models/ship/card.ts';
import { factsOf } from '../../plugins/models/ship/service.ts';
import { type FakeHub, fakeHub } from '../fakes/hub.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import { FIXTURES, modelOf, newService } from './setup.ts';

const service = newService();
const limits = { ...HTTP_LIMITS };
let mlflow: FakeMlflow;
beforeAll(async () => {
  Object.assign(HTTP_LIMITS, { pause: 1 });
  mlflow = await fakeMlflow();
  process.env.MLFLOW_TRACKING_URI = mlflow.address;
  await service.write('models/churn.onnx', await readFile(join(FIXTURES, 'add.onnx')));
  await service.write('data/train.csv', 'age,left\n30,0\n');
});
afterEach(() => mlflow.calm());
afterAll(async () => {
  Object.assign(HTTP_LIMITS, limits);
  delete process.env.MLFLOW_TRACKING_URI;
  await mlflow?.stop();
});

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
async function documentsOf(...models: Model[]): Promise<readonly (CardDocument | undefined)[]> {
  const facts = await factsOf(models, service.context());
  return models.map(({ name }) => facts.get(name)?.card);
}
async function documentOf(card: Model['card'], path = 'models/churn.onnx'): Promise<CardDocument> {
  const [document] = await documentsOf(modelOf(path, card && { card }));
  if (document === undefined) throw new Error('no card');
  return document;
}
async function refused(card: Model['card'], path?: string): Promise<readonly Problem[]> {
  const error: unknown = await documentOf(card, path).catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  return error.problems;
}

describe('the dataset file', () => {
  it('is hashed whole, by streams, and again only where it changed', async () => {
    const sparse = await service.write('data/large.bin', 'begin');
    await truncate(sparse, 64 * 1024 ** 2);
    const before = await documentOf({ dataset: { file: 'data/large.bin' } });
    expect(before.card.datasets).toEqual([
      {
        file: 'data/large.bin',
        bytes: 64 * 1024 ** 2,
        sha256: { value: sha256(await readFile(sparse)), from: ['file'] },
      },
    ]);
    await appendFile(sparse, 'end');
    const after = await documentOf({ dataset: { file: 'data/large.bin' } });
    expect(after.card.datasets[0]?.sha256?.value).toBe(sha256(await readFile(sparse)));
  });

  it('that changed is refused where the card has its sha256, with both', async () => {
    const digest = sha256('age,left\n30,0\n');
    const card = { dataset: { file: 'data/train.csv', sha256: digest } };
    expect((await documentOf(card)).card.datasets[0]?.sha256?.from).toEqual(['card', 'file']);
    await writeFile(service.at('data/train.csv'), 'age,left\n31,0\n');
    expect(await refused(card)).toEqual([
      {
        code: 'MODELS_CARD_DATASET',
        key: 'models.churn.card.dataset.file',
        value: 'data/train.csv',
        message: `has the sha256 ${sha256('age,left\n31,0\n')}, and \`sha256\` of the card is ${digest}: the dataset file changed.`,
        fix: expect.stringContaining('write its sha256'),
      },
    ]);
  });

  it('is one file that is there', async () => {
    expect(await refused({ dataset: { file: 'data/none.csv' } })).toMatchObject([
      { code: 'MODELS_CARD_DATASET', message: 'data/none.csv does not exist.' },
    ]);
    expect(await refused({ dataset: { file: 'data' } })).toMatchObject([{ message: 'data is no file.' }]);
  });

  it('and the artifact of two models may have the same names in other folders', async () => {
    for (const name of ['a', 'b']) {
      await service.write(
        `${name}/model.onnx`,
        await readFile(join(FIXTURES, name === 'a' ? 'add.onnx' : 'scalar.onnx')),
      );
      await service.write(`${name}/train.csv`, name);
    }
    const model = (name: string): Model =>
      modelOf(`${name}/model.onnx`, { name, card: { dataset: { file: `${name}/train.csv` } } });
    const [a, b] = await documentsOf(model('a'), model('b'));
    expect(a?.card.datasets[0]?.sha256?.value).toBe(sha256('a'));
    expect(b?.card.datasets[0]?.sha256?.value).toBe(sha256('b'));
    for (const [found, graph] of [
      [a, 'add.onnx'],
      [b, 'scalar.onnx'],
    ] as const)
      expect(found?.artifact.files).toMatchObject([
        { path: 'model.onnx', sha256: sha256(await readFile(join(FIXTURES, graph))) },
      ]);
  });
});

/** The graph with a metadata property: protobuf takes fields in any order. */
async function withProperty(key: string, value: string): Promise<Buffer> {
  const text = (number: number, said: string): Buffer => {
    const bytes = Buffer.from(said);
    return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  };
  const entry = Buffer.concat([text(1, key), text(2, value)]);
  const graph = await readFile(join(FIXTURES, 'add.onnx'));
  return Buffer.concat([graph, Buffer.from([(14 << 3) | 2, entry.length]), entry]);
}

it('a licence in the artifact is in the card, and contradicts another one', async () => {
  await service.write('models/licensed.onnx', await withProperty('model_license', 'mit'));
  const { card } = await documentOf(undefined, 'models/licensed.onnx');
  expect(card.licence).toEqual({ value: 'MIT', from: ['artifact'] });
  expect(await refused({ licence: 'Apache-2.0' }, 'models/licensed.onnx')).toMatchObject([
    {
      code: 'MODELS_CARD_CONFLICT',
      key: 'models.churn.card.licence',
      value: 'Apache-2.0',
      message: 'is Apache-2.0 by the card, and mit by the artifact.',
    },
  ]);
});

describe('what MLflow knows', () => {
  const path = 'models:/churn@champion';
  beforeAll(async () => {
    const files = {
      MLmodel: mlmodelOf('model.onnx'),
      'model.onnx': await readFile(join(FIXTURES, 'add.onnx')),
    };
    mlflow.alias('churn', 'champion', mlflow.register('churn', files, 0.9134));
    const said = { tags: { license: 'mit' }, logged: { task: 'regression', license: 'gpl-3.0' } };
    mlflow.register('tagged', files, 0.9, said);
  });

  it('are tags, too: those of the version before those of the model that was logged', async () => {
    const { card } = await documentOf({ task: 'Regression' }, 'models:/tagged/1');
    expect(card).toMatchObject({
      licence: { value: 'MIT', from: ['mlflow'] },
      task: { value: 'Regression', from: ['card', 'mlflow'] },
    });
    expect(await refused({ licence: 'Apache-2.0' }, 'models:/tagged/1')).toMatchObject([
      { code: 'MODELS_CARD_CONFLICT', message: 'is Apache-2.0 by the card, and mit by MLflow.' },
    ]);
  });

  it('is in the card with its origin, without a word of ours', async () => {
    const { card, origin } = await documentOf(undefined, path);
    expect(card).toEqual({
      datasets: [
        { name: { value: 'churn-2026-11', from: ['mlflow'] }, context: 'training', digest: 'c222a439' },
      ],
      metrics: [
        {
          name: 'auc',
          value: { value: 0.9134, from: ['mlflow'] },
          on: { value: 'churn-2026-11', from: ['mlflow'] },
        },
      ],
    });
    expect(origin).toMatchObject({ run: expect.any(String), by: 'ann' });
  });

  it('is there where MLflow is not: read once, remembered with the version', async () => {
    await documentOf(undefined, path);
    mlflow.trouble('churn', { kind: 'answers', status: 503, type: 'text/plain', text: 'down' });
    const { card } = await documentOf({ metrics: { auc: { min: 0.9 } } }, path);
    expect(card.metrics).toMatchObject([
      { name: 'auc', value: { value: 0.9134, from: ['mlflow'] }, min: 0.9 },
    ]);
  });

  it('is no other than what the card says, all at once', async () => {
    const problems = await refused(
      {
        dataset: { name: 'churn-2025' },
        metrics: { auc: { value: 0.95, min: 0.96 }, f1: { min: 0.5 } },
      },
      path,
    );
    expect(
      problems.map(({ code, key, message }) => [code, key.replace('models.churn.card.', ''), message]),
    ).toEqual([
      ['MODELS_CARD_CONFLICT', 'dataset.name', 'is churn-2025 by the card, and churn-2026-11 by MLflow.'],
      ['MODELS_CARD_CONFLICT', 'metrics.auc.value', 'is 0.95 by the card, and 0.9134 by MLflow.'],
      ['MODELS_CARD_METRIC', 'metrics.auc.min', 'is 0.96, and auc is 0.95 on churn-2026-11 by the card.'],
      [
        'MODELS_CARD_METRIC',
        'metrics.f1.min',
        'is 0.5, and nobody knows f1: neither the card nor the source of the artifact has a value.',
      ],
    ]);
  });
});

describe('what Hugging Face knows', () => {
  const commit = '0123456789abcdef'.repeat(3).slice(0, 40);
  const path = `hf://org/tiny@${commit}/onnx/model.onnx`;
  let hub: FakeHub;
  beforeAll(async () => {
    hub = await fakeHub('org/tiny', commit);
    process.env.HF_ENDPOINT = hub.address;
    hub.put('onnx/model.onnx', await readFile(join(FIXTURES, 'add.onnx')));
  });
  afterAll(async () => {
    delete process.env.HF_ENDPOINT;
    await hub?.stop();
  });

  it.each([
    [{}, undefined, {}],
    [
      { license: 'apache-2.0', base_model: 'org/big' },
      'text-classification',
      {
        licence: { value: 'Apache-2.0', from: ['huggingface'] },
        base: { value: 'org/big', from: ['huggingface'] },
        task: { value: 'text-classification', from: ['huggingface'] },
      },
    ],
    [
      { license: 'other', license_name: 'llama3', base_model: ['org/a', 'org/b'] },
      undefined,
      {
        licence: { value: 'llama3', from: ['huggingface'] },
        base: { value: 'org/a', from: ['huggingface'] },
      },
    ],
    // What is of another form is left out.
    [{ license: ['mit'], base_model: { a: 1 } }, undefined, {}],
  ] as const)('of the head %j', async (head, task, expected) => {
    hub.describe(head, task);
    expect((await documentOf(undefined, path)).card).toEqual({ datasets: [], metrics: [], ...expected });
  });

  it('is no other than what the card says', async () => {
    hub.describe({ license: 'mit', base_model: 'org/big' });
    const found = await refused({ licence: 'Apache-2.0', base: `hf://org/other@${commit}` }, path);
    expect(found.map(({ key }) => key)).toEqual(['models.churn.card.licence', 'models.churn.card.base']);
  });
});

it('a metric that nobody knows is the gate’s to measure', async () => {
  await service.write('l.csv', `a_0,a_1,a_2,b,label\n${'1,2,3,4,2\n'.repeat(40)}`);
  const card = { metrics: { accuracy: { min: 0.5 } } };
  const metric = { cases: 'l.csv', name: 'accuracy', label: 'label', min: 0.5, onNoData: 'refuse' } as const;
  const artifact = await readArtifact(
    'models/churn.onnx',
    { ...service.context(), key: 'models.churn.artifact' },
    () => {},
  );
  const cardOf = (model: Model) => shipCard(model, artifact, service.context());
  const measuring = modelOf('models/churn.onnx', { card, gate: { tolerance: 0, metric } });
  expect((await cardOf(measuring)).metrics).toEqual([{ name: 'accuracy', min: 0.5 }]);
  const other = modelOf('models/churn.onnx', {
    card,
    gate: { tolerance: 0, metric: { ...metric, name: 'auc' } },
  });
  await expect(cardOf(other)).rejects.toThrow(/nobody knows accuracy.*let `gate\.metric` measure it/);
  // A least loss is nothing that the gate holds it to.
  const least = modelOf('models/churn.onnx', {
    card: { metrics: { logLoss: { min: 0.1 } } },
    gate: {
      tolerance: 0,
      metric: { cases: 'l.csv', name: 'logLoss', label: 'label', max: 0.4, onNoData: 'refuse' },
    },
  });
  const error: unknown = await cardOf(least).catch((reason: unknown) => reason);
  expect(isProblemError(error) && error.problems).toMatchObject([
    {
      code: 'MODELS_CARD_METRIC',
      key: 'models.churn.card.metrics.logLoss.min',
      fix: expect.stringContaining('`gate.metric.max`'),
    },
  ]);
});

it('a card changes nothing of what a version is', async () => {
  const facts = async (card?: Model['card']) => {
    const found = await factsOf([modelOf('models/churn.onnx', card && { card })], service.context());
    const { identity, zipBytes, source } = found.get('churn') ?? {};
    return { identity, zipBytes, source };
  };
  expect(await facts({ licence: 'MIT', owner: 'ann', metrics: { auc: { value: 1 } } })).toEqual(
    await facts(),
  );
});
