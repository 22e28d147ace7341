import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { command } from '../../../../../plugins/models/commands/gate.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { selfSigned } from '../../../../fakes/certificate.ts';

const { models } = parseModels({ churn: { artifact: 'churn.onnx' } });

/** `sls models gate -q 99` against a Lambda that answers so. */
async function asked(name: string): Promise<void> {
  const lambda = createServer((_, response) => {
    response.writeHead(404, { 'content-type': 'application/json', 'x-amzn-errortype': name });
    response.end(JSON.stringify({ Type: 'User', Message: 'Function not found: shop-dev-churn:99' }));
  });
  await new Promise<void>((done) => lambda.listen(0, '127.0.0.1', done));
  try {
    await command.run({
      models,
      flags: { qualifier: '99' },
      service: { dir: '/', stage: 'dev', region: 'us-east-1' },
      plan: { host: { stack: 'shop-dev', service: 'shop', stage: 'dev' } },
      progress: () => {},
      print: () => {},
      notice: () => {},
      aws: {
        region: 'us-east-1',
        endpoint: `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      },
    } as unknown as Context);
  } finally {
    lambda.closeAllConnections();
    lambda.close();
  }
}

/** `sls models gate --url` of a model without cases, against what answers everything so. */
async function askedAt(status: number, body: string, isTls = false): Promise<string> {
  const answer: RequestListener = (_, response) => response.writeHead(status).end(body);
  const server = isTls ? createHttps(selfSigned(), answer) : createServer(answer);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const said: string[] = [];
  try {
    await command.run({
      models,
      flags: { url: `http${isTls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}` },
      service: { dir: '/', stage: 'dev', region: 'us-east-1' },
      progress: () => {},
      print: (text: string) => said.push(text),
      notice: () => {},
      aws: { region: 'us-east-1' },
    } as unknown as Context);
    return said.join();
  } catch (error) {
    return String(error);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const REFUSED = '{"error": "$.inputs must be an array of tensors.", "code": "INVALID_REQUEST"}';

describe('sls models gate', () => {
  it('takes no refusal of a server that has not the model for one of the model', async () => {
    const none = '{"error": "No such model here; GET /docs lists them.", "code": "NOT_FOUND"}';
    expect(await askedAt(404, none)).toMatch(
      /--url: http:\S+ does not answer for churn: \/v2\/models\/churn\/infer gave HTTP 404\. Name a server/,
    );
    for (const body of ['{"message": "Forbidden"}', '<html>', '{"error": ""}'])
      expect(await askedAt(403, body)).toContain('does not answer for churn');
    // One that nobody trusts here is none that is to be started.
    expect(await askedAt(400, REFUSED, true)).toMatch(
      /self-signed certificate.*\. Name a file .*NODE_EXTRA_CA_CERTS/,
    );
    // What is posted goes to no other address.
    expect(await askedAt(308, '')).toContain('gave HTTP 308');
    expect(await askedAt(400, REFUSED)).toContain('pass. It starts.');
  });

  it('ends its reason before what to do', async () => {
    expect(await askedAt(200, '{}')).toContain('pass. It does not start: an answer. Fix the model');
  });

  it('goes on for as long as a slow model takes, which is more than five times a quarter of an hour', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'models-gate-'));
    const tensor = { name: 'X', datatype: 'FP32', shape: [1], data: [1] };
    const outputs = [{ ...tensor, name: 'Y' }];
    const line = JSON.stringify({ inputs: [tensor], outputs });
    await writeFile(join(dir, 'cases.jsonl'), `${Array(24).fill(line).join('\n')}\n`);
    const spec = (name: string) => ({ name, datatype: 'FP32', shape: [-1] });
    const signature = { inputs: [spec('X')], outputs: [spec('Y')], omitted: [] };
    const [slow] = parseModels({ churn: { artifact: 'churn.onnx', gate: { cases: 'cases.jsonl' } } }).models;
    vi.useFakeTimers({ toFake: ['Date'] });
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        if (body === '{}') return response.writeHead(400).end(REFUSED);
        vi.setSystemTime(Date.now() + 5 * 60_000);
        return response.writeHead(200).end(JSON.stringify({ outputs }));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const said: string[] = [];
    try {
      await command.run({
        models: [slow],
        flags: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, json: true },
        service: { dir, stage: 'dev', region: 'us-east-1' },
        progress: () => {},
        print: (text: string) => said.push(text),
        notice: () => {},
        facts: async () => new Map([['churn', { signature }]]),
        aws: { region: 'us-east-1' },
      } as unknown as Context);
    } finally {
      vi.useRealTimers();
      server.closeAllConnections();
      server.close();
      await rm(dir, { recursive: true });
      process.exitCode = 0;
    }
    const { gate } = JSON.parse(said.join(''));
    expect(gate).toMatchObject({ done: 24, count: 24 });
  });

  it('says of a version that is not there that it is not, and blames neither model nor cases', async () => {
    await expect(asked('ResourceNotFoundException')).rejects.toThrow(
      'models.churn: has no version 99: shop-dev-churn never had it, or it was pruned since. ' +
        'Name one that `sls models history --model churn --stage dev` shows with --qualifier, or leave it out: the one that serves is asked then. [MODELS_NOT_DEPLOYED]',
    );
  });
});
