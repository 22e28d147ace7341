import { expect, it } from 'vitest';
import { endpointLines } from '../../../../../plugins/models/plan/report.ts';
import { declaredModels, HOST } from '../../../../fixtures/service.ts';

it('a base URL has a slash at its end or none: the path that is told has one', () => {
  const models = declaredModels({ churn: { http: { auth: 'none' } } });
  const told =
    'churn: POST https://id.execute-api.eu-central-1.amazonaws.com/v2/models/churn/infer (auth: none)';
  const base = 'https://id.execute-api.eu-central-1.amazonaws.com';
  expect([base, `${base}/`].flatMap((one) => endpointLines(models, HOST, one))).toEqual([told, told]);
});
