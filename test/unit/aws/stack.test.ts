import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { undeletable, wasNeverMade, wasRolledBack } from '../../../aws/stack.ts';

/** CloudFormation, as far as it is asked whether it would delete a stack. */
const imports: Record<string, string | readonly [status: number, code: string, message: string]> = {};
let state = 'CREATE_COMPLETE';
const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const asked = new URLSearchParams(text);
  const reply = (status: number, body: string) => {
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(body);
  };
  if (asked.get('Action') === 'DescribeStacks') {
    const outputs = ['', ...Object.keys(imports)].map(
      (name) =>
        `<member><OutputKey>K</OutputKey><OutputValue>v</OutputValue>${name && `<ExportName>${name}</ExportName>`}</member>`,
    );
    const stack = `<StackName>own</StackName><StackStatus>${state}</StackStatus><Outputs>${outputs.join('')}</Outputs>`;
    return reply(200, answerOf('DescribeStacks', `<Stacks><member>${stack}</member></Stacks>`));
  }
  const found = imports[asked.get('ExportName') ?? ''] ?? [400, 'ValidationError', 'no such export'];
  if (typeof found === 'string')
    return reply(200, answerOf('ListImports', `<Imports><member>${found}</member></Imports>`));
  const [status, code, message] = found;
  reply(
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  );
});
const answerOf = (action: string, result: string): string =>
  `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const unused = [400, 'ValidationError', "Export 'unused' is not imported by any stack."] as const;
const denied = [
  403,
  'AccessDenied',
  'User: u is not authorized to perform: cloudformation:ListImports',
] as const;
const failing = [400, 'ValidationError', 'Something else.'] as const;

const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`unused-${i}`, unused]));

test.each([
  ['no exports', {}, undefined],
  ['exports that nobody imports', { unused }, undefined],
  ['one that another stack imports', { unused, used: 'other' }, { exported: 'used', importers: ['other'] }],
  ['importers that the caller may not ask for', { denied }, undefined],
  ['many', { ...many, used: 'other' }, { exported: 'used', importers: ['other'] }],
])('a stack with %s', async (_, exports, expected) => {
  expect(await asked(exports)).toEqual(expected);
});

test('whatever else CloudFormation answers is told', async () => {
  await expect(asked({ failing })).rejects.toThrow('Something else.');
});

test.each([
  ['ROLLBACK_COMPLETE', true, false],
  ['ROLLBACK_FAILED', true, false],
  ['UPDATE_ROLLBACK_COMPLETE', false, true],
  ['UPDATE_ROLLBACK_FAILED', false, true],
  ['UPDATE_COMPLETE', false, false],
  ['CREATE_COMPLETE', false, false],
])('%s: was its creation rolled back? %s, and its last update? %s', async (status, creation, update) => {
  state = status;
  expect(await wasNeverMade(config(), 'own')).toBe(creation);
  expect(await wasRolledBack(config(), 'own')).toBe(update);
});

function asked(exports: typeof imports): ReturnType<typeof undeletable> {
  for (const name of Object.keys(imports)) delete imports[name];
  Object.assign(imports, exports);
  return undeletable(config(), 'own');
}

const config = () => ({
  region: 'us-east-1',
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
});
