import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameworks, install, service, warmSls } from './frameworks.ts';

// https://github.com/oss-serverless/osls/blob/4.x/docs/guides/credentials.md
const yaml = (more: string): string => `
service: shop
provider: {name: aws${more}}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx}
`;

const keys = (prefix: string, key: string) => ({
  [`${prefix}_ACCESS_KEY_ID`]: key,
  [`${prefix}_SECRET_ACCESS_KEY`]: 'secret',
});
const shell = keys('AWS', 'SHELL');

const CASES = [
  ['the shell', 'SHELL', '', [], shell],
  ['provider.profile', 'MINE', ', profile: mine', [], {}],
  ['the shell before provider.profile', 'SHELL', ', profile: other', [], shell],
  ['AWS_PROFILE before keys of the shell', 'MINE', '', [], { ...shell, AWS_PROFILE: 'mine' }],
  ['the stage', 'PROD', '', ['--stage', 'prod'], { ...shell, ...keys('AWS_PROD', 'PROD') }],
  ['the stage’s profile', 'MINE', '', ['--stage', 'prod'], { ...shell, AWS_PROD_PROFILE: 'mine' }],
  ['--aws-profile before all', 'MINE', '', ['--aws-profile', 'mine'], { ...shell, AWS_DEV_PROFILE: 'other' }],
] as const;

let folder: string;
const asked: string[] = [];
const server = createServer(async (request, answer) => {
  asked.push(/Credential=(\w+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'nobody');
  request.resume();
  const error = '<Error><Code>ValidationError</Code><Message>Stack shop does not exist</Message></Error>';
  answer.writeHead(400, { 'content-type': 'text/xml' });
  answer.end(`<ErrorResponse>${error}</ErrorResponse>`);
});

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
  folder = await mkdtemp(join(tmpdir(), 'models-credentials-'));
  const section = (name: string, key: string): string =>
    `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = secret\n`;
  await writeFile(join(folder, 'credentials'), section('mine', 'MINE') + section('other', 'OTHER'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

describe.each(frameworks)('$name', (framework) => {
  it.each(CASES)(
    'the plugin asks AWS with the keys that the framework takes: %s',
    async (_, key, more, args, env) => {
      const dir = await service(framework, 'credentials', { yaml: yaml(more) });
      const known = {
        ...env,
        AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
        AWS_CONFIG_FILE: join(folder, 'config'),
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      };
      for (const command of [['info'], ['models', 'status'], ['models', 'plan']]) {
        asked.length = 0;
        const { output } = await warmSls(framework, dir, [...command, ...args], known);
        expect(new Set(asked), `${command.join(' ')}: ${output}`).toEqual(new Set([key]));
      }
    },
  );
});
