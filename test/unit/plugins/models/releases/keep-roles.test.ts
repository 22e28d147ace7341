import { expect, it } from 'vitest';
import { keepRoles } from '../../../../../plugins/models/releases/keep-roles.ts';
import { declaredModels, HOST } from '../../../../fixtures/service.ts';

const asked = (template: () => Promise<object>) =>
  keepRoles({ models: declaredModels({ churn: {} }), host: HOST }, {}, {
    template,
  } as Parameters<typeof keepRoles>[2]);
const refused = (name: string, message: string) => () =>
  Promise.reject(Object.assign(new Error(message), { name }));

it('a deploy before which there is nothing keeps nothing, and says nothing', async () => {
  const none = { resources: {}, lines: [] };
  expect(await asked(refused('ValidationError', 'Stack with id shop-dev does not exist'))).toEqual(none);
  expect(await asked(async () => ({}))).toEqual(none);
});

it('what is deployed and cannot be read is told, and stops no deploy', async () => {
  expect(
    await asked(refused('AccessDenied', 'not authorized to perform: cloudformation:GetTemplate')),
  ).toEqual({
    resources: {},
    lines: [
      'What is deployed cannot be read (not authorized to perform: cloudformation:GetTemplate). Where the role of a model changes, or what it allows, versions before this one may fail.',
    ],
  });
});
