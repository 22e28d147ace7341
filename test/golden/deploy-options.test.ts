import { beforeAll, describe, expect, it } from 'vitest';
import { type Framework, frameworks, install, osls4, service, sls, warmSls } from './frameworks.ts';

const yaml = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx}
`;

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
});

describe.each(frameworks.map((framework) => [framework.name, framework] as const))(
  '%s',
  (_, framework: Framework) => {
    const run = framework === osls4 ? sls : warmSls;

    it('deploy has its own options and ours', async () => {
      const folder = await service(framework, 'deploy-options', { yaml });
      const { output } = await run(framework, folder, ['deploy', '--help']);
      expect(output).toMatch(/--force /);
      expect(output).toMatch(/--wait .*until they are promoted or rolled back/);
      expect(output).toMatch(/--supersede .*--no-supersede refuses/);
      expect(output).toMatch(/--promote-from .*what it has validated/);
    });

    it('takes them, and goes on to what it lacks here: credentials', async () => {
      const folder = await service(framework, 'deploy-options', { yaml });
      const known = await run(framework, folder, ['deploy', '--no-supersede', '--wait', '--force']);
      expect(known.code).toBe(1);
      expect(known.output).not.toMatch(/unrecognized/i);
      expect(known.output).toMatch(/credentials/i);
      const unknown = await run(framework, folder, ['deploy', '--no-superseed']);
      expect(unknown.output).toMatch(/unrecognized|unsupported/i);
    });

    it('the other commands of the framework do not have them', async () => {
      const folder = await service(framework, 'deploy-options', { yaml });
      const { code, output } = await run(framework, folder, ['package', '--wait']);
      expect(code).toBe(1);
      expect(output).toMatch(/unrecognized/i);
      const from = await run(framework, folder, ['package', '--promote-from', 'dev']);
      expect(from.output).toContain('--promote-from: dev is the stage that is deployed to.');
    });
  },
);
