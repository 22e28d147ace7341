import { expect, it } from 'vitest';
import { imageDigest, isImage } from '../../../../../../plugins/models/export/shared/image-digest.ts';

const DIGEST = `sha256:${'0f'.repeat(32)}`;

it.each([
  ['registry.example.com/models', 'registry.example.com/models'],
  ['registry.example.com:5000/team/models:v7', 'registry.example.com:5000/team/models'],
  ['localhost:5000/models', 'localhost:5000/models'],
  ['library/churn', 'library/churn'],
  [
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop_dev/models.v2',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop_dev/models.v2',
  ],
])('%s with a digest is an image', (name, repository) => {
  const reference = `${repository}@${DIGEST}`;
  expect(imageDigest(`${name}@${DIGEST}`)).toEqual({ reference, repository, digest: DIGEST });
});

it.each([
  ['registry.example.com/models:latest', 'is a tag'],
  ['registry.example.com/models', 'has no digest'],
  ['registry.example.com/models@sha256:abc', 'has no digest of sha256'],
  [`registry.example.com/models@${DIGEST}0`, 'has no digest of sha256'],
  [`registry.example.com/models@${DIGEST.toUpperCase()}`, 'has no digest of sha256'],
  [`registry.example.com/models@md5:${'0f'.repeat(16)}`, 'has no digest of sha256'],
  [DIGEST, 'names no image'],
  [`models@${DIGEST}`, 'names no image'],
  [`https://registry.example.com/models@${DIGEST}`, 'names no image'],
  [`registry.example.com/models@${DIGEST}\n  privileged: true`, 'names no image'],
  [`registry.example.com/mo dels@${DIGEST}`, 'names no image'],
])('%j is none that a file may name', (text, says) => {
  const found = imageDigest(text);
  expect(isImage(found) ? found : found.message).toContain(says);
});
