import { array, assert, double, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import {
  boundedOrigin,
  originChanges,
  originDifference,
  originLine,
  plainOrigin,
  readOrigin,
} from '../../../../core/origin/origin.ts';

const CHURN: ArtifactOrigin = {
  from: 'mlflow',
  at: 'https://mlflow.example.com',
  name: 'churn',
  version: '3',
  alias: 'champion',
  run: '0a1b2c',
  by: 'ann',
  datasets: [{ name: 'churn-2026-11', digest: 'c222a439', context: 'training' }],
  metrics: [{ name: 'auc', value: 0.91, dataset: 'churn-2026-11' }],
};

/** What a terminal obeys, a line of its own, what turns letters round, and what nobody sees. */
const HOSTILE = 'a\u001B]0;b\u0007c\nd\u202Eexe.\u2066e\u200Bf\uFEFFg\u{E0041}h\u00ADi\u2028j';
const SHOWN = 'a\uFFFD]0;b\uFFFDc d\uFFFDexe.\uFFFDe\uFFFDf\uFFFDg\uFFFDh\uFFFDi j';
const FILLED: ArtifactOrigin = {
  ...{ from: 'mlflow', at: 'x', name: 'x', version: 'x', alias: 'x', run: 'x', by: 'x', commit: 'x' },
  ...{ measured: 'x', licence: 'x', task: 'x', bases: ['x'] },
  approval: { status: 'x', by: 'x', reason: 'x' },
  datasets: [{ name: 'x', digest: 'x', context: 'x' }],
  metrics: [{ name: 'x', value: 1, dataset: 'x' }],
};
const filledWith = (text: string): ArtifactOrigin =>
  JSON.parse(JSON.stringify(FILLED, (_, value) => (value === 'x' ? text : value)));

it('no text of a registry does more to a reader than be read', () => {
  for (const of of [plainOrigin, boundedOrigin]) expect(of(filledWith(HOSTILE))).toEqual(filledWith(SHOWN));
  expect(readOrigin(JSON.stringify(filledWith(HOSTILE)))).toEqual(filledWith(SHOWN));
  const many = { ...CHURN, metrics: Array.from({ length: 30 }, () => ({ name: 'x'.repeat(100), value: 1 })) };
  expect(plainOrigin(many)).toEqual(many);
});

it('a name with something unseen in it is not the name without', () => {
  const named = (name: string) => plainOrigin({ ...CHURN, name }).name;
  expect(named('chu\u200Brn')).not.toBe(named('churn'));
});

it('is one line for people', () => {
  expect(originLine(CHURN)).toBe(
    'churn version 3 of MLflow (champion), run 0a1b2c, by ann; trained on churn-2026-11; auc 0.91 on churn-2026-11',
  );
  const logged = { ...CHURN, datasets: [{ name: 'dataset', context: 'train' }], metrics: [] };
  expect(originLine(logged)).toMatch(/; trained on dataset$/);
  const revision = '0123456789abcdef0123456789abcdef01234567';
  expect(originLine({ from: 'huggingface', at: 'https://hub', name: 'org/repo', version: revision })).toBe(
    'org/repo at 0123456789ab of Hugging Face',
  );
});

const APPROVED: ArtifactOrigin = {
  from: 'sagemaker',
  at: 'arn:aws:sagemaker:us-east-1:123456789012:model-package-group/churn',
  name: 'churn',
  version: '7',
  alias: 'approved',
  by: 'ann',
  commit: 'c0ffee',
  measured: 's3://bucket/quality.json',
  approval: { status: 'Approved', by: 'bob', reason: 'AUC 0.91' },
};

it('of SageMaker it tells the approval there, and what differs', () => {
  expect(originLine(APPROVED)).toBe(
    'churn version 7 of SageMaker (approved), by ann; Approved there, last changed by bob: AUC 0.91',
  );
  expect(readOrigin(JSON.stringify(boundedOrigin(APPROVED)))).toEqual(APPROVED);
  const long = { ...APPROVED, approval: { status: 'Approved', reason: 'x'.repeat(1000) } };
  expect(boundedOrigin(long).approval?.reason).toHaveLength(80);
  expect(originDifference(APPROVED, { ...APPROVED, version: '8', commit: 'bead' })).toBe(
    'version 7: commit c0ffee → bead',
  );
});

const texts = string({ maxLength: 300 });
const origins = record(
  {
    at: texts,
    name: texts,
    version: texts,
    metrics: array(record({ name: texts, value: double({ noNaN: true, noDefaultInfinity: true }) }), {
      maxLength: 60,
    }),
    datasets: array(record({ name: texts, digest: texts }), { maxLength: 60 }),
  },
  { noNullPrototype: true },
);

describe('as a property of a resource', () => {
  it('is short, and read as it was written', () => {
    assert(
      property(origins, (given) => {
        const bounded = boundedOrigin({ from: 'mlflow', ...given });
        const text = JSON.stringify(bounded);
        // 46 texts at the most, of which each character may take six in JSON.
        expect(Buffer.byteLength(text)).toBeLessThan(46 * 80 * 6 + 2000);
        expect(bounded.metrics?.length ?? 0).toBeLessThanOrEqual(10);
        expect(readOrigin(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    undefined,
    '',
    'null',
    '[]',
    '{"from":"mlflow"}',
    '{"from":"elsewhere","at":"a","name":"b","version":"1"}',
    '{"from":"mlflow","at":"a","name":"b","version":1}',
    '{"from":"toString","at":"a","name":"b","version":"1"}',
    '{"from":"sagemaker","at":"a","name":"b","version":"1","approval":"yes"}',
    '{"from":"sagemaker","at":"a","name":"b","version":"1","approval":{"by":"x"}}',
    '{"from":"sagemaker","at":"a","name":"b","version":"1","commit":7}',
    '{"from":"mlflow","at":"a","name":"b","version":"1","metrics":[null]}',
    '{"from":"mlflow","at":"a","name":"b","version":"1","metrics":[{"name":"auc","value":"0.9"}]}',
  ])('what is none is not read: %s', (text) => {
    expect(readOrigin(text)).toBeUndefined();
  });
});

it('bases are told whole, ten of them, and each no longer than other texts', () => {
  const from = { from: 'huggingface', at: 'https://hub', name: 'org/repo', version: '0'.repeat(40) } as const;
  const bases = ['org/big', 'x/y', 'z'.repeat(300)];
  expect(boundedOrigin({ ...from, bases }).bases).toEqual(['org/big', 'x/y', `${'z'.repeat(79)}…`]);
  expect(boundedOrigin({ ...from, bases: Array(20).fill('org/big') }).bases).toEqual(
    Array(10).fill('org/big'),
  );
});

it('what changed between two versions is told by name', () => {
  expect(originChanges(CHURN, CHURN)).toEqual([]);
  const next: ArtifactOrigin = {
    ...CHURN,
    version: '4',
    run: '3d4e5f',
    by: 'bob',
    datasets: [{ name: 'churn-2026-12', digest: 'd333b54a', context: 'training' }],
    metrics: [
      { name: 'auc', value: 0.93, dataset: 'churn-2026-11' },
      { name: 'loss', value: 0.2 },
    ],
  };
  expect(originChanges(CHURN, next)).toEqual([
    'auc 0.91 → 0.93 on churn-2026-11',
    'loss not known → 0.2',
    'datasets churn-2026-11 (c222a439) → churn-2026-12 (d333b54a)',
    'run 0a1b2c → 3d4e5f',
    'by ann → bob',
  ]);
});

it('the version that is live is told where it is another one', () => {
  expect(originDifference(CHURN, { ...CHURN, alias: 'else' })).toBeUndefined();
  // A model that was deleted and registered anew.
  expect(originDifference(CHURN, { ...CHURN, run: 'ffff' })).toBe('version 3: run 0a1b2c → ffff');
  // What was recorded is cut, and is no other.
  const job = { ...APPROVED, run: `arn:aws:sagemaker:us-east-1:123456789012:training-job/${'x'.repeat(60)}` };
  expect(originDifference(boundedOrigin(job), job)).toBeUndefined();
  const metrics = [{ name: 'auc', value: 0.93, dataset: 'churn-2026-11' }];
  expect(originDifference(CHURN, { ...CHURN, version: '4', metrics })).toBe(
    'version 3: auc 0.91 → 0.93 on churn-2026-11',
  );
  expect(originDifference(CHURN, { ...CHURN, at: 'https://other' })).toBe(
    'version 3 at https://mlflow.example.com',
  );
  expect(originDifference(CHURN, { ...CHURN, name: 'churn-eu' })).toBe('churn version 3');
});
