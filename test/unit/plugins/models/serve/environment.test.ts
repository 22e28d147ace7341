import { expect, it } from 'vitest';
import { environmentOf } from '../../../../../plugins/models/serve/environment.ts';
import { modelOf } from '../../../../ship/setup.ts';

const service = { name: 'shop', stage: 'dev', region: 'eu-central-1', dir: '/shop', stack: 'shop-dev' };
const of = (environment: object, own: Parameters<typeof modelOf>[1] = {}): Record<string, string> =>
  environmentOf(modelOf('m.onnx', own), 1, '/dir', { service, environment, runtime: '/runtime' });

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
it('variables that Lambda lets a function set are as it sets them: a date is of the same day as there', () => {
  const given = of({ TZ: 'Asia/Tokyo' }, { function: { environment: { LANG: 'de_DE.UTF-8' } } });
  expect(given).toMatchObject({ TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' });
  expect(of({})).toMatchObject({ TZ: ':UTC', LANG: 'en_US.UTF-8' });
});

it('NODE_OPTIONS is without what a layer has', () => {
  expect(of({ NODE_OPTIONS: '-r @sentry/aws-serverless/awslambda-auto' })).not.toHaveProperty('NODE_OPTIONS');
});

it('those that are Lambda’s own are not', () => {
  expect(of({ AWS_REGION: 'x', LAMBDA_TASK_ROOT: 'x' })).toMatchObject({
    AWS_REGION: 'eu-central-1',
    LAMBDA_TASK_ROOT: '/dir',
  });
});

it('the name is the function’s, also where the service gives it one', () => {
  const named = { AWS_LAMBDA_FUNCTION_NAME: 'mine', AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/mine' };
  expect(of({}, { function: { name: 'mine' } })).toMatchObject(named);
  expect(of({}).AWS_LAMBDA_FUNCTION_NAME).toBe('shop-dev-churn');
});
