/** What is packaged against what another stage validated: the difference is told. */
import { expect, it } from 'vitest';
import type { ArtifactOrigin } from '../../../../../core/origin/contract.ts';
import { mlflowSource } from '../../../../../plugins/models/artifact/sources/mlflow.ts';
import { sageMakerSource } from '../../../../../plugins/models/artifact/sources/sagemaker.ts';
import {
  type IdentityParts,
  identityDifference,
  identityOf,
} from '../../../../../plugins/models/ship/identity.ts';
import { unlikeProblems } from '../../../../../plugins/models/ship/unlike.ts';

const parts: IdentityParts = {
  source: 'a'.repeat(64),
  transform: undefined,
  runtime: '1.30.0',
  architecture: 'x86_64',
  optimize: true,
  inputs: {},
};
const evidence = {
  ...{ stage: 'staging', stack: 'shop-staging', version: '3', release: 'r', startedAt: '' },
  gate: { verdict: 'pass', done: 1, count: 1 },
} as const;
const validated = (there: IdentityParts) => ({ source: there.source, identity: identityOf(there), evidence });

it('the same is no problem', () => {
  expect(unlikeProblems('models.churn', validated(parts), { ...parts }, undefined)).toEqual([]);
});

it('another source is told with both digests, and both versions of their registry', () => {
  const there = { ...parts, source: 'b'.repeat(64) };
  const origin = { from: 'mlflow', at: 'https://m', name: 'churn', version: '1' } as const;
  const found = unlikeProblems('models.churn', { ...validated(there), origin }, parts, {
    ...origin,
    version: '2',
  });
  expect(found).toMatchObject([
    {
      code: 'MODELS_PROMOTION',
      key: 'models.churn',
      message:
        'is not what staging validated as version 3: its source is sha256 aaaaaaaaaaaa here, and bbbbbbbbbbbb there; it is version 2 of churn at https://m here, and version 1 of churn at https://m there.',
    },
  ]);
});

it.each([
  [{ optimize: false }, ['optimize is false there and true here']],
  [{ architecture: 'arm64' }, ['architecture is arm64 there and x86_64 here']],
  [{ inputs: { missing: 'nan' } }, ['missing is nan there and refuse here']],
  [{ inputs: { finite: true } }, ['finite is true there and false here']],
  [
    { inputs: { finite: true }, architecture: 'arm64' },
    ['architecture is arm64 there and x86_64 here', 'finite is true there and false here'],
  ],
  [{ runtime: '1.29.0' }, undefined],
  [{ transform: 'digest' }, undefined],
] as readonly (readonly [Partial<IdentityParts>, readonly string[] | undefined])[])(
  'an identity that differs in %j is told by what differs',
  (change, told) => {
    const there = { ...parts, ...change };
    expect(identityDifference(parts, identityOf(there))).toEqual(told);
    const [problem] = unlikeProblems('models.churn', validated(there), parts, undefined);
    expect(problem?.message).toContain(
      told?.join(', ') ??
        'transform.ts, columns, or the version of ONNX Runtime that the plugin brings differ',
    );
    expect(problem?.message).toContain(identityOf(parts).slice(0, 12));
    expect(problem?.message).toContain(identityOf(there).slice(0, 12));
  },
);

it.each([
  [{ transform: 'digest' }, ['transform.ts is here only']],
  [{ inputs: { columns: ['a'] } }, ['columns are declared here only']],
  [{ inputs: { missing: 'nan' } }, ['missing is refuse there and nan here']],
] as readonly (readonly [Partial<IdentityParts>, readonly string[]])[])(
  'and what is here only: %j',
  (change, told) => {
    expect(identityDifference({ ...parts, ...change }, identityOf(parts))).toEqual(told);
  },
);

it('an alias of MLflow is taken at the version that was recorded of the same model, and nothing else is', () => {
  const origin = { from: 'mlflow', at: 'https://m', name: 'churn', version: '5', alias: 'champion' } as const;
  expect(mlflowSource.pinned?.('models:/churn@champion', origin)).toBe('models:/churn/5');
  expect(mlflowSource.pinned?.('models:/churn@other', origin)).toBe('models:/churn/5');
  expect(mlflowSource.pinned?.('models:/churn/4', origin)).toBeUndefined();
  expect(mlflowSource.pinned?.('models:/offers@champion', origin)).toBeUndefined();
  expect(mlflowSource.pinned?.('models:/churn@champion', { ...origin, from: 'huggingface' })).toBeUndefined();
});

it('the approved one of SageMaker is taken at the version that was recorded of the same group', () => {
  const at = 'arn:aws:sagemaker:us-east-1:123456789012:model-package-group/offers';
  const origin = { from: 'sagemaker', at, name: 'offers', version: '5', alias: 'approved' } as const;
  const pinned = (reference: string, from: ArtifactOrigin = origin): string | undefined =>
    sageMakerSource.pinned?.(reference, from);
  expect(pinned('sagemaker:offers@approved')).toBe('sagemaker:offers/5');
  expect(pinned(`sagemaker:${at}@approved`)).toBe(`sagemaker:${at}/5`);
  expect(pinned('sagemaker:offers/4')).toBeUndefined();
  expect(pinned('sagemaker:churn@approved')).toBeUndefined();
  expect(pinned(`sagemaker:${at.replace('123456789012', '210987654321')}@approved`)).toBeUndefined();
  expect(pinned('sagemaker:offers@approved', { ...origin, from: 'mlflow' })).toBeUndefined();
});
