import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { waitingFor } from '../../../../core/ports/config.ts';
import { setFunctions, settleFunctions } from '../../../../plugins/models/functions.ts';
import { problemError } from '../../../../plugins/models/problems/errors.ts';
import {
  asUserError,
  awsConfig,
  hostOf,
  modelFunctionSchema,
  type Serverless,
} from '../../../../plugins/models/serverless.ts';
import { startServer } from '../../../fakes/hanging.ts';

/** As much of the framework as is looked at here. */
function serverless(
  provider: Record<string, unknown> = {},
  functions: Record<string, Record<string, unknown>> = {},
): Serverless {
  return {
    serviceDir: '/service',
    service: {
      service: 'shop',
      provider: { compiledCloudFormationTemplate: { Resources: {}, Outputs: {} }, ...provider },
      package: {},
      functions,
    },
    configurationInput: {},
    configSchemaHandler: { defineTopLevelProperty: () => {}, defineCustomProperties: () => {} },
    classes: {
      Error: Object.assign(function (this: unknown, message: string, code?: string) {
        return Object.assign(new Error(message), { name: 'ServerlessError', code });
      }, {}) as never,
    },
    getProvider: () => ({
      getStage: () => 'prod',
      getRegion: () => 'eu-central-1',
      getDeploymentPrefix: () => 'serverless',
      getServerlessDeploymentBucketName: async () => 'bucket',
      naming: { getStackName: () => 'shop-prod' },
    }),
    processedInput: { commands: [], options: {} },
  };
}

describe('the schema of `function:`', () => {
  const functions = { type: 'object', properties: { vpc: {} } };
  const schemaOf = (models: unknown): object | undefined =>
    modelFunctionSchema({
      ...serverless(),
      configurationInput: { models },
      configSchemaHandler: {
        defineTopLevelProperty: () => {},
        defineCustomProperties: () => {},
        schema: { properties: { functions: { patternProperties: { '^[a-zA-Z0-9-_]+$': functions } } } },
      },
    });

  it('is the framework’s where a model has one, or may have it once variables are known', () => {
    const plain = { artifact: 'a.onnx' };
    expect(schemaOf({ churn: plain, fraud: { ...plain, function: { vpc: {} } } })).toBe(functions);
    expect(schemaOf({ churn: { ...plain, function: `\${ssm:/function}` } })).toBe(functions);
    expect(schemaOf({ churn: plain, fraud: `\${file(fraud.yml)}` })).toBe(functions);
    expect(schemaOf(`\${file(models.yml)}`)).toBe(functions);
  });

  it('is left out where none has it, and compiled by no command', () => {
    expect(schemaOf({ churn: { artifact: 'a.onnx' } })).toBeUndefined();
    expect(schemaOf({})).toBeUndefined();
    expect(schemaOf(undefined)).toBeUndefined();
  });
});

describe('credentials and region', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it('are for the region that the framework resolved', () => {
    expect(awsConfig(serverless(), {}).region).toBe('eu-central-1');
  });

  it('come with bounds: nothing that is asked of AWS is waited for without one', async () => {
    const server = await startServer();
    vi.stubEnv('AWS_ENDPOINT_URL', server.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'environment-key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const aws = awsConfig(serverless(), {});
    expect(aws.requestHandler?.connectionTimeout).toBeLessThanOrEqual(30_000);
    expect(aws.requestHandler?.socketTimeout).toBeLessThanOrEqual(120_000);
    // The same handler, sooner.
    const sts = new STSClient({ ...waitingFor(aws, 200), maxAttempts: 1 });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'TimeoutError' });
    sts.destroy();
    await server.close();
  });
});

describe('what is written into the deployment bucket', () => {
  const encryption = (provider: Record<string, unknown>, bucket = 'bucket') =>
    awsConfig(serverless(provider), {}).encryption?.(bucket);
  const options = { serverSideEncryption: 'aws:kms', sseKMSKeyId: 'alias/mine' };
  const headers = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/mine' };

  it('is encrypted as the framework encrypts its own, and other buckets have their own say', async () => {
    // As written, and as the framework keeps it once it has read it.
    for (const key of ['deploymentBucket', 'deploymentBucketObject'])
      expect(await encryption({ [key]: options })).toEqual(headers);
    expect(await encryption({ deploymentBucketObject: options }, 'registry')).toBeUndefined();
    expect(await encryption({ deploymentBucketObject: { serverSideEncryption: 'AES256' } })).toEqual({
      ServerSideEncryption: 'AES256',
    });
    expect(hostOf(serverless({ deploymentBucketObject: options }), {}).encryption).toEqual(headers);
  });

  it('is encrypted as its bucket says where the service says nothing', () => {
    for (const deploymentBucket of [undefined, 'named', { name: 'named', sseCustomerKey: 'mine' }])
      expect(encryption({ deploymentBucket })).toBeUndefined();
  });
});

describe('functions', () => {
  it('are added, and added to: what other plugins did to them in between stays', () => {
    const framework = serverless();
    const environment = { A: '1', D: 'ssm:/d', E: '5' };
    const first = { churn: { handler: 'h', layers: ['runtime'], environment, timeout: 6 } };
    setFunctions(framework, first);
    const { churn: there } = framework.service.functions;
    // As serverless-plugin-datadog does, beside others.
    Object.assign(there ?? {}, {
      handler: '/opt/wrapper.handler',
      layers: ['runtime', 'library', 'extension'],
      // And as one that reads secrets does.
      environment: { A: '1', B: '2', D: 'read' },
      warm: true,
      timeout: 7,
      package: { artifact: 'theirs.zip' },
    });
    setFunctions(
      framework,
      {
        churn: {
          handler: 'h',
          layers: ['built'],
          environment: { ...environment, C: '3' },
          timeout: 8,
          package: { artifact: 'x.zip' },
        },
      },
      first,
    );
    expect(framework.service.functions.churn).toBe(there);
    expect(there).toEqual({
      handler: '/opt/wrapper.handler',
      layers: ['built', 'library', 'extension'],
      events: [],
      warm: true,
      environment: { A: '1', B: '2', C: '3', D: 'read' },
      // Both have something new.
      timeout: 8,
      package: { artifact: 'x.zip' },
    });
  });

  it('say to plugins that have a key for it that they leave them alone', () => {
    const custom = { warmup: { default: { enabled: true }, night: {} } };
    const known = (properties: object, service: object = { custom }, more: object = {}) => {
      const framework = serverless();
      const schema = { properties: { functions: { patternProperties: { '.': { properties } } } } };
      const shown = {
        ...framework,
        service: { ...framework.service, ...service },
        configSchemaHandler: { ...framework.configSchemaHandler, schema },
      };
      setFunctions(shown, { churn: { handler: 'h', ...more } });
      const {
        events: _events,
        package: _package,
        handler: _handler,
        ...keys
      } = shown.service.functions.churn ?? {};
      return keys;
    };
    expect(known({})).toEqual({});
    expect(known({ skipEsbuild: {} })).toEqual({ skipEsbuild: true });
    expect(known({ warmup: {} }, { custom: undefined })).toEqual({});
    // It refuses a warmer that is not declared.
    expect(known({ warmup: {} })).toEqual({
      warmup: { default: { enabled: false }, night: { enabled: false } },
    });
    const warmup = { night: { enabled: true, alias: 'live' } };
    expect(known({ warmup: {} }, { custom }, { warmup })).toEqual({ warmup });
  });

  it('are none of Node.js for plugins that compile each of these, until the framework compiles them', () => {
    class IncludeDependencies {}
    const planned = { churn: { handler: 'h', runtime: 'nodejs24.x' }, image: { image: 'i' } };
    const framework = { ...serverless(), pluginManager: { plugins: [new IncludeDependencies()] } };
    setFunctions(framework, planned);
    const runtimes = () => Object.values(framework.service.functions).map(({ runtime }) => runtime);
    expect(runtimes()).toEqual(['java21', undefined]);
    settleFunctions(framework, planned);
    expect(runtimes()).toEqual(['nodejs24.x', undefined]);
    setFunctions({ ...framework, pluginManager: { plugins: [] } }, planned);
    expect(runtimes()).toEqual(['nodejs24.x', undefined]);
  });

  it('are so beside a plugin that extends such a one, as serverless-bundle does', () => {
    class ServerlessWebpack {}
    class ServerlessPlugin extends ServerlessWebpack {}
    const framework = { ...serverless(), pluginManager: { plugins: [new ServerlessPlugin()] } };
    setFunctions(framework, { churn: { handler: 'h', runtime: 'nodejs24.x' } });
    expect(framework.service.functions.churn?.runtime).toBe('java21');
  });

  it('keep their handler where another plugin wraps it by a file of the service, and say so', () => {
    const planned = Object.fromEntries(
      ['churn', 'models-release', 'fraud', 'risk'].map((key) => [key, { handler: 'handler.handler' }]),
    );
    const framework = serverless();
    setFunctions(framework, planned);
    // As serverless-lumigo does, serverless-plugin-datadog without its layers and with them, and New Relic’s.
    const wrapped = {
      churn: '_lumigo/churn.handler',
      'models-release': 'node_modules/datadog-lambda-js/dist/handler.handler',
      fraud: '/opt/nodejs/node_modules/datadog-lambda-js/handler.handler',
      risk: 'newrelic-lambda-wrapper.handler',
    };
    for (const [key, handler] of Object.entries(wrapped))
      Object.assign(framework.service.functions[key] ?? {}, { handler });
    setFunctions(framework, planned, planned);
    expect(settleFunctions(framework, planned)).toEqual(
      (['churn', 'models-release'] as const).map(
        (key) =>
          `functions.${key}: another plugin wraps its handler by ${wrapped[key]}, a file of the service, which is not in its zip. So it keeps its own, without that plugin.`,
      ),
    );
    const handlers = Object.values(framework.service.functions).map(({ handler }) => handler);
    expect(handlers).toEqual(['handler.handler', 'handler.handler', wrapped.fraud, wrapped.risk]);
    expect(settleFunctions(framework, planned)).toEqual([]);
  });

  it('are shown by `sls print` also where the service has none of its own', () => {
    const framework = serverless();
    setFunctions(framework, { churn: { handler: 'h' } });
    expect(framework.configurationInput.functions).toBe(framework.service.functions);
  });
});

describe('the service as plain data', () => {
  it('knows its deployment bucket by name, however it is written, or by reference', () => {
    expect(hostOf(serverless(), {}).bucket).toEqual({ Ref: 'ServerlessDeploymentBucket' });
    expect(hostOf(serverless({ deploymentBucket: 'mine' }), {}).bucket).toBe('mine');
    expect(hostOf(serverless({ deploymentBucket: { name: 'mine' } }), {}).bucket).toBe('mine');
    expect(hostOf(serverless({ deploymentBucket: { blockPublicAccess: true } }), {}).bucket).toEqual({
      Ref: 'ServerlessDeploymentBucket',
    });
  });

  it('knows whether it mentions a VPC before the framework writes one everywhere', () => {
    expect(hostOf(serverless(), { own: {} }).hasVpc).toBe(false);
    expect(hostOf(serverless(), { own: { vpc: {} } }).hasVpc).toBe(true);
    expect(hostOf(serverless({ vpc: {} }), {}).hasVpc).toBe(true);
  });

  it('knows how many versions serverless-prune-plugin keeps, where it is there and acts by itself', () => {
    class Prune {}
    const kept = (prune: object, plugins: readonly object[] = [new Prune()]) => {
      const plain = serverless();
      const service = { ...plain.service, custom: { prune } };
      return hostOf({ ...plain, service, pluginManager: { plugins } }, {}).prunePlugin;
    };
    expect(kept({ automatic: true, number: 3 })).toBe(3);
    expect(kept({ automatic: true, number: 0 })).toBeUndefined();
    expect(kept({ number: 3 })).toBeUndefined();
    expect(kept({ automatic: true, number: 3 }, [])).toBeUndefined();
  });
});

describe('the service’s own resources', () => {
  const of = (resources: unknown) => {
    const plain = serverless();
    const { declared, extended } = hostOf({ ...plain, service: { ...plain.service, resources } }, {});
    return { declared, extended };
  };

  it('are known by their ids, and those that they extend', () => {
    expect(
      of({ Resources: { Orders: { Type: 'AWS::SNS::Topic' } }, extensions: { ChurnLambdaFunction: {} } }),
    ).toEqual({ declared: ['Orders'], extended: ['ChurnLambdaFunction'] });
    for (const nothing of [undefined, null, {}, { Resources: null, extensions: null }])
      expect(of(nothing)).toEqual({ declared: [], extended: [] });
  });
});

describe('errors', () => {
  it('with problems become the framework’s user errors; others stay bugs', () => {
    const problem = {
      code: 'MODELS_USAGE',
      key: '--model',
      message: 'is missing.',
      fix: 'Name one.',
    } as const;
    const error = asUserError(serverless(), problemError([problem]));
    expect(error).toMatchObject({
      name: 'ServerlessError',
      code: 'MODELS_USAGE',
      message: '--model: is missing. Name one. [MODELS_USAGE]',
    });
    const bug = new TypeError('x');
    expect(asUserError(serverless(), bug)).toBe(bug);
  });
});
