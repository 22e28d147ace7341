import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { objects } from '../../../../../plugins/models/plan/iam/s3-arns.ts';
import { PRICES } from '../../../../../plugins/models/plan/shared/prices.ts';
import { planJson } from '../../../../../plugins/models/plan-report/json.ts';
import type { PlannedModel } from '../../../../../plugins/models/plan-report/report.ts';
import { planText } from '../../../../../plugins/models/plan-report/text.ts';
import { declaredModels, FACTS, HOST } from '../../../../fixtures/service.ts';
import { pages } from '../../../docs/pages.ts';

it('a sum with a price that no page of AWS’s own showed has a mark', () => {
  const plan = { models: [], options: {}, host: HOST, built: new Map(), zips: new Map() };
  const context = { plan, service: { stack: 'shop-dev', region: 'us-east-1', stage: 'dev' } } as unknown;
  const text = (images: number): string =>
    planText({ items: [], lines: [], idle: 0.5, images, live: new Map() }, context as Context);
  expect(text(0.25)).toContain(
    'idle             $0.500 for packages in S3, $0.250 ? (no page of AWS’s own could be read) for images at ECR without their bases, ',
  );
  expect(text(0)).not.toContain('?');
  expect(PRICES.sources).toContain('https://aws.amazon.com/ecr/pricing/');
});

// https://aws.amazon.com/cloudwatch/pricing/: three dashboards of up to 50 metrics each
it('a dashboard is called free only where AWS bills none like it', () => {
  const plan = { models: [], options: { dashboard: true }, host: HOST, built: new Map(), zips: new Map() };
  const context = { plan, service: { stack: 'shop-dev', region: 'us-east-1', stage: 'dev' } } as unknown;
  const report = { items: [], lines: [], idle: 0, images: 0, live: new Map() };
  expect(planText(report, context as Context)).toContain(
    'dashboard        $3.00, or nothing where the account has less than three others, and this one at most 50 metrics',
  );
  expect(JSON.parse(planJson(report, context as Context)).cost.dashboard).toBe(3);
  const without = { ...(context as Context), plan: { ...plan, options: {} } };
  expect(JSON.parse(planJson(report, without)).cost).not.toHaveProperty('dashboard');
});

it('the policy of a role that the service names lets a model read its files beyond the zip, and says whom it trusts', () => {
  const provider = { iam: { role: 'arn:aws:iam::123456789012:role/all' } };
  const models = declaredModels({ churn: { batch: [{ input: 's3://incoming/', output: 's3://scored/' }] } });
  const plan = { models, options: {}, host: { ...HOST, provider }, built: new Map(), zips: new Map() };
  const context = { plan, service: { stack: 'shop-dev', region: 'us-east-1', stage: 'dev' } } as unknown;
  const facts = { ...FACTS, remote: [{ path: 'model/churn.data', sha256: 'd'.repeat(64), bytes: 1 }] };
  const times = { duration: { ms: 1, from: 'given' }, init: { ms: 1, from: 'given' } };
  const standing = { alarms: 0, sweep: 0, provisioned: 0, queue: 0 };
  const lines = models.map((model) => ({ model, facts, standing, times })) as unknown as PlannedModel[];
  const report = { items: [], lines, idle: 0, images: 0, live: new Map() };
  const services = ['lambda.amazonaws.com', 'states.amazonaws.com', 'scheduler.amazonaws.com'];
  const told = JSON.parse(planJson(report, context as Context));
  const reads = {
    Effect: 'Allow',
    Action: ['s3:GetObject'],
    Resource: [objects(HOST.bucket, 'models/files/')],
  };
  // For the endpoint, for its batch function, and for the worker.
  expect(told.policy.Statement.filter((one: unknown) => isDeepStrictEqual(one, reads))).toHaveLength(3);
  expect(told.trust).toEqual(services);
  const text = planText(report, context as Context);
  expect(text).toContain(
    `The service names a role; it needs this policy (docs/deploy-policy.md says what stands for Ref and Fn in IAM); its trust policy must name ${services[0]}, ${services[1]} and ${services[2]}:\n{`,
  );
  expect(text).toContain(JSON.stringify(told.policy, null, 2));
  // IAM takes no functions of CloudFormation: the page says what is written in place of each.
  const policy = JSON.stringify(told.policy);
  const words = [...policy.matchAll(/\$\{([^}]+)\}|"Ref":"([^"]+)"|"(Fn::(?!Sub|Join)[^"]+)"/g)];
  const page = pages.get('docs/deploy-policy.md');
  expect(words.length).toBeGreaterThan(10);
  for (const [, part, name, call] of words) expect(page).toContain(`\`${part ?? name ?? call}\``);
});

it('a service without models costs nothing, its sweeps included', () => {
  const plan = { models: [], options: {}, host: HOST, built: new Map(), zips: new Map() };
  const context = { plan, service: { stack: 'shop-dev', region: 'us-east-1', stage: 'dev' } } as unknown;
  const report = { items: [], lines: [], idle: 0, images: 0, live: new Map() };
  const { cost } = JSON.parse(planJson(report, context as Context));
  expect(cost).toMatchObject({ models: [], idle: 0, sweeps: 0 });
});

it('no step is said to pass where nothing counts the requests of the model', () => {
  const told = (given: object): string => {
    const models = declaredModels({ churn: { traffic: '5/s', ...given } });
    const plan = { models, options: {}, host: HOST, built: new Map(), zips: new Map() };
    const context = { plan, service: { stack: 'shop-dev', region: 'us-east-1', stage: 'dev' } } as unknown;
    return planText({ items: [], lines: [], idle: 0, images: 0, live: new Map() }, context as Context);
  };
  const silent = told({ function: { disableLogs: true } });
  expect(silent).toContain(
    'Releases:\n  churn: no step gets a verdict, since `function.disableLogs` leaves no log in which the model’s requests are counted; after its bake and maxWait the first one is held.\n',
  );
  expect(silent).not.toContain('can pass after');
  expect(told({ function: { disableLogs: true }, release: { onNoData: 'rollback' } })).toContain(
    'the first one is rolled back.',
  );
  // What another role may, nobody knows here; and a dry run takes its steps by time alone.
  const role = 'arn:aws:iam::123456789012:role/own';
  expect(told({ function: { disableLogs: true, role } })).toContain('can pass after');
  expect(told({ function: { disableLogs: true }, release: { dryRun: true } })).toContain('can pass after');
  expect(told({})).toContain('can pass after');
});
