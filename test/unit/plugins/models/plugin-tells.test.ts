import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Utils } from '../../../../plugins/models/context/same-service.ts';
import ServerlessModels from '../../../../plugins/models/plugin.ts';
import type { Serverless } from '../../../../plugins/models/serverless.ts';

let server: Server;
beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { 'content-type': 'text/xml' });
    response.end(
      '<ErrorResponse><Error><Code>AccessDenied</Code><Message>you may not look at stacks</Message></Error></ErrorResponse>',
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

/** What the framework shows of a failed removal: of its own errors the message, of others the stack trace. */
class UserError extends Error {
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

function plugin(...commands: readonly string[]): ServerlessModels {
  const serverless = {
    serviceDir: '/service',
    service: {
      service: 'shop',
      provider: { compiledCloudFormationTemplate: { Resources: {}, Outputs: {} } },
      package: {},
      functions: {},
    },
    configurationInput: { models: { churn: { artifact: 'models/churn.onnx' } } },
    configSchemaHandler: { defineTopLevelProperty: () => {}, defineCustomProperties: () => {} },
    classes: { Error: UserError },
    getProvider: () => ({
      getStage: () => 'prod',
      getRegion: () => 'eu-central-1',
      getDeploymentPrefix: () => 'serverless',
      getServerlessDeploymentBucketName: async () => Promise.reject(new Error('no credentials')),
      naming: { getStackName: () => 'shop-prod' },
    }),
    processedInput: { commands, options: {} },
  } as unknown as Serverless;
  const utils = {
    log: { notice: () => {}, warning: () => {}, error: () => {} },
    progress: { get: () => ({ update: () => {}, remove: () => {} }) },
    writeText: () => {},
  } as unknown as Utils;
  return new ServerlessModels(serverless, {}, utils);
}

it('tells a removal that AWS refuses as a problem, with what to do, and without a stack trace', async () => {
  const { hooks } = plugin('remove');
  await hooks.initialize?.();
  const error = await Promise.resolve(hooks['before:remove:remove']?.()).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({
    code: 'MODELS_AWS',
    message:
      'models: shop-prod in eu-central-1 cannot be asked: you may not look at stacks. Check credentials, --aws-profile and --region; docs/deploy-policy.md lists what a command needs. [MODELS_AWS]',
  });
});

it('is a container of commands, so that the framework lists them for `sls models` alone', () => {
  // Without it `sls models` ends with 0 and prints nothing:
  // https://github.com/serverless/serverless/blob/v3.40.0/lib/classes/plugin-manager.js
  expect(plugin('models').commands).toMatchObject({
    models: { type: 'container', commands: { list: { lifecycleEvents: ['run'] } } },
  });
});
