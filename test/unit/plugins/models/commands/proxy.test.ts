import { afterEach, expect, it, vi } from 'vitest';
import { command } from '../../../../../plugins/models/commands/proxy.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { type Listening, startServer } from '../../../../fakes/hanging.ts';

let server: Listening | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
});

it('tells in sentences why the stack could not be read', async () => {
  server = await startServer((_, response) => {
    response.writeHead(403, { 'content-type': 'text/xml' });
    response.end(
      '<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>',
    );
  });
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  const context = {
    models: parseModels({ churn: { artifact: 'a.onnx', http: {} } }).models,
    flags: {},
    plan: { host: { provider: {} } },
    aws: { region: 'us-east-1', credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }) },
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '.', stack: 'shop-dev' },
  } as unknown as Context;
  await expect(command.run(context)).rejects.toThrow(
    'shop-dev: The stack could not be read: The security token included in the request is expired. Check --aws-profile, --region and cloudformation:DescribeStacks. [MODELS_AWS]',
  );
});

it('asks no API whose own address is switched off: each request would be a 404', async () => {
  const httpApi = { disableDefaultEndpoint: true };
  const context = {
    models: parseModels({ churn: { artifact: 'a.onnx', http: {} } }).models,
    flags: {},
    plan: { host: { provider: { httpApi } } },
    aws: { region: 'us-east-1', credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }) },
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '.', stack: 'shop-dev' },
  } as unknown as Context;
  await expect(command.run(context)).rejects.toThrow(
    'provider.httpApi.disableDefaultEndpoint: is true, so the API is reached by a domain of its own alone, which is not known here. Ask that domain with requests that are signed for execute-api, or use `sls models invoke`. [MODELS_USAGE]',
  );
});
