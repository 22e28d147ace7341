/**
 * Stands between a command and the local AWS: what it asks for, in order, and a moment to look before each.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LocalAws } from '../../local-aws/start.ts';

export type Between = {
  /** The local AWS, by way of here. */
  readonly aws: LocalAws;
  /** Calls so far: `PUT /bucket/key`, or `CloudFormation DeleteStack`. */
  readonly calls: readonly string[];
  /** Is called, and waited for, before a call goes on. */
  before(look: (call: string) => Promise<void>): void;
  close(): void;
};

export async function standBetween(aws: LocalAws): Promise<Between> {
  const calls: string[] = [];
  let look: (call: string) => Promise<void> = async () => {};
  const { hostname, port } = new URL(aws.endpoint);

  async function pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { url: path = '', method = '', headers } = asked;
    const call = nameOf(method, path, headers['content-type'] ?? '', body);
    await look(call);
    calls.push(call);
    const { expect: _, 'transfer-encoding': __, ...kept } = headers;
    // The host stays the one that was signed.
    const onward = request({
      hostname,
      port,
      agent: false,
      path,
      method,
      headers: { ...kept, 'content-length': body.length },
    });
    onward.on('response', (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    onward.end(body);
  }
  const server = createServer((asked, answer) => void pass(asked, answer).catch(() => answer.destroy()));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    aws: { ...aws, env: { ...aws.env, AWS_ENDPOINT_URL: endpoint } },
    calls,
    before: (next) => {
      look = next;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The query protocol, which CloudFormation, IAM, SNS and STS speak, has its action in the body. */
function nameOf(method: string, path: string, type: string, body: Buffer): string {
  const [plain = ''] = path.split('?x-id=');
  if (!type.startsWith('application/x-www-form-urlencoded')) return `${method} ${decodeURIComponent(plain)}`;
  return `POST ${new URLSearchParams(body.toString()).get('Action') ?? ''}`;
}
