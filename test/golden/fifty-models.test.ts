/** As many models as a stack holds: what AWS limits is kept, or refused before anything is uploaded. */
import { expect, it } from 'vitest';
import { LIMITS, policyCharacters } from '../../plugins/models/plan/shared/limits.ts';
import { RESOURCES } from '../../plugins/models/plan/template.ts';
import { hostOf } from '../local-aws/release-stack.ts';
import { osls4, service, templateIn, warmSls } from './frameworks.ts';

const yamlOf = (count: number, more: string): string => `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
${Array.from({ length: count }, (_, i) => `  model${i}: {artifact: models/churn.onnx${more}}`).join('\n')}
`;
const MADE_BY_THE_FRAMEWORK = ['ServerlessDeploymentBucket', 'ServerlessDeploymentBucketPolicy'];

type Resource = { readonly Type: string; readonly Properties: Record<string, unknown> };

it('fifty are packaged within the limits of a stack, a function and a role, and counted right', async () => {
  const folder = await service(osls4, 'fifty', { yaml: yamlOf(50, '') });
  const planned = await warmSls(osls4, folder, ['models', 'plan', '--json']);
  const packaged = await warmSls(osls4, folder, ['package']);
  // What there are of them: 9 each, and some of the service.
  expect(packaged.code, packaged.output).toBe(0);
  const { Resources } = (await templateIn(folder)) as { Resources: Record<string, Resource> };
  const ids = Object.keys(Resources).filter((id) => !MADE_BY_THE_FRAMEWORK.includes(id));
  expect(JSON.parse(planned.stdout).resources).toBe(ids.length);
  expect(Object.keys(Resources).length).toBeLessThanOrEqual(RESOURCES);
  expect(ids.filter((id) => Resources[id]?.Type === 'Custom::ModelAlias')).toHaveLength(50);
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type === 'AWS::IAM::Role')
      expect(policyCharacters(Properties, hostOf('shop')), id).toBeLessThanOrEqual(LIMITS.policies);
    if (Type === 'AWS::Lambda::Function')
      expect(JSON.stringify(Properties.Environment ?? {}).length, id).toBeLessThanOrEqual(LIMITS.environment);
  }
});

it('fifty that are too many are refused, with what to do, before anything is packaged', async () => {
  const folder = await service(osls4, 'fifty', { yaml: yamlOf(50, ', http: {}') });
  const validated = await warmSls(osls4, folder, ['models', 'validate']);
  expect(validated.code).toBe(1);
  expect(validated.output).toMatch(/MODELS_LIMIT/);
  expect(validated.output).toMatch(/Split the models over several services/);
  const packaged = await warmSls(osls4, folder, ['package']);
  expect(packaged.code).toBe(1);
  expect(packaged.output).toMatch(/MODELS_LIMIT/);
});
