import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { frameworks, install, service, type Template, templateIn, warmSls } from './frameworks.ts';

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
});

/**
 * A service with functions of every kind that widens the framework's shared role, and the models that would
 * widen it more.
 */
const own = `
service: shop
provider:
  name: aws
  iam:
    role:
      statements: [{Effect: Allow, Action: ['kms:Decrypt'], Resource: ['arn:aws:kms:us-east-1:123456789012:key/*']}]
plugins: [./plugin.ts, ./later.cjs]
# With models declared, their files are left out of this zip by themselves.
package: {patterns: ['!models/**']}
functions:
  own:
    runtime: nodejs24.x
    handler: own.handler
    onError: arn:aws:sns:us-east-1:123456789012:failed
    events:
      - sqs: arn:aws:sqs:us-east-1:123456789012:own
      - sqs: arn:aws:sqs:us-east-1:123456789012:both
      - stream: {arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/own', consumer: true}
      - httpApi: GET /own
  warm: {runtime: nodejs24.x, handler: own.handler, provisionedConcurrency: 1}
`;
const models = `
models:
  churn:
    artifact: models/churn.onnx
    http: {auth: none}
    batch: [{input: 's3://incoming/churn/', output: 's3://scored/churn/'}]
    function:
      vpc: {securityGroupIds: [sg-0123456789abcdef0], subnetIds: [subnet-0123456789abcdef0]}
      tracing: Active
      kmsKeyArn: arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555
      onError: arn:aws:sns:us-east-1:123456789012:failed-models
      events:
        - sqs: arn:aws:sqs:us-east-1:123456789012:work
        - sqs: arn:aws:sqs:us-east-1:123456789012:both
        - stream: {arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', consumer: true}
        - stream: {arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2020-01-01T00:00:00.000', type: dynamodb}
        - msk: {arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/shop/11111111-2222-3333-4444-555555555555-1', topic: topic}
        - schedule: {rate: ['rate(2 hours)'], method: scheduler}
  renamed:
    artifact: models/churn.onnx
    function:
      name: another-name
      events:
        - schedule: {rate: ['rate(3 hours)'], method: scheduler, roleArn: 'arn:aws:iam::123456789012:role/schedules'}
  silent: {artifact: models/churn.onnx, function: {disableLogs: true}}
`;

/** A plugin that adds a function while the service is packaged, as those do that keep functions warm. */
const later = `module.exports = class {
  constructor({ service }) {
    const events = [{ sqs: 'arn:aws:sqs:us-east-1:123456789012:both' }];
    const added = { handler: 'own.handler', runtime: 'nodejs20.x', name: 'shop-dev-later', events };
    this.hooks = { 'after:package:initialize': () => { service.functions.later = added; } };
  }
};
`;

const timeless = (template: Template): Template =>
  JSON.parse(JSON.stringify(template).replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'));

it.each(frameworks.map((framework) => [framework.name, framework] as const))(
  'functions and resources of a service are the same with models beside them: %s',
  async (_, framework) => {
    const templates: Template[] = [];
    for (const yaml of [own, own + models]) {
      const folder = await service(framework, 'beside', { yaml });
      await writeFile(join(folder, 'later.cjs'), later);
      const run = await warmSls(framework, folder, ['package']);
      expect(run.code, run.output).toBe(0);
      templates.push(timeless(await templateIn(folder)));
    }
    const [without, beside] = templates;
    expect(Object.keys(without?.Resources ?? {})).toContain('IamRoleLambdaExecution');
    for (const [id, resource] of Object.entries(without?.Resources ?? {})) {
      const now = beside?.Resources[id];
      if (id === 'HttpApiStage') {
        // The one resource that is shared: each route of the models has its limits there.
        const { RouteSettings, ...properties } = now?.Properties ?? {};
        expect(Object.keys(RouteSettings ?? {})).not.toContain('GET /own');
        expect(properties).toEqual(resource.Properties);
      } else expect(now, id).toEqual(resource);
    }
  },
);
