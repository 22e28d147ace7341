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

it('a workspace is asked for with each question, and told apart from others of the server', async () => {
  const of = async (env: Readonly<Record<string, string>>) => {
    const uri = { MLFLOW_TRACKING_URI: 'https://ann:word@mlflow.example.com/' };
    const { at, headers, url } = mlflowServer('models:/churn/1', context, { ...uri, ...env });
    return { at, url, headers: await headers(url) };
  };
  const url = 'https://mlflow.example.com';
  const authorization = basic('ann:word');
  expect(await of({ MLFLOW_WORKSPACE: '' })).toEqual({ at: url, url, headers: { authorization } });
  expect(await of({ MLFLOW_WORKSPACE: ' team-a ' })).toEqual({
    ...{ at: `${url} (workspace team-a)`, url },
    headers: { authorization, 'x-mlflow-workspace': 'team-a' },
  });
  // What it has is what is there without a word.
  expect(await of({ MLFLOW_WORKSPACE: 'default' })).toEqual({
    ...{ at: url, url },
    headers: { authorization, 'x-mlflow-workspace': 'default' },
  });
});
