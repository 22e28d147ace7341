import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { asideOf, functionOf, nameOf, runIn, stackOf } from '../../account/names.ts';
import { FIRST, serviceYaml } from '../../account/service.ts';
import { root } from '../docs/pages.ts';

test('only names of a run are taken for one', () => {
  const name = nameOf('0123abcd');
  for (const one of [name, stackOf(name), functionOf(name), asideOf(name), `${name}-rows`])
    expect(runIn(one)).toBe(name);
  for (const other of [
    'smcheck-',
    'smcheck-0123abcde',
    'smcheck-0123abcg-dev',
    `my-${name}`,
    'smcheck-prod-api',
  ])
    expect(runIn(other)).toBeUndefined();
});

test('the second model’s function does not begin with service and stage, and fits into its limits', () => {
  const name = nameOf('0123abcd');
  expect(asideOf(name).startsWith(stackOf(name))).toBe(false);
  expect(`${functionOf(name)}-batch`.length).toBeLessThanOrEqual(64);
});

test('the service is the demo’s, under its own name, with the tag on everything', () => {
  const demo = readFileSync(join(root, 'serverless.yml'), 'utf8');
  const place = { name: 'smcheck-0123abcd', region: 'eu-central-1' };
  const first = parse(serviceYaml(demo, place, FIRST, { a: 1 }));
  const tags = {
    'serverless-models-account': place.name,
    'serverless-models-account-region': place.region,
  };
  expect(first).toMatchObject({
    service: place.name,
    provider: { region: place.region, tags, stackTags: tags },
  });
  expect(Object.keys(first.models)).toEqual(['employment', 'aside']);
  expect(first.models.employment.gate).toEqual(parse(demo).models.employment.gate);
  expect(JSON.stringify(first)).not.toContain('${');
  const later = parse(serviceYaml(demo, place, { version: 2, aside: false, broken: true }, {}));
  expect(Object.keys(later.models)).toEqual(['employment']);
  expect(later.models.employment.artifact).toBe('examples/employment/versions/2.onnx');
  expect(later.resources.Resources.Broken.DependsOn).toBe('EmploymentLiveAlias');
});
