/** What SECURITY.md says of the deployment bucket, held against a template: what CloudFormation compares. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pages, root } from './pages.ts';

type Resource = { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> };
const path = 'test/golden/http-is-guarded-by-iam-unless-said-otherwise/template.json';
const template = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
  readonly Resources: Readonly<Record<string, Resource>>;
};
const of = (type: string): readonly Resource[] =>
  Object.values(template.Resources).filter(({ Type }) => Type === type);

test('only versions of models are held against a digest, and the page says what is not', () => {
  const versions = of('AWS::Lambda::Version');
  expect(versions.every(({ Properties }) => typeof Properties.CodeSha256 === 'string')).toBe(true);
  expect(versions.length).toBeLessThan(of('AWS::Lambda::Function').length);
  const layers = of('AWS::Lambda::LayerVersion');
  expect(layers).not.toEqual([]);
  expect(JSON.stringify(layers)).not.toContain('Sha256');
  const said = pages.get('SECURITY.md')?.replace(/\s+/g, ' ');
  expect(said).toContain('It holds neither the layer of ONNX Runtime');
  expect(said).toContain('nor the zips of catalog, release worker and drift monitor');
});
