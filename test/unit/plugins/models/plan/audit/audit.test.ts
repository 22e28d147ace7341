import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { Facts } from '../../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../../plugins/models/declaration/parse.ts';
import { auditedLogs, auditProblems, heldAudits } from '../../../../../../plugins/models/plan/audit/audit.ts';
import { monthlyCost } from '../../../../../../plugins/models/plan/cost.ts';
import { planProblems } from '../../../../../../plugins/models/plan/plan.ts';
import { PRICES } from '../../../../../../plugins/models/plan/shared/prices.ts';
import { spokenLine } from '../../../../../../plugins/models/serve/lines.ts';
import { HOST } from '../../../../../fixtures/service.ts';

const host: Host = { ...HOST, region: 'eu-central-1' };
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef';
const parsed = (audit: unknown, rest: object = {}) =>
  parseModels({ churn: { artifact: 'a.onnx', audit, ...rest } });
const messagesOf = (audit: unknown, rest?: object): readonly string[] =>
  parsed(audit, rest).problems.map(({ key, message, fix }) => `${key}: ${message} ${fix}`);

describe('a declared audit', () => {
  it('is there with nothing in it, and not without it', () => {
    expect(parsed({}).models[0]?.audit).toEqual({ predictions: false });
    expect(parsed(undefined).models[0]).not.toHaveProperty('audit');
  });

  it('takes texts of variables, ARNs of keys, and what CloudFormation will know', () => {
    for (const kmsKey of [KEY, { 'Fn::GetAtt': ['Key', 'Arn'] }, { Ref: 'KeyArn' }]) {
      const given = { predictions: 'true', retention: '2192', kmsKey };
      expect(parsed(given).models[0]?.audit).toEqual({ predictions: true, retention: 2192, kmsKey });
    }
    for (const kmsKey of [
      'alias/logs',
      KEY.replace(':key/', ':alias/'),
      {},
      { Ref: 'A', 'Fn::Sub': 'b' },
      { GetAtt: 1 },
      5,
    ])
      expect(messagesOf({ kmsKey }), JSON.stringify(kmsKey)).toEqual([
        expect.stringMatching(/^models\.churn\.audit\.kmsKey: .*arn:aws:kms:<region>/),
      ]);
  });

  it('is refused a number of days that CloudWatch does not take, with the next longer one', () => {
    for (const [days, longer] of [
      [2190, 2192],
      [2193, 2557],
      [2, 3],
      [1000, 1096],
    ] as const) {
      expect(messagesOf({ retention: days })).toEqual([
        expect.stringMatching(
          new RegExp(
            `^models\\.churn\\.audit\\.retention: is ${days} days; .* 1827, 2192, .* Write ${longer}, `,
          ),
        ),
      ]);
    }
    expect(messagesOf({ retention: 3654 })).toEqual([expect.stringContaining('Write 3653, or leave it')]);
    expect(messagesOf({ retention: 0 })).toHaveLength(1);
    for (const days of [1, 400, 1096, 3653]) expect(messagesOf({ retention: days })).toEqual([]);
  });

  it('says once how long the log is kept, and has one', () => {
    expect(messagesOf({ retention: 30 }, { function: { logRetentionInDays: 30 } })).toEqual([
      'models.churn.audit.retention: is declared twice. Leave `logRetentionInDays` out of `function`.',
    ]);
    expect(messagesOf({}, { function: { logRetentionInDays: 30 } })).toEqual([]);
    expect(messagesOf({}, { function: { disableLogs: true } })).toEqual([
      expect.stringContaining('an audit is written to the log'),
    ]);
  });
});

describe('the log group', () => {
  const group = { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/lambda/shop-dev-churn' } };
  const made = (audit: unknown) =>
    auditedLogs({ ChurnLogGroup: group, OtherLogGroup: group }, parsed(audit).models).ChurnLogGroup;

  it('is the framework’s without options', () => {
    expect(made({})).toEqual(group);
    expect(auditedLogs({ ChurnLogGroup: group }, parsed(undefined).models)).toEqual({});
    expect(auditedLogs({}, parsed({ retention: 1 }).models)).toEqual({});
  });

  it('has key and retention, and outlives what is removed once somebody relies on it', () => {
    expect(made({ kmsKey: KEY })).toEqual({ ...group, Properties: { ...group.Properties, KmsKeyId: KEY } });
    expect(made({ retention: 2192, kmsKey: { Ref: 'K' } })).toEqual({
      ...group,
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: { ...group.Properties, RetentionInDays: 2192, KmsKeyId: { Ref: 'K' } },
    });
  });

  it('stays as the audit says where `resources`, or a plugin that writes there, say something else', () => {
    const { models } = parsed({ retention: 2192, kmsKey: { Ref: 'K' } });
    const ours = auditedLogs({ ChurnLogGroup: group }, models);
    expect(heldAudits(ours, models)).toEqual({ resources: {}, lines: [] });
    expect(heldAudits({}, models)).toEqual({ resources: {}, lines: [] });
    const { ChurnLogGroup: made } = ours;
    const shorter = {
      ...made,
      Properties: { ...group.Properties, RetentionInDays: 30, KmsKeyId: { Ref: 'K' } },
    };
    expect(heldAudits({ ChurnLogGroup: shorter }, models)).toEqual({
      resources: ours,
      lines: [
        'models.churn.audit: says another RetentionInDays of ChurnLogGroup than `resources` of the service, or a plugin that writes there. What audit says holds.',
      ],
    });
    // What it leaves open is anybody’s.
    expect(heldAudits({ ChurnLogGroup: shorter }, parsed({}).models).lines).toEqual([]);
  });

  it('of somebody else is not ours to set', () => {
    const elsewhere = (provider: Host['provider'], audit: object, given = {}) =>
      auditProblems(parsed(audit, { function: given }).models, { ...host, provider }).map(
        ({ key, message }) => `${key} ${message}`,
      );
    const both = { retention: 30, kmsKey: KEY };
    const shared = { logs: { lambda: { logGroup: '/all' } } };
    for (const found of [elsewhere(shared, both), elsewhere({}, both, { logs: { logGroup: '/all' } })]) {
      expect(found).toEqual([
        expect.stringMatching(/^models\.churn\.audit\.retention .* goes to \/all\.$/),
        expect.stringMatching(/^models\.churn\.audit\.kmsKey .* goes to \/all\.$/),
      ]);
    }
    expect(elsewhere(shared, {})).toEqual([]);
    expect(elsewhere({}, both)).toEqual([]);
  });

  it('takes a key of its own region only', () => {
    const there = KEY.replace('eu-central-1', 'us-east-1');
    expect(planProblems(parsed({ kmsKey: there }).models, host).map(({ message }) => message)).toEqual([
      expect.stringContaining('is a key in us-east-1, but the log is in eu-central-1'),
    ]);
    expect(planProblems(parsed({ kmsKey: KEY }).models, host)).toEqual([]);
  });
});

it('the plan counts the line’s bytes', () => {
  const facts: Facts = {
    ...{ identity: 'i', source: 's', sourceBytes: 1, opset: 20, optimized: true, notices: [] },
    ...{ zipBytes: 1, unzippedBytes: 1, runtimeBytes: 3, remote: [] },
    signature: { inputs: [], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }], omitted: [] },
  };
  const [without = 0, plain = 0, predictions = 0] = [undefined, {}, { predictions: true }].map(
    (audit) => monthlyCost(parsed(audit).models[0] as never, facts, 1, 0.05).logs,
  );
  const gigabytes = (dollars: number): number => dollars / (PRICES.logGb + PRICES.logStoredGb);
  expect((gigabytes(plain - without) * 1024 ** 3) / (30 * 86_400)).toBeCloseTo(460, 3);
  expect(predictions).toBeGreaterThan(plain);
});

it('who serves locally does not see it', () => {
  expect(spokenLine('{"audit":1,"model":"m","outcome":"answered"}')).toBeUndefined();
  expect(spokenLine('{"audit":1}')).toBe('{"audit":1}');
});

it('is of the endpoint alone, and the page says what batch has', () => {
  const batch = [{ input: 's3://incoming/', output: 's3://scored/' }];
  const { models } = parsed({ retention: 2192, kmsKey: KEY }, { batch });
  const group = { Type: 'AWS::Logs::LogGroup', Properties: {} };
  const compiled = { ChurnLogGroup: group, ChurnDashbatchLogGroup: group };
  expect(Object.keys(auditedLogs(compiled, models))).toEqual(['ChurnLogGroup']);
  const page = readFileSync('docs/audit.md', 'utf8');
  expect(page.slice(page.indexOf('## What it does not cover'))).toMatch(
    /^- \*\*\[Batch\]\(batch\.md\)\*\*:/m,
  );
});
