import { expect, it } from 'vitest';
import { mlflowPlace } from '../../../../../../plugins/models/artifact/fetch/mlflow-place.ts';

it.each([
  ['s3://bucket/models/1', 's3', 'bucket/models/1'],
  ['mlflow-artifacts:/1/a/artifacts//', 'mlflow-artifacts', '1/a/artifacts'],
  ['dbfs:///x', 'dbfs', 'x'],
  ['s3:////', 's3', ''],
  ['/mnt/models', '', ''],
  ['s3://bucket/a\nb', '', ''],
  [undefined, '', ''],
])('%s is in %s at %s', (uri, scheme, path) => {
  expect(mlflowPlace(uri)).toEqual({ scheme, path });
});

it('as many slashes as an answer may have take no time', () => {
  const slashes = '/'.repeat(4_000_000);
  expect(mlflowPlace(`s3:${slashes}x${slashes}y\n`)).toEqual({ scheme: '', path: '' });
  expect(mlflowPlace(`s3:${slashes}x${slashes}y${slashes}`).path).toHaveLength(4_000_002);
});
