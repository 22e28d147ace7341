import { expect, it } from 'vitest';
import { openCard } from '../../../../core/card/bounded.ts';
import { mergeCard } from '../../../../core/card/merge.ts';
import { readCard } from '../../../../core/card/read.ts';
import { cardLines, trainingLine } from '../../../../core/card/words.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import { CARDS } from '../../../cards.ts';

it('whoever may ask the model reads its card, but no address of ours and no name of a colleague', () => {
  const { origin, ...document } = openCard(CARDS.mlflow);
  const { inputs: _, outputs: __, origin: ___, signedBy, ...told } = CARDS.mlflow;
  const [training, evaluation] = told.card.datasets;
  const { file, ...known } = training ?? {};
  expect(document).toEqual({ ...told, card: { ...told.card, datasets: [known, evaluation] } });
  expect([file, signedBy]).toEqual(['data/train.parquet', 'the key 0123456789ab…']);
  expect(document).not.toHaveProperty('signedBy');
  expect(document.card.datasets[0]).not.toHaveProperty('file');
  expect(origin).toMatchObject({ from: 'mlflow', name: 'churn', version: '3', alias: 'champion' });
  expect(Object.keys(origin ?? {})).not.toContain('at');
  expect(Object.keys(origin ?? {})).not.toContain('by');
  const arn = 'arn:aws:sagemaker:us-east-1:123456789012:training-job/churn';
  const managed = openCard({
    ...CARDS.mlflow,
    origin: {
      ...{ from: 'sagemaker', at: arn, name: 'churn', version: '3', run: arn, commit: '0a1b2c' },
      measured: 's3://our-bucket/evaluation.json',
      approval: { status: 'Approved', by: 'ann', reason: 'as agreed with bob' },
    },
  });
  expect(managed.origin).toEqual({ from: 'sagemaker', name: 'churn', version: '3', commit: '0a1b2c' });
  // The owner is told on purpose.
  expect(document.card.owner?.value).toBe('risk@example.com');
  expect(openCard(CARDS.bare)).not.toHaveProperty('origin');
});

it('texts of others are one line of at most 200 characters, and lists end', () => {
  const { card } = CARDS.hostile;
  const texts = JSON.stringify(card, (_, value) =>
    typeof value === 'string' && value.length > 200 ? 'LONG' : value,
  );
  expect(texts).not.toContain('LONG');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
  for (const [, text] of cardLines(card)) expect(text).not.toMatch(/[\u0000-\u001f\u2028]/);
  const turned = '\u202Eexe.\u2066a\u2069\u200Fb\u061C';
  const named: ArtifactOrigin = { from: 'mlflow', at: '', name: '', version: '', task: turned };
  expect(mergeCard({}, { origin: named }).card.task?.value).toBe('\uFFFDexe.\uFFFDa\uFFFDb\uFFFD');
  const many = Array.from({ length: 5000 }, (_, index) => ({ name: `d${index}`, value: index }));
  const origin: ArtifactOrigin = {
    ...{ from: 'mlflow', at: '', name: '', version: '' },
    datasets: many,
    metrics: many,
  };
  const big = mergeCard({}, { origin }).card;
  expect([big.datasets.length, big.metrics.length]).toEqual([10, 20]);
  expect(JSON.stringify(big).length).toBeLessThan(5000);
});

it('a card that is kept comes back as it was, and what is no card is none', () => {
  for (const { card } of Object.values(CARDS)) expect(readCard(JSON.stringify(card))).toEqual(card);
  for (const text of [undefined, '', 'null', '[]', '{}', '{"datasets":{},"metrics":[]}'])
    expect(readCard(text)).toBeUndefined();
  const wrong = { datasets: [], metrics: [], owner: { value: 1, from: ['card'] } };
  expect(readCard(JSON.stringify(wrong))).toBeUndefined();
  // A later plugin may tell more.
  const later = { datasets: [], metrics: [], colour: 'red', owner: { value: 'ann', from: ['crystal'] } };
  expect(readCard(JSON.stringify(later))).toEqual({ datasets: [], metrics: [], owner: later.owner });
  expect(cardLines(readCard(JSON.stringify(later)) ?? CARDS.bare.card)).toEqual([['owner', 'ann (crystal)']]);
});

it('the data are told with who hashed them, or as not known', () => {
  expect(trainingLine(CARDS.mlflow.card)).toBe(`churn-2026-11, sha256 ${'c'.repeat(64)} (file)`);
  expect(trainingLine(CARDS.bare.card)).toBe('not known');
  expect(trainingLine(mergeCard({ dataset: { name: 'a' } }, {}).card)).toBe('a, sha256 not known');
});

it('data that are not told as those of the training are told with what they were used for', () => {
  const origin: ArtifactOrigin = { from: 'mlflow', at: 'https://mlflow', name: 'churn', version: '3' };
  const told = (...datasets: NonNullable<ArtifactOrigin['datasets']>) =>
    trainingLine(mergeCard({}, { origin: { ...origin, datasets } }).card);
  expect(told({ name: 'eval', context: 'evaluation' })).toBe('eval (evaluation), sha256 not known');
  expect(told({ name: 'eval', context: 'eval' }, { name: 'rows', context: 'train' })).toBe(
    'rows, sha256 not known',
  );
});
