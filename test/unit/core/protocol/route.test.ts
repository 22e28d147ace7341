import { expect, test } from 'vitest';
import { routeOf } from '../../../../core/protocol/route.ts';

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

test('an unpublished function answers for any version', () => {
  expect(kindOf('/v2/models/churn/versions/8/infer', '$LATEST')).toBe('infer');
});
