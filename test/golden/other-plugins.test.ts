import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { unzip } from '../unzip.ts';
import {
  type Framework,
  frameworks,
  install,
  osls4,
  ownSls,
  service,
  type Template,
  templateIn,
  warmSls,
} from './frameworks.ts';
import { changers, compilers, installPlugins, linkPlugins, offline, packagers } from './other-plugins.ts';

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
  for (const plugins of [packagers, compilers, changers, offline]) await installPlugins(plugins);
});

/** A service that uses each of the plugins, in TypeScript, which only serverless-esbuild can package. */
const own = `
functions:
  own:
    handler: own.handler
    iamRoleStatements: [{Effect: Allow, Action: ['sqs:SendMessage'], Resource: '*'}]
    events: [{httpApi: GET /own}]
stepFunctions:
  stateMachines:
    orders:
      name: orders
      definition:
        StartAt: ask
        States: {ask: {Type: Task, Resource: {'Fn::GetAtt': [own, Arn]}, End: true}}
custom:
  prune: {automatic: true, number: 5}
`;
const models = `
models:
  churn:
    artifact: models/churn.onnx
    http: {auth: none}
    batch: [{input: 's3://incoming/churn/', output: 's3://scored/churn/'}]
`;
const OURS = './plugin.ts';
const OTHERS = [
  'serverless-esbuild',
  'serverless-prune-plugin',
  'serverless-step-functions',
  'serverless-iam-roles-per-function',
];

/**
 * By a process of its own where all plugins are together in one way, by one that is warm in the others.
 * @param individually a zip for each function, or one for all of the service's own
 */
async function packaged(
  framework: Framework,
  name: string,
  plugins: readonly string[],
  parts: string,
  individually = false,
): Promise<{ readonly folder: string; readonly resources: Template['Resources'] }> {
  const folder = await service(framework, name, {
    yaml: `service: shop
provider: {name: aws, runtime: nodejs20.x, environment: {TABLE: customers}}
package: {individually: ${individually}}
plugins: [${plugins.join()}]
${parts}`,
  });
  await linkPlugins(packagers, folder);
  await writeFile(
    join(folder, 'own.ts'),
    'const status: number = 204;\nexport const handler = async () => ({ statusCode: status });\n',
  );
  const run = await (individually ? ownSls : warmSls)(framework, folder, ['package']);
  expect(run.code, run.output).toBe(0);
  const { Resources } = JSON.parse(
    JSON.stringify(await templateIn(folder)).replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'),
  ) as Template;
  return { folder, resources: Resources };
}

const only = (resources: Template['Resources'], ids: readonly string[]) =>
  Object.fromEntries(ids.map((id) => [id, resources[id]]));

const filesIn = async (folder: string, zip: string): Promise<readonly string[]> =>
  Object.keys(await unzip(join(folder, '.serverless', zip))).sort();

describe.each(frameworks.map((framework) => [framework.name, framework] as const))(
  'beside serverless-esbuild, prune, step-functions and iam-roles-per-function: %s',
  (_, framework) => {
    it('models become what they are alone, the service’s own parts what they are without models, in any order', async () => {
      const alone = await packaged(framework, 'models-alone', [OURS], models);
      const without = await packaged(framework, 'others-alone', OTHERS, own);
      const modelIds = Object.keys(alone.resources).filter((id) => !(id in without.resources));
      const ownIds = Object.keys(without.resources).filter((id) => !(id in alone.resources));
      expect(modelIds).toEqual(
        expect.arrayContaining([
          'ChurnLambdaFunction',
          'ModelsDashreleaseLambdaFunction',
          'ModelsDashcatalogLambdaFunction',
        ]),
      );
      expect(ownIds).toEqual(
        expect.arrayContaining(['OwnLambdaFunction', 'OwnIamRoleLambdaExecution', 'OrdersRole']),
      );
      for (const [name, plugins] of [
        ['ours-first', [OURS, ...OTHERS]],
        ['ours-last', [...OTHERS, OURS]],
      ] as const) {
        const beside = await packaged(framework, name, plugins, own + models);
        expect(only(beside.resources, modelIds), name).toEqual(only(alone.resources, modelIds));
        expect(only(beside.resources, ownIds), name).toEqual(only(without.resources, ownIds));
        // Bundled by serverless-esbuild, and nothing of the models in it.
        expect(await filesIn(beside.folder, 'shop.zip')).toEqual(['own.js']);
        expect(await filesIn(beside.folder, 'churn.zip')).toEqual([
          'batch.mjs',
          'handler.mjs',
          'model/model.onnx',
        ]);
      }
    });

    it('each function of the service may have a zip of its own', async () => {
      const { folder, resources } = await packaged(
        framework,
        'individually',
        [...OTHERS, OURS],
        own + models,
        true,
      );
      expect(await filesIn(folder, 'own.zip')).toEqual(['own.js']);
      expect(await filesIn(folder, 'churn.zip')).toEqual(['batch.mjs', 'handler.mjs', 'model/model.onnx']);
      expect(await filesIn(folder, 'models-release.zip')).toContain('handler.mjs');
      expect(resources.ChurnLambdaFunction?.Properties.Code).toMatchObject({
        S3Key: expect.stringMatching(/churn\.zip$/),
      });
    });
  },
);

const LOOKS_THROUGH = 'serverless-plugin-include-dependencies';
/** Each stands before us in the list with one framework at least, and after us with another. */
const besideCompilers = frameworks.flatMap((framework, index) =>
  ['serverless-webpack', 'serverless-plugin-typescript', LOOKS_THROUGH].map((other, at) => {
    const plugins = (index + at) % 2 === 0 ? [other, OURS] : [OURS, other];
    return [plugins.join(', '), framework.name, plugins, framework] as const;
  }),
);

it.each(besideCompilers)(
  'what compiles every function of Node.js leaves the models’ as they are: %s with %s',
  async (list, name, plugins, framework) => {
    const folder = await service(framework, `${name}-${plugins.join('-')}`, {
      yaml: `service: shop
provider: {name: aws, runtime: nodejs20.x}
package: {individually: true, patterns: ['!node_modules/**']}
plugins: [${list}]
functions:
  own: {handler: own.handler}
${models}`,
    });
    await linkPlugins(compilers, folder);
    const compilerOptions = { outDir: '.build', rootDir: './', types: [] };
    const files = {
      'package.json': '{}',
      'own.ts': 'export const handler = async () => ({ statusCode: 204 });\n',
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['own.ts'] }),
      'webpack.config.js':
        "module.exports = { mode: 'none', target: 'node', entry: require('serverless-webpack').lib.entries };\n",
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    // It compiles nothing.
    if (plugins.includes(LOOKS_THROUGH))
      await writeFile(join(folder, 'own.js'), 'exports.handler = () => {};\n');
    // TypeScript remembers the folder that it was first asked in.
    const run = await ownSls(framework, folder, ['package']);
    expect(run.code, run.output).toBe(0);
    expect(await filesIn(folder, 'own.zip')).toContain('own.js');
    for (const zip of ['churn.zip', 'models-release.zip', 'models-catalog.zip'])
      expect(await filesIn(folder, zip), zip).toContain('handler.mjs');
    const { Resources } = await templateIn(folder);
    const made = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function');
    expect(Object.fromEntries(made.map(([id, { Properties }]) => [id, Properties.Runtime]))).toEqual({
      ChurnLambdaFunction: 'nodejs24.x',
      ChurnDashbatchLambdaFunction: 'nodejs24.x',
      ModelsDashreleaseLambdaFunction: 'nodejs24.x',
      ModelsDashcatalogLambdaFunction: 'nodejs24.x',
      OwnLambdaFunction: 'nodejs20.x',
    });
  },
);

const CHANGERS = ['serverless-plugin-datadog', 'serverless-plugin-warmup'];
const besideChangers = frameworks.flatMap((framework) =>
  [
    ['ours-first', [OURS, ...CHANGERS]],
    ['ours-last', [...CHANGERS, OURS]],
  ].map(([order, plugins]) => [framework.name, order as string, plugins as string[], framework] as const),
);

it.each(besideChangers)(
  'layers, wrappers and variables of another plugin stay on a model, which is not kept warm by asking it: %s, %s',
  async (name, order, plugins, framework) => {
    const folder = await service(framework, `${name}-changers-${order}`, {
      yaml: `service: shop
provider: {name: aws, runtime: nodejs20.x}
package: {patterns: ['!node_modules/**']}
plugins: [${plugins.join()}]
functions:
  own: {handler: own.handler}
custom:
  datadog: {apiKey: ${'0'.repeat(32)}, skipCloudformationOutputs: true}
  warmup: {default: {enabled: true}}
${models}`,
    });
    await linkPlugins(changers, folder);
    await writeFile(join(folder, 'own.js'), 'exports.handler = async () => ({ statusCode: 204 });\n');
    const run = await warmSls(framework, folder, ['package']);
    expect(run.code, run.output).toBe(0);
    const { Resources } = await templateIn(folder);
    const { Handler, Layers, Environment } = Resources.ChurnLambdaFunction?.Properties ?? {};
    expect(Handler).toBe('/opt/nodejs/node_modules/datadog-lambda-js/handler.handler');
    expect(Environment).toMatchObject({ Variables: { DD_LAMBDA_HANDLER: 'handler.handler' } });
    expect(Layers).toEqual([
      { Ref: 'ModelsOnnxruntimeX8664LambdaLayer' },
      expect.stringContaining(':layer:Datadog-Node24-x:'),
      expect.stringContaining(':layer:Datadog-Extension:'),
    ]);
    expect(JSON.stringify(Resources.WarmUpPluginDefaultRole)).toContain('function:shop-dev-own*');
    expect(JSON.stringify(Resources.WarmUpPluginDefaultRole)).not.toMatch(/shop-dev-(churn|models)/);
    expect(await filesIn(folder, 'churn.zip')).toEqual(['batch.mjs', 'handler.mjs', 'model/model.onnx']);
  },
);

/** A port of 127.0.0.1 that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

it('beside serverless-offline: the service’s own functions answer there, the catalog from its zip, and a model says what it lacks', async () => {
  const folder = await service(osls4, 'offline', {
    yaml: `service: shop
provider: {name: aws, runtime: nodejs24.x}
plugins: [serverless-offline, ${OURS}]
functions:
  own: {handler: own.handler, events: [{httpApi: GET /own}]}
models:
  churn: {artifact: models/churn.onnx, http: {auth: none}}
`,
  });
  await linkPlugins(offline, folder);
  expect((await ownSls(osls4, folder, ['package'])).code).toBe(0);
  const [http, websocket, lambda] = [await freePort(), await freePort(), await freePort()];
  const ports = ['--httpPort', http, '--websocketPort', websocket, '--lambdaPort', lambda].map(String);
  const child = spawn(process.execPath, [osls4.bin, 'offline', '--noSponsor', ...ports], {
    cwd: folder,
    env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', SLS_NOTIFICATIONS_MODE: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          if (output.includes('Server ready')) resolve();
        });
      ended.then(() => reject(new Error(output)));
    });
    const ask = (path: string, init?: RequestInit) => fetch(`http://localhost:${http}${path}`, init);
    expect((await ask('/own')).status).toBe(204);
    expect(await (await ask('/v2')).json()).toMatchObject({ name: 'shop-dev' });
    const model = await ask('/v2/models/churn/infer', { method: 'POST', body: '{}' });
    expect(await model.text()).toContain('ONNX Runtime could not be loaded. Is its layer attached');
  } finally {
    child.kill('SIGINT');
    await ended;
  }
});
