import { expect, it } from 'vitest';
import { keptFunctions, movedNames } from '../../../../../plugins/models/plan/moved-names.ts';
import { declaredModels } from '../../../../fixtures/service.ts';

const functions = (names: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(names).map(([id, FunctionName]) => [
      id,
      { Type: 'AWS::Lambda::Function', Properties: { FunctionName } },
    ]),
  );
const models = declaredModels({
  fraud: { function: { name: 'scores' }, batch: [{ input: 's3://incoming/', output: 's3://scored/' }] },
});
const next = functions({ FraudLambdaFunction: 'scores', FraudDashbatchLambdaFunction: 'scores-batch' });

it('a model that is renamed and keeps its function.name is refused before anything is uploaded', () => {
  const deployed = functions({ ChurnLambdaFunction: 'scores', OrdersLambdaFunction: 'shop-dev-orders' });
  expect(movedNames(models, next, deployed)).toMatchObject([
    {
      code: 'MODELS_NAME_TAKEN',
      key: 'models.fraud.function.name',
      value: 'scores',
      message: expect.stringContaining('the deployed stack has it as ChurnLambdaFunction'),
    },
  ]);
  // A function of the service's own that gives its name to batch.
  const own = functions({ OldLambdaFunction: 'scores-batch', Odd: { Ref: 'Name' } });
  expect(movedNames(models, next, own)).toMatchObject([{ value: 'scores-batch' }]);
});

it('what stays under its id, or was never there, is deployed', () => {
  expect(movedNames(models, next, next)).toEqual([]);
  expect(movedNames(models, next, {})).toEqual([]);
  expect(movedNames(models, next, functions({ ChurnLambdaFunction: 'shop-dev-churn' }))).toEqual([]);
  const queue = { Queue: { Type: 'AWS::SQS::Queue', Properties: { FunctionName: 'scores' } } };
  expect(movedNames(models, next, queue)).toEqual([]);
});

it('functions of ours that CloudFormation updates are those that keep their names, beside the models’ own', () => {
  const ours = functions({
    ...{
      ModelsDashreleaseLambdaFunction: 'shop-dev-models-release',
      OrdersLambdaFunction: 'shop-dev-orders',
    },
    ...{ FraudLambdaFunction: 'scores', FraudDashbatchLambdaFunction: 'scores-batch' },
  });
  const [release, batch] = [
    { key: 'models', id: 'ModelsDashreleaseLambdaFunction', functionName: 'shop-dev-models-release' },
    { key: 'models.fraud.batch', id: 'FraudDashbatchLambdaFunction', functionName: 'scores-batch' },
  ];
  expect(keptFunctions(models, ours, ours)).toEqual([release, batch]);
  expect(keptFunctions(models, ours, functions({ FraudDashbatchLambdaFunction: 'old' }))).toEqual([]);
  expect(keptFunctions(models, ours, {})).toEqual([]);
});
