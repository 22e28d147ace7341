import { expect, it } from 'vitest';
import { mlflowServer } from '../../../../../../plugins/models/artifact/fetch/mlflow-server.ts';

const context = { key: 'models.churn.artifact', serviceDir: '/', progress: () => {} };
const asks = async (env: Readonly<Record<string, string>>): Promise<string | undefined> => {
  const { headers, url } = mlflowServer('models:/churn/1', context, env);
  return (await headers(url)).authorization;
};
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

it('variables that are empty say nothing of who asks, as where a secret of a build is not set', async () => {
  const uri = { MLFLOW_TRACKING_URI: 'https://ann:word@mlflow.example.com' };
  const empty = { MLFLOW_TRACKING_USERNAME: '', MLFLOW_TRACKING_PASSWORD: '', MLFLOW_TRACKING_TOKEN: '' };
  expect(await asks(uri)).toBe(basic('ann:word'));
  expect(await asks({ ...uri, ...empty })).toBe(basic('ann:word'));
  expect(await asks({ ...uri, MLFLOW_TRACKING_USERNAME: 'bob', MLFLOW_TRACKING_PASSWORD: 'pass' })).toBe(
    basic('bob:pass'),
  );
  const bare = { MLFLOW_TRACKING_URI: 'https://mlflow.example.com' };
  expect(await asks({ ...bare, ...empty, MLFLOW_TRACKING_TOKEN: 'token' })).toBe('Bearer token');
  expect(await asks({ ...bare, ...empty })).toBeUndefined();
});
