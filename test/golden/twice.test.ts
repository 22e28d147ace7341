import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { osls4, service, sls } from './frameworks.ts';

const yaml = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx, http: {auth: none}}
  fraud: {artifact: models/churn.onnx, architecture: arm64}
`;

/** Template and digest of each zip of one `sls package`, with caches of its own or warm ones. */
async function packaged(
  name: string,
): Promise<{ readonly template: string; readonly zips: Readonly<Record<string, string>> }> {
  const folder = await service(osls4, name, { yaml });
  const run = await sls(osls4, folder, ['package']);
  expect(run.code, run.output).toBe(0);
  const made = join(folder, '.serverless');
  const zips: Record<string, string> = {};
  for (const path of (await readdir(made, { recursive: true }))
    .filter((path) => /\.(zip|layer)$/.test(path))
    .sort()) {
    zips[path] = createHash('sha256')
      .update(await readFile(join(made, path)))
      .digest('hex');
  }
  const template = await readFile(join(made, 'cloudformation-template-update-stack.json'), 'utf8');
  return { template: template.replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'), zips };
}

it('packaging twice, in two places, gives the same zips to the byte and the same template', async () => {
  const first = await packaged('twice');
  const second = await packaged('twice-elsewhere');
  expect(Object.keys(first.zips)).toEqual([
    'churn.zip',
    'fraud.zip',
    'models-catalog.zip',
    'models-release.zip',
    join('models', 'arm64.layer'),
    join('models', 'x86_64.layer'),
  ]);
  expect(second.zips).toEqual(first.zips);
  expect(JSON.parse(second.template)).toEqual(JSON.parse(first.template));
});
