import { describe, expect, it } from 'vitest';
import type { DeclaredCard } from '../../../../core/card/contract.ts';
import { type CardKnown, mergeCard } from '../../../../core/card/merge.ts';
import { metricsNotKnown } from '../../../../core/card/metrics.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';

/** A card is what the declaration says with what others know, each value with who says it. */

const MLFLOW: ArtifactOrigin = { from: 'mlflow', at: 'http://mlflow', name: 'churn', version: '3' };
const HUB: ArtifactOrigin = {
  from: 'huggingface',
  at: 'https://hub',
  name: 'org/x',
  version: 'a'.repeat(40),
};

const card = (given: DeclaredCard, known: CardKnown = {}) => mergeCard(given, known).card;
const faults = (given: DeclaredCard, known: CardKnown = {}) =>
  mergeCard(given, known).faults.map(({ key, message }) => `${key}: ${message}`);

describe('texts', () => {
  it('are the card’s, the source’s, or of both', () => {
    const given = { licence: 'Apache-2.0', owner: 'ann', task: 'Text Classification' };
    const origin = { ...HUB, licence: 'apache-2.0', task: 'text-classification', bases: ['org/big'] };
    expect(card(given, { origin, artifact: { licence: 'Apache-2.0' } })).toEqual({
      licence: { value: 'Apache-2.0', from: ['card', 'huggingface', 'artifact'] },
      owner: { value: 'ann', from: ['card'] },
      task: { value: 'Text Classification', from: ['card', 'huggingface'] },
      base: { value: 'org/big', from: ['huggingface'] },
      datasets: [],
      metrics: [],
    });
    expect(faults(given, { origin })).toEqual([]);
  });

  it('are no two: who says which, and where to correct it', () => {
    const origin = { ...MLFLOW, licence: 'MIT', task: 'regression' };
    const { faults: found } = mergeCard({ licence: 'Apache-2.0', task: 'ranking' }, { origin });
    expect(found).toEqual([
      {
        kind: 'conflict',
        key: 'task',
        value: 'ranking',
        message: 'is ranking by the card, and regression by MLflow.',
        fix: 'Write `task` as MLflow has it, leave it out, or correct it there.',
      },
      {
        kind: 'conflict',
        key: 'licence',
        value: 'Apache-2.0',
        message: 'is Apache-2.0 by the card, and MIT by MLflow.',
        fix: 'Write `licence` as MLflow has it, leave it out, or correct it there.',
      },
    ]);
  });

  it('of others differ, too, without a word of the card', () => {
    expect(faults({}, { origin: { ...HUB, licence: 'apache-2.0' }, artifact: { licence: 'MIT' } })).toEqual([
      'licence: is apache-2.0 by Hugging Face, and MIT by the artifact.',
    ]);
  });

  it('of an artifact that are no identifier are told where nobody else says any, and contradict nobody', () => {
    const artifact = { licence: 'See the file LICENSE' };
    expect(card({}, { artifact }).licence).toEqual({ value: 'See the file LICENSE', from: ['artifact'] });
    expect(faults({ licence: 'MIT' }, { artifact })).toEqual([]);
    // An exporter that knows none may write the property all the same.
    for (const licence of ['', ' \n']) expect(card({}, { artifact: { licence } }).licence).toBeUndefined();
  });

  it('name one base in several forms, of several', () => {
    const origin = { ...HUB, bases: ['org/other', 'Org/Big'] };
    const base = `hf://org/big@${'a'.repeat(40)}`;
    expect(card({ base }, { origin }).base).toEqual({ value: base, from: ['card', 'huggingface'] });
    expect(faults({ base }, { origin })).toEqual([]);
    expect(faults({ base: 'org/none' }, { origin })).toEqual([
      'base: is org/none by the card, and org/other by Hugging Face.',
    ]);
  });
});

describe('datasets', () => {
  const origin: ArtifactOrigin = {
    ...MLFLOW,
    datasets: [
      { name: 'churn-eval', digest: '00000001', context: 'evaluation' },
      { name: 'churn-train', digest: '9766b1a6', context: 'training' },
    ],
  };
  const data = { sha256: 'a'.repeat(64), bytes: 12 };

  it('are MLflow’s where the card says none, the training data first; its digest is no hash', () => {
    expect(card({}, { origin }).datasets).toEqual([
      { name: { value: 'churn-train', from: ['mlflow'] }, context: 'training', digest: '9766b1a6' },
      { name: { value: 'churn-eval', from: ['mlflow'] }, context: 'evaluation', digest: '00000001' },
    ]);
  });

  it('are the file that was hashed, called as MLflow calls the training data', () => {
    const [first, ...others] = card({ dataset: { file: 'data/t.csv' } }, { origin, data }).datasets;
    expect(first).toEqual({
      name: { value: 'churn-train', from: ['mlflow'] },
      context: 'training',
      digest: '9766b1a6',
      file: 'data/t.csv',
      bytes: 12,
      sha256: { value: data.sha256, from: ['file'] },
    });
    expect(others).toHaveLength(1);
  });

  it('are known for training data by the word of MLflow’s own autologging, too', () => {
    const logged: ArtifactOrigin = {
      ...MLFLOW,
      datasets: [
        { name: 'dataset-2', context: 'eval' },
        { name: 'dataset-1', context: 'train' },
      ],
    };
    const [first, ...others] = card({ dataset: { file: 'data/t.csv' } }, { origin: logged, data }).datasets;
    expect(first).toMatchObject({ name: { value: 'dataset-1' }, file: 'data/t.csv', context: 'train' });
    expect(others).toEqual([{ name: { value: 'dataset-2', from: ['mlflow'] }, context: 'eval' }]);
    expect(faults({ dataset: { name: 'dataset-2' } }, { origin: logged })).toEqual([
      'dataset.name: is dataset-2 by the card, and dataset-1 by MLflow.',
    ]);
    // What nobody named is called so by MLflow.
    const unnamed = { ...MLFLOW, datasets: [{ name: 'dataset', digest: '00000002', context: 'train' }] };
    const named = mergeCard({ dataset: { name: 'churn-2026-11' } }, { origin: unnamed });
    expect(named.faults).toEqual([]);
    expect(named.card.datasets).toEqual([
      { name: { value: 'churn-2026-11', from: ['card'] }, digest: '00000002', context: 'train' },
    ]);
  });

  it('of another name than the training data of the run are a conflict', () => {
    expect(faults({ dataset: { name: 'churn-train' } }, { origin })).toEqual([]);
    expect(faults({ dataset: { name: 'churn-eval' } }, { origin })).toEqual([
      'dataset.name: is churn-eval by the card, and churn-train by MLflow.',
    ]);
    // Several: any of them, and none by itself.
    const two = { ...MLFLOW, datasets: [{ name: 'a' }, { name: 'b' }] };
    expect(faults({ dataset: { name: 'b' } }, { origin: two })).toEqual([]);
    expect(card({ dataset: { file: 'x' } }, { origin: two, data }).datasets).toHaveLength(3);
  });

  it('have the digest of the card, of the file, or of both; another file is refused', () => {
    const sha256 = data.sha256;
    expect(card({ dataset: { sha256 } }).datasets).toEqual([{ sha256: { value: sha256, from: ['card'] } }]);
    expect(card({ dataset: { file: 'x', sha256 } }, { data }).datasets[0]?.sha256?.from).toEqual([
      'card',
      'file',
    ]);
    const other = mergeCard({ dataset: { file: 'x', sha256: 'b'.repeat(64) } }, { data });
    expect(other.faults.map(({ kind, key }) => [kind, key])).toEqual([['dataset', 'dataset.file']]);
    expect(other.faults[0]?.message).toContain(`has the sha256 ${sha256}`);
    expect(other.faults[0]?.message).toContain('the dataset file changed');
    // Never the one that it is not.
    expect(other.card.datasets[0]?.sha256).toEqual({ value: sha256, from: ['file'] });
  });
});

describe('metrics', () => {
  const auc = (value: number, dataset?: string) => ({ name: 'auc', value, ...(dataset && { dataset }) });
  const from = (...metrics: ReturnType<typeof auc>[]): CardKnown => ({ origin: { ...MLFLOW, metrics } });

  it('are those of the card, with what MLflow knows on the same data, then MLflow’s others', () => {
    const known = from(auc(0.9134, 'eval'), auc(0.97, 'train'));
    expect(card({ metrics: { auc: { value: 0.91, on: 'eval', min: 0.88 } } }, known).metrics).toEqual([
      // What people write is rounded; what was measured is not.
      {
        name: 'auc',
        value: { value: 0.9134, from: ['card', 'mlflow'] },
        on: { value: 'eval', from: ['card', 'mlflow'] },
        min: 0.88,
      },
      { name: 'auc', value: { value: 0.97, from: ['mlflow'] }, on: { value: 'train', from: ['mlflow'] } },
    ]);
  });

  it('of another value on the same data are a conflict, beyond rounding to two decimals or more', () => {
    const at = (value: number) =>
      faults({ metrics: { auc: { value, on: 'eval' } } }, from(auc(0.9134, 'eval')));
    expect(at(0.92)).toEqual(['metrics.auc.value: is 0.92 by the card, and 0.9134 by MLflow.']);
    expect(at(0.9)).toHaveLength(1);
    expect(at(1)).toHaveLength(1);
    expect([at(0.9134), at(0.913), at(0.91)]).toEqual([[], [], []]);
    // YAML has 0.90 and 1.00 as 0.9 and 1.
    const of = (value: number, theirs: number) =>
      faults({ metrics: { auc: { value } } }, from(auc(theirs))).length;
    expect([of(0.9, 0.9034), of(1, 0.9951), of(12, 12.004), of(0.9, 0.9051), of(12, 12.3)]).toEqual([
      ...[0, 0, 0],
      ...[1, 1],
    ]);
    expect([of(1e-7, 2e-7), of(1e-7, 1e-7)]).toEqual([1, 0]);
    expect(card({ metrics: { auc: { value: 0.92 } } }, from(auc(0.9134))).metrics[0]?.value).toEqual({
      value: 0.92,
      from: ['card'],
    });
  });

  it('on other data are other metrics', () => {
    const given = { metrics: { auc: { value: 0.8, on: 'mine' } } };
    expect(faults(given, from(auc(0.9, 'eval')))).toEqual([]);
    expect(card(given, from(auc(0.9, 'eval'))).metrics).toHaveLength(2);
    // Where MLflow does not say on what, it is taken for the same.
    expect(faults(given, from(auc(0.9)))).toHaveLength(1);
  });

  it('below `min` are refused, whoever says the value', () => {
    expect(faults({ metrics: { auc: { value: 0.8, min: 0.88 } } })).toEqual([
      'metrics.auc.min: is 0.88, and auc is 0.8 by the card.',
    ]);
    expect(faults({ metrics: { auc: { min: 0.88 } } }, from(auc(0.87, 'eval')))).toEqual([
      'metrics.auc.min: is 0.88, and auc is 0.87 on eval by MLflow.',
    ]);
    expect(faults({ metrics: { auc: { min: 0.88 } } }, from(auc(0.88)))).toEqual([]);
  });

  it('with a `min` and no value are not known, until somebody measures them', () => {
    const given = { metrics: { auc: { min: 0.88 }, mae: { on: 'eval' }, f1: { min: 0.5, value: 0.6 } } };
    expect(metricsNotKnown(card(given)).map(({ name }) => name)).toEqual(['auc']);
    expect(metricsNotKnown(card(given, from(auc(0.9))))).toEqual([]);
    const elsewhere = card({ metrics: { auc: { min: 0.8, on: 'mine' } } }, from(auc(0.9, 'eval')));
    expect(metricsNotKnown(elsewhere).map(({ name }) => name)).toEqual(['auc']);
  });

  it('of which less is better have no `min`', () => {
    const told = (name: string) =>
      `metrics.${name}.min: is 0.4, and of ${name} less is better: a least value refuses none that is too bad.`;
    expect(faults({ metrics: { logLoss: { min: 0.4 } } })).toEqual([told('logLoss')]);
    expect(faults({ metrics: { mae: { min: 0.4, value: 0.3 } } })).toEqual([told('mae')]);
    expect(faults({ metrics: { rmse: { min: 0.4, value: 0.5 }, error: { min: 0.4, value: 0.5 } } })).toEqual([
      told('rmse'),
    ]);
  });

  it('of several data are none of them by themselves', () => {
    const known = from(auc(0.9, 'eval'), auc(0.97, 'train'));
    expect(faults({ metrics: { auc: { min: 0.88 } } }, known)).toEqual([
      'metrics.auc.on: is missing, and MLflow knows auc on eval, train.',
    ]);
    expect(card({ metrics: { auc: { value: 0.97 } } }, known).metrics[0]?.on?.value).toBe('train');
    // What is rounded may be several of them, of which one is below the floor.
    const near = from(auc(0.912, 'train'), auc(0.908, 'eval'));
    expect(faults({ metrics: { auc: { value: 0.91, min: 0.91 } } }, near)).toEqual([
      'metrics.auc.on: is missing, and MLflow knows auc on train, eval.',
    ]);
    expect(faults({ metrics: { auc: { value: 0.91, on: 'eval', min: 0.91 } } }, near)).toEqual([
      'metrics.auc.min: is 0.91, and auc is 0.908 on eval by the card and MLflow.',
    ]);
  });

  it('are shown up to twenty', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ name: `m${index}`, value: index }));
    expect(
      card({ metrics: { auc: { value: 1 } } }, { origin: { ...MLFLOW, metrics: many } }).metrics,
    ).toHaveLength(20);
  });

  it('are called as anything is that every object has', () => {
    expect(card({ metrics: { constructor: { value: 1 }, toString: { value: 2 } } }).metrics).toHaveLength(2);
  });
});
