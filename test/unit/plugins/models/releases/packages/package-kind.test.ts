import { describe, expect, it } from 'vitest';
import {
  keepsPackages,
  packageProblems,
} from '../../../../../../plugins/models/releases/packages/package-kind.ts';
import { declaredModels } from '../../../../../fixtures/service.ts';

const models = declaredModels({ churn: {}, fraud: {} });
const lambda = (name: string, type?: string) => ({
  Type: 'AWS::Lambda::Function',
  Properties: { FunctionName: name, ...(type !== undefined && { PackageType: type }) },
});
const churn = (name: string, type?: string) => ({ ChurnLambdaFunction: lambda(name, type) });

describe('what a function is packaged as', () => {
  it.each([
    ['image', undefined, 'Image'],
    ['zip', 'Image', undefined],
  ])('does not become %s, and the way out is told', (kind, before, after) => {
    const [problem, ...others] = packageProblems(
      models,
      churn('shop-dev-churn', after),
      churn('shop-dev-churn', before),
    );
    expect(others).toEqual([]);
    const was = kind === 'image' ? 'zip' : 'image';
    expect(problem).toEqual({
      code: 'MODELS_PACKAGE_CHANGED',
      key: 'models.churn.package',
      value: kind,
      message: `is ${kind}, and the deployed function shop-dev-churn is packaged as ${was}, which AWS never changes.`,
      fix: expect.stringMatching(new RegExp(`^Write \`package: ${was}\`; or give the model another name`)),
    });
  });

  it.each([
    ['what stays', churn('a', 'Image'), churn('a', 'Image')],
    ['a zip that says so', churn('a', 'Zip'), churn('a')],
    ['a model that is new', churn('a', 'Image'), {}],
    ['a model that goes', {}, churn('a', 'Image')],
    ['a function that gets another name', churn('b', 'Image'), churn('a')],
    [
      'a function of the service’s own',
      { OwnLambdaFunction: lambda('own', 'Image') },
      { OwnLambdaFunction: lambda('own') },
    ],
  ])('is no problem of %s', (_, offered, deployed) => {
    expect(packageProblems(models, offered, deployed)).toEqual([]);
  });

  it('is asked of the stack, if there is one', async () => {
    const template = (deployed: object) => ({ template: async () => deployed as never });
    await expect(keepsPackages(models, churn('a', 'Image'), template(churn('a')))).rejects.toMatchObject({
      code: 'MODELS_PACKAGE_CHANGED',
    });
    await keepsPackages(models, churn('a', 'Image'), template(churn('a', 'Image')));
    const none = async () => {
      throw new Error('Stack with id shop-dev does not exist');
    };
    await keepsPackages(models, churn('a', 'Image'), { template: none });
    const denied = async () => {
      throw new Error('AccessDenied');
    };
    await expect(keepsPackages(models, churn('a', 'Image'), { template: denied })).rejects.toThrow(
      'AccessDenied',
    );
  });

  it('is not asked of whoever may not read the stack, and deploys zips alone', async () => {
    const denied = async () => {
      throw new Error('AccessDenied');
    };
    await keepsPackages(models, churn('a'), { template: denied });
  });
});
