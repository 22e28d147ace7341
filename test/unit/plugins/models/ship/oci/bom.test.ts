/** What is in an image, as CycloneDX’s own validator takes it. */
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { expect, it } from 'vitest';
import { imageBom } from '../../../../../../plugins/models/ship/oci/bom.ts';
import { CARDS } from '../../../../../cards.ts';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot7);
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const image = {
  digest: digest('a'),
  base: {
    reference: `example.com:5000/lambda/nodejs@${digest('b')}`,
    digest: digest('b'),
    node: { path: '/usr/bin/node', version: '24.1.2', hasOpt: true },
    config: { architecture: 'arm64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
  },
  layers: [{ name: 'host', diffId: digest('c') }],
} as const;

it.each(Object.entries(CARDS))('is valid around the card of %s, and its references meet', async (_, card) => {
  const bom = imageBom(card, image);
  expect(await validator.validate(JSON.stringify(bom))).toBeNull();
  const known = ['image', ...bom.components.map((one) => String(one['bom-ref']))];
  expect(new Set(known).size).toBe(known.length);
  const meant = bom.dependencies.flatMap((one): unknown[] =>
    'dependsOn' in one ? [one.ref, one.dependsOn].flat() : [one.ref],
  );
  expect(meant.filter((ref) => !known.includes(String(ref)))).toEqual([]);
});

it('names the image, what is in it and where that is from', () => {
  const bom = imageBom(CARDS.bare, image);
  expect(bom.metadata.component).toMatchObject({
    type: 'container',
    version: digest('a'),
    properties: [{ name: 'serverless-models:layer:host', value: digest('c') }],
  });
  expect(bom.components).toMatchObject([
    { type: 'machine-learning-model' },
    { 'bom-ref': 'runtime' },
    { 'bom-ref': 'host' },
    { name: 'Node.js', version: '24.1.2', purl: 'pkg:generic/nodejs@24.1.2' },
    {
      name: 'example.com:5000/lambda/nodejs',
      purl: `pkg:oci/nodejs@sha256%3A${'b'.repeat(64)}?arch=arm64&repository_url=example.com%3A5000/lambda/nodejs`,
    },
  ]);
});

it('is the same of the same, and another of another image', () => {
  const { serialNumber } = imageBom(CARDS.bare, image);
  expect(imageBom(CARDS.bare, image).serialNumber).toBe(serialNumber);
  expect(imageBom(CARDS.bare, { ...image, digest: digest('d') }).serialNumber).not.toBe(serialNumber);
});
