import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { s3Client } from '../../../../aws/clients/s3.ts';
import { headOf } from '../../../../aws/s3/input-object.ts';
import { bucketFiles } from '../../../../aws/s3/output-store.ts';
import { givenUpFor } from '../../../../functions/batch/reason.ts';

/** S3 that refuses all that it is asked, as S3 does: a HEAD has no body, so nothing of why. */
let server: Server;
let s3: S3Client;

beforeEach(async () => {
  server = createServer((request, response) => {
    response.writeHead(403, { 'content-type': 'application/xml' });
    const text =
      '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>No kms:Decrypt.</Message></Error>';
    response.end(request.method === 'HEAD' ? undefined : text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  s3 = s3Client({
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  s3.destroy();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
});

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('It was answered.'),
    (error: unknown) => error,
  );

it('an object that the role may not look at is told with what it needs, as S3 says nothing of it', async () => {
  const reason = givenUpFor(await errorOf(headOf(s3, { bucket: 'in', key: 'rows/a.csv' })));
  expect(reason).toMatch(/^403: .*HeadObject.*s3:GetObject .*s3:ListBucket .*s3:GetObjectVersion /);
  expect(reason).not.toContain('UnknownError');
});

it('what S3 says of a refusal is told in its words', async () => {
  expect(givenUpFor(await errorOf(bucketFiles(s3, 'out').read('a')))).toBe('AccessDenied: No kms:Decrypt.');
});

it('an endpoint that cannot be reached is named: AWS did not answer', async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const error = await errorOf(headOf(s3, { bucket: 'in', key: 'rows/a.csv' }));
  expect(givenUpFor(error)).toMatch(new RegExp(`^ECONNREFUSED: .*127\\.0\\.0\\.1:${port}`));
});

it('of any other error only the place is told, since its message may hold what was read', () => {
  const reason = givenUpFor(new SyntaxError('Unexpected token secret'));
  expect(reason).toMatch(/^SyntaxError at /);
  expect(reason).not.toContain('secret');
});
