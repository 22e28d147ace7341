import { expect, it } from 'vitest';
import { shownReference } from '../../../../../../core/text/shown-reference.ts';
import { readReference, referenceText } from '../../../../../../plugins/models/ship/oci/reference.ts';

const HEX = 'a'.repeat(64);

it.each([
  [
    'node:24',
    { host: 'docker.io', repository: 'library/node', tag: '24', url: 'https://registry-1.docker.io' },
  ],
  ['me/x', { host: 'docker.io', repository: 'me/x', url: 'https://registry-1.docker.io' }],
  ['localhost/x', { host: 'localhost', repository: 'x', url: 'http://localhost' }],
  ['127.0.0.1:5000/a/b', { host: '127.0.0.1:5000', repository: 'a/b', url: 'http://127.0.0.1:5000' }],
  ['[::1]:5000/a', { host: '[::1]:5000', repository: 'a', url: 'http://[::1]:5000' }],
  ['example.com/a:v1', { host: 'example.com', repository: 'a', tag: 'v1', url: 'https://example.com' }],
  ['example.com:444/a', { host: 'example.com:444', repository: 'a', url: 'https://example.com:444' }],
  ['http://in:5000/a', { host: 'in:5000', repository: 'a', url: 'http://in:5000' }],
  [
    `example.com/a:v1@sha256:${HEX}`,
    { host: 'example.com', repository: 'a', tag: 'v1', digest: `sha256:${HEX}`, url: 'https://example.com' },
  ],
])('reads %s', (text, reference) => {
  expect(readReference(text)).toEqual(reference);
});

it.each([
  ['', /the repository ""/],
  ['example.com/', /the repository ""/],
  ['example.com/A', /the repository "A"/],
  ['example.com/a/../b', /the repository/],
  ['example.com/a:', /the tag ""/],
  ['example.com/a:v 1', /the tag "v 1"/],
  ['exa mple.com/a', /the host "exa mple.com"/],
  ['example.com:99999/a:v1', /the host "example.com:99999", which is none/],
  ['300.1.1.1/a', /the host "300.1.1.1"/],
  ['1.2.3.4.5/a', /the host "1.2.3.4.5"/],
  ['[:::::]/a', /the host/],
  ['localhost:70000/a', /the host/],
  ['http://example.com:99999/a', /the host/],
  ['user@example.com/a', /somebody’s name before an @/],
  ['https://user:pass/word@example.com/a', /somebody’s name before an @/],
  ['example.com/a@sha256:abc', /a digest that is not/],
  [`example.com/a@sha256:${HEX}@sha256:${HEX}`, /more than one @/],
  [`example.com/a@sha256:${HEX.toUpperCase()}`, /a digest that is not/],
])('refuses %s', (text, why) => {
  expect(readReference(text)).toEqual({ wrong: expect.stringMatching(why) });
});

it.each([
  ['https://user:pass/w@rd@example.com/a:v1', '…@example.com/a:v1'],
  [`user:word@example.com/a@sha256:${HEX}`, `…@example.com/a@sha256:${HEX}`],
  [`example.com/a@sha256:${HEX}`, `example.com/a@sha256:${HEX}`],
  ['example.com/a@sha256:abc', 'example.com/a@sha256:abc'],
  ['example.com/a@b', '…@b'],
  ['user:s3cretpw@host', '…@host'],
  [`user:s3cretpw@host@sha256:${HEX}`, `…@host@sha256:${HEX}`],
  [`user:s3cretpw@sha256:1/a@sha256:${HEX}`, `…@sha256:1/a@sha256:${HEX}`],
])('%s is shown without a password', (text, shown) => {
  expect(shownReference(text)).toBe(shown);
});

it('is told as it was written', () => {
  const text = `example.com/a:v1@sha256:${HEX}`;
  const read = readReference(text);
  expect('wrong' in read ? '' : referenceText(read)).toBe(text);
});
