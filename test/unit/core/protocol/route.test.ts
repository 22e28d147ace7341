import { expect, test } from 'vitest';
import { bareBelow, routeOf } from '../../../../core/protocol/route.ts';

const kindOf = (path: string, version = '7'): string => routeOf(path, 'churn', version).kind;

test.each([
  ['/v2/models/churn/infer', 'infer'],
  ['/dev/v2/models/churn/infer', 'infer'],
  ['/dev/ml/v1/v2/models/churn/infer/', 'infer'],
  ['/v2/models/churn/versions/7/infer', 'infer'],
  ['/v2/models/churn/versions/live/infer', 'infer'],
  ['/v2/models/churn/versions/8/infer', 'unknown'],
  ['/v2/models/other/infer', 'unknown'],
  ['/v2/models/churn', 'metadata'],
  ['/v2/models/churn/versions/7', 'metadata'],
  ['/v2/models/churn/versions/7/ready', 'ready'],
  ['/v2/models/churn/ready', 'ready'],
  ['/models/churn/invocations', 'invocations'],
  ['/ml/models/churn/invocations', 'invocations'],
  ['/models/other/invocations', 'unknown'],
  ['/invocations', 'invocations'],
  ['/dev/invocations', 'invocations'],
  ['/v2', 'unknown'],
  ['/v2/health/live', 'unknown'],
  ['/', 'infer'],
  ['', 'infer'],
  ['/predict', 'infer'],
  ['/v20', 'infer'],
])('%s: %s', (path, kind) => {
  expect(kindOf(path)).toBe(kind);
});

test('a prefix may end as the path of another model does: its bare path is this one’s', () => {
  const kind = (path: string) => routeOf(path, 'churn', '7', '/models/v1/invocations').kind;
  expect(kind('/models/v1/invocations')).toBe('invocations');
  expect(kind('/models/v1/invocations/')).toBe('invocations');
  expect(kind('/models/v1/models/churn/invocations')).toBe('invocations');
  for (const other of [
    '/models/v2/invocations',
    '/a/models/v1/invocations',
    '/models/v1/models/other/invocations',
  ])
    expect(kind(other)).toBe('unknown');
});

test.each([
  ['/', undefined],
  ['/models/v1', '/models/v1/invocations'],
  ['/a/models/v1', '/a/models/v1/invocations'],
  // What the model's own path is, and what no model's path can be.
  ['/models/churn', undefined],
  ['/models', undefined],
  ['/models/v1/b', undefined],
  ['/mymodels/v1', undefined],
])('below %s the bare path that looks like another model’s is %s', (prefix, bare) => {
  expect(bareBelow(prefix, 'churn')).toBe(bare);
});

test('an unpublished function answers for any version', () => {
  expect(kindOf('/v2/models/churn/versions/8/infer', '$LATEST')).toBe('infer');
});
