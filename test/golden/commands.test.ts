import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Framework, frameworks, install, osls4, service, sls, warmSls } from './frameworks.ts';

const yaml = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx, traffic: 5/s, http: {auth: none}}
  fraud: {artifact: models/churn.onnx}
`;
const faulty = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx, memori: 512}
  fraud: {artifact: models/nowhere.onnx}
`;

const plain =
  'service: shop\nprovider: {name: aws}\nplugins: [./plugin.ts]\nfunctions:\n  own: {handler: own.handler}\n';

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
});

const each = frameworks.map((framework) => [framework.name, framework] as const);

describe.each(each)('%s', (_, framework: Framework) => {
  /** Each command by a process of its own where the plugin’s development dependency is. */
  const run = framework === osls4 ? sls : warmSls;

  it('the framework’s own calls go to AWS_ENDPOINT_URL, as the plugin’s do', async () => {
    const asked: string[] = [];
    const server = createServer(async (request, answer) => {
      asked.push(`${request.headers['user-agent']} ${await text(request)}`);
      const error =
        '<Error><Code>ValidationError</Code><Message>Stack with id shop-dev does not exist</Message></Error>';
      answer.writeHead(400, { 'content-type': 'text/xml' });
      answer.end(`<ErrorResponse>${error}</ErrorResponse>`);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const folder = await service(framework, 'commands', { yaml });
      const { port } = server.address() as AddressInfo;
      const env = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
      const url = `http://127.0.0.1:${port}`;
      const info = await sls(framework, folder, ['info'], { ...env, AWS_ENDPOINT_URL: url });
      expect(info.output).toContain('does not exist');
      // The plugin’s are of SDK v3 everywhere.
      const sdk =
        framework === osls4
          ? /aws-sdk-js\/3.* Action=DescribeStacks/
          : /aws-sdk-nodejs\/2.* Action=DescribeStacks/;
      expect(asked.join('\n')).toMatch(sdk);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('print shows the functions that models become', async () => {
    const folder = await service(framework, 'commands', { yaml });
    const { stdout, code } = await run(framework, folder, ['print', '--format', 'json']);
    expect(code).toBe(0);
    const { functions } = JSON.parse(stdout);
    expect(Object.keys(functions)).toEqual(['churn', 'fraud', 'models-catalog', 'models-release']);
    expect(functions.churn).toMatchObject({ name: 'shop-dev-churn', memorySize: 1769, timeout: 10 });
  });

  it('validate lists the problems of declarations and of artifacts together, and fails', async () => {
    const folder = await service(framework, 'commands', { yaml: faulty });
    const { output, code } = await run(framework, folder, ['models', 'validate']);
    expect(code).toBe(1);
    expect(output).toContain('models.churn.memori: is not a key that exists here. Did you mean `memory`?');
    expect(output).toContain('models.fraud.artifact: models/nowhere.onnx does not exist.');
  });

  it.each([
    [['validate'], ['MODELS_UNKNOWN_KEY', 'MODELS_ARTIFACT_MISSING']],
    [['list'], ['MODELS_UNKNOWN_KEY']],
    [['invoke'], ['MODELS_UNKNOWN_KEY']],
  ])('problems of a declaration are JSON alone with --json: %j', async (verb, codes) => {
    const folder = await service(framework, 'commands', { yaml: faulty });
    const { stdout, output, code } = await run(framework, folder, ['models', ...verb, '--json']);
    expect(code).toBe(1);
    const { valid, problems } = JSON.parse(stdout);
    expect(valid).toBe(verb[0] === 'validate' ? false : undefined);
    expect(problems.map(({ code }: { code: string }) => code)).toEqual(codes);
    const [{ text }] = problems;
    expect(text).toBe(
      'models.churn.memori: is not a key that exists here. Did you mean `memory`? [MODELS_UNKNOWN_KEY]',
    );
    expect(output.split(text)).toHaveLength(2);
  });

  it('what asks of that which is deployed goes on with the models that are declared well', async () => {
    const folder = await service(framework, 'commands', { yaml: faulty });
    const { stdout, output, code } = await run(framework, folder, ['models', 'drift', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).problems).toMatchObject([{ message: 'fraud declares no drift.' }]);
    expect(output).toContain('models.churn.memori: is not a key that exists here. Did you mean `memory`?');
    expect(output).toContain('Left out, since serverless.yml is wrong there: churn.');
  });

  it('what a command meets on its way is JSON alone with --json, and a text without', async () => {
    const folder = await service(framework, 'commands', { yaml });
    const { stdout, output, code } = await run(framework, folder, ['models', 'invoke', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      problems: [
        {
          code: 'MODELS_USAGE',
          key: '--model',
          message: 'is missing.',
          fix: 'Name one of churn, fraud.',
          text: '--model: is missing. Name one of churn, fraud. [MODELS_USAGE]',
        },
      ],
    });
    expect(output.split('is missing')).toHaveLength(3);
    const ran = await run(framework, folder, ['models', 'invoke']);
    expect(ran.code).toBe(1);
    expect(ran.output).toContain('--model: is missing. Name one of churn, fraud. [MODELS_USAGE]');
    expect(ran.output).not.toContain('"problems"');
  });

  it('status of no models is an empty list with --json', async () => {
    const folder = await service(framework, 'commands', { yaml: plain });
    expect(await run(framework, folder, ['models', 'status', '--json'])).toMatchObject({
      stdout: '[]\n',
      code: 0,
    });
  });

  it('plan says what is created and what it costs, as text and as JSON', async () => {
    const folder = await service(framework, 'commands', { yaml });
    const ran = await run(framework, folder, ['models', 'plan', '--stage', 'prod']);
    expect(ran.stdout).toMatch(/^shop-prod in us-east-1: \d+ resources of 500/m);
    expect(ran.stdout).toContain('shop-prod-churn:live');
    expect(ran.stdout).toMatch(/churn +\$\d+\.\d\d at 5 requests\/s: requests \$2\.59/);
    expect(ran.stdout).toMatch(
      /fraud +\$1\.40 without requests: alarms \$1\.10, sweep \$0\.300; with them unknown/,
    );
    expect(ran.stdout).toMatch(/^ {2}alarm +shop-prod-churn-errors$/m);
    expect(ran.stdout).toMatch(
      /^Signatures:\n {2}not compared with what is live: there are no credentials of AWS: .+\n\nCost/m,
    );
    const { stdout } = await run(framework, folder, ['models', 'plan', '--json', '--duration', '100']);
    const { cost, creates, releases } = JSON.parse(stdout);
    const unknown = { compared: false, reason: expect.stringMatching(/^there are no credentials of AWS: /) };
    expect(releases).toMatchObject([
      { name: 'churn', signature: unknown },
      { name: 'fraud', signature: unknown },
    ]);
    // 5/s for 30 days: 12.96 million requests.
    expect(cost.models[0].requests).toBeCloseTo(2.592, 6);
    expect(cost.models[0].compute).toBeCloseTo(12.96e6 * 0.1005 * (1769 / 1024) * 0.0000166667, 6);
    expect(cost.models[0].http).toBeCloseTo(12.96, 6);
    expect(creates.filter(({ what }: { what: string }) => what === 'route').length).toBeGreaterThan(10);
  });
});

const batch = yaml.replace(
  'fraud: {artifact: models/churn.onnx}',
  `fraud:
    artifact: models/churn.onnx
    batch:
      - {input: 's3://shop-incoming/a/', output: 's3://shop-scored/'}
      - {input: 's3://shop-incoming/b/', output: 's3://shop-scored/'}
      - {input: 's3://shop-drop', output: 's3://shop-drop-scored', create: true}`,
);

it.each([
  ['without batch', yaml],
  ['with batch', batch],
])('plan counts the resources that package makes: %s', async (_, source) => {
  const folder = await service(osls4, 'commands', { yaml: source });
  const { stdout } = await warmSls(osls4, folder, ['models', 'plan', '--json']);
  await warmSls(osls4, folder, ['package']);
  const { templateIn } = await import('./frameworks.ts');
  const { Resources } = await templateIn(folder);
  expect('FraudDashbatchMachine' in Resources).toBe(source === batch);
  const bucket = ['ServerlessDeploymentBucket', 'ServerlessDeploymentBucketPolicy'];
  expect(JSON.parse(stdout).resources).toBe(
    Object.keys(Resources).filter((id) => !bucket.includes(id)).length,
  );
});

it('plan does not wait for an AWS that does not answer', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as AddressInfo;
  try {
    const folder = await service(osls4, 'commands', { yaml });
    const { stdout, code } = await sls(osls4, folder, ['models', 'plan'], {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'k',
      AWS_SECRET_ACCESS_KEY: 's',
    });
    expect(code).toBe(0);
    expect(stdout).toContain('  not compared with what is live: AWS did not answer within 3 s\n');
    expect(stdout).toContain('Cost a month');
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

it('invoke without input shows an example of what to ask', async () => {
  const folder = await service(osls4, 'commands', { yaml });
  const { output, code } = await sls(osls4, folder, ['models', 'invoke', '--model', 'churn']);
  expect(code).toBe(1);
  expect(output).toContain('--data \'{"inputs":[{"name":"a"');
});

it('a model cannot be deployed as a single function', async () => {
  const folder = await service(osls4, 'commands', { yaml });
  const { output, code } = await sls(osls4, folder, ['deploy', 'function', '-f', 'churn']);
  expect(code).toBe(1);
  expect(output).toContain('Run `sls deploy`.');
  // $LATEST is what is called of the plugin's own functions: they are told otherwise, and with another key.
  const own = await sls(osls4, folder, ['deploy', 'function', '-f', 'models-release']);
  expect(own.code).toBe(1);
  expect(own.output).toContain(
    'functions.models-release: is the plugin’s own, and goes with the stack alone',
  );
  expect(own.output).not.toContain('$LATEST');
});

it('a model cannot be rolled back as a single function: that would end well, and change what nobody calls', async () => {
  const folder = await service(osls4, 'commands', { yaml });
  const single = ['rollback', 'function', '-f', 'churn', '--function-version', '3'];
  const { output, code } = await sls(osls4, folder, single);
  expect(code).toBe(1);
  expect(output).toContain('Run `sls models rollback`');
  // A command to be copied asks the service that this one asked.
  const there = await sls(osls4, folder, [...single, '--region', 'eu-central-1']);
  expect(there.output).toContain('Run `sls models rollback --region eu-central-1`');
});

it('a model cannot be invoked as local code', async () => {
  const folder = await service(osls4, 'commands', { yaml });
  const { output, code } = await sls(osls4, folder, ['invoke', 'local', '-f', 'churn', '-d', '{}']);
  expect(code).toBe(1);
  expect(output).toContain('Run `sls models serve`');
});

it('a service without models is left alone, but has the commands', async () => {
  const folder = await service(osls4, 'commands', { yaml: plain });
  const { stdout } = await warmSls(osls4, folder, ['print', '--format', 'json']);
  expect(Object.keys(JSON.parse(stdout).functions)).toEqual(['own']);
  expect((await warmSls(osls4, folder, ['package'])).code).toBe(0);
  const help = await sls(osls4, folder, ['--help']);
  expect(help.output).toContain('models validate');
});
