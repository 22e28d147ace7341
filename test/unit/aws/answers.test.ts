import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { putAnswer } from '../../../aws/answers.ts';

type Got = {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

let server: Server | undefined;
afterEach(() => server?.close());

/** What S3 says beside these. */
const BODIES: Readonly<Record<number, string>> = {
  400: '<Error><Code>RequestTimeout</Code></Error>',
  403: '<Error><Code>AccessDenied</Code></Error>',
};

/** A server that answers with these statuses, one after the other, then with the last. */
async function serving(
  ...statuses: readonly number[]
): Promise<{ readonly url: string; readonly got: Got[] }> {
  const got: Got[] = [];
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    got.push({ method: request.method, headers: request.headers, body: Buffer.concat(parts).toString() });
    response.statusCode = statuses[Math.min(got.length, statuses.length) - 1] ?? 200;
    response.end(BODIES[response.statusCode] ?? '<xml/>');
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?X-Amz-Signature=secret`,
    got,
  };
}

describe('the answer to CloudFormation', () => {
  it('is a PUT without a Content-Type, which the signature of the URL does not have', async () => {
    const { url, got } = await serving(200);
    expect(await putAnswer(url, '{"Status":"SUCCESS"}')).toBe('ok');
    expect(got).toMatchObject([
      { method: 'PUT', body: '{"Status":"SUCCESS"}', headers: { 'content-length': '20' } },
    ]);
    expect(got[0]?.headers['content-type']).toBeUndefined();
  });

  it('is sent again when the server fails', async () => {
    const { url, got } = await serving(503, 200);
    expect(await putAnswer(url, '{}')).toBe('ok');
    expect(got).toHaveLength(2);
  });

  it('is sent again when S3 has waited for it in vain, or has too much to do', async () => {
    const { url, got } = await serving(400, 429, 200);
    expect(await putAnswer(url, '{}')).toBe('ok');
    expect(got).toHaveLength(3);
  });

  it('is not sent again when the URL is no longer good', async () => {
    const { url, got } = await serving(403);
    expect(await putAnswer(url, '{}')).toBe('gone');
    expect(got).toHaveLength(1);
  });

  it('says what went wrong, and never the URL', async () => {
    const { url } = await serving(500);
    const error = await putAnswer(url, '{}').catch((reason: unknown) => reason);
    expect(String(error)).toContain('HTTP 500');
    expect(String(error)).not.toContain('secret');
    server?.close();
    server?.closeAllConnections();
    const refused = await putAnswer(url, '{}').catch((reason: unknown) => reason);
    expect(String(refused)).toContain('ECONNREFUSED');
    expect(String(refused)).not.toContain('secret');
  });
});
