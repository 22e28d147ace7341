import { describe, expect, it } from 'vitest';
import { SLOW_STEPS } from '../../../../../../core/endpoint/contract.ts';
import { METRICS as OWN } from '../../../../../../core/metrics/contract.ts';
import { staged } from '../../../../../../core/release/command/text.ts';
import type { Release } from '../../../../../../core/release/document/contract.ts';
import {
  ALARMS,
  SWEEP_EVERY,
  WORKER_METRICS,
} from '../../../../../../core/release/document/worker-contract.ts';
import { readWorkerEvent } from '../../../../../../core/release/events/events.ts';
import { everyOf } from '../../../../../../core/release/state/tick-schedule.ts';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { ServiceOptions } from '../../../../../../plugins/models/declaration/model.ts';
import { SWEEP } from '../../../../../../plugins/models/declaration/naming.ts';
import { parseModels } from '../../../../../../plugins/models/declaration/parse.ts';
import { FEATURES } from '../../../../../../plugins/models/plan/features.ts';
import { foldOf } from '../../../../../../plugins/models/plan/fold.ts';
import { ALARM_KINDS, alarmsOf } from '../../../../../../plugins/models/plan/plan.ts';
import { releaseResources } from '../../../../../../plugins/models/plan/release/functions.ts';
import { alertProblems, alertResources } from '../../../../../../plugins/models/plan/watch/alerts.ts';
import { HOST } from '../../../../../fixtures/service.ts';

const host: Host = { ...HOST, region: 'eu-central-1' };
const models = (rest: object = {}) => parseModels({ churn: { artifact: 'a.onnx', ...rest } }).models;
const alarms = (rest: object = {}) => models(rest).flatMap((model) => alarmsOf(model, host));
const suffixes = (rest: object = {}) => alarms(rest).map(({ kind }) => kind?.suffix);
const topic = 'arn:aws:sns:eu-central-1:123456789012:ops';
const batch = [{ input: 's3://incoming/churn/', output: 's3://scored/churn/' }];
const resources = (options: ServiceOptions = {}, rest: object = {}) =>
  alertResources(
    { models: models(rest), options, host, built: new Map(), zips: new Map() },
    foldOf(FEATURES, host, new Map()),
  );

describe('alarms', () => {
  it('are on what there is', () => {
    expect(suffixes()).toEqual(['crashes', 'errors', 'throttles', 'release']);
    expect(suffixes({ latency: { p95: 100 } })).toContain('latency');
    expect(suffixes({ concurrency: { reserved: 5 } })).toEqual(suffixes());
    expect(suffixes({ concurrency: { provisioned: 5 }, latency: { p95: 100 }, batch }).sort()).toEqual(
      Object.keys(ALARMS)
        .filter((suffix) => !['drift', 'outputs', 'classes', 'monitor'].includes(suffix))
        .sort(),
    );
  });

  it('have names that the worker knows, within CloudWatch’s 255 characters', () => {
    const longest = alarms({ function: { name: 'f'.repeat(64) }, latency: { p95: 9 } });
    for (const { name, kind } of longest) {
      expect(name).toBe(`${'f'.repeat(64)}-${ALARMS[kind?.suffix ?? 'drift']}`);
      expect(name.length).toBeLessThanOrEqual(255);
    }
  });

  it('promise no version back where none comes', () => {
    const told = (release: object) =>
      alarms({ latency: { p95: 100 }, release })
        .filter(({ kind }) => kind?.rollsBack)
        .map(({ resource }) => String(resource.Properties?.AlarmDescription));
    for (const release of [{ rollbackWindow: 0 }, { dryRun: true }])
      for (const text of told(release)) {
        expect(text).toContain('No version comes back by itself');
        expect(text).not.toContain('Within the rollback window');
      }
    for (const text of told({})) expect(text).toContain('Within the rollback window');
  });

  it('say what happened and what to do, in CloudWatch’s 1,024 characters', () => {
    for (const { resource, kind } of alarms({
      latency: { p95: 100 },
      concurrency: { provisioned: 2 },
      batch,
    })) {
      const text = String(resource.Properties.AlarmDescription);
      expect(text.length).toBeLessThanOrEqual(1024);
      // A service of several models is asked nothing without one.
      const advice = (kind?.advice ?? 'none').replace(/`(sls models [^`]*)`/g, '`$1 --model churn`');
      expect(text).toContain(staged(advice, 'dev', host.region));
      expect(text).not.toMatch(/undefined|NaN/);
    }
  });

  // Lambda counts a crash of the minute in which the request began, when it has ended.
  it.each([
    [29, 1, 5],
    [60, 1, 5],
    [61, 3, 5],
    [900, 16, 18],
  ])('of crashes at a timeout of %i s look back over %i minutes, of errors over %i', (timeout, ...of) => {
    const found = alarms({ timeout }).filter(({ kind }) => /^(crashes|errors)$/.test(kind?.suffix ?? ''));
    expect(found.map(({ resource }) => resource.Properties.EvaluationPeriods)).toEqual(of);
    expect(found.map(({ resource }) => resource.Properties.DatapointsToAlarm)).toEqual([1, 3]);
    expect(found[1]?.resource.Properties.AlarmDescription).toContain(`in 3 of ${of[1]} minutes`);
  });

  it('of a held release stay on from tick to tick, and call somebody once', () => {
    const held = { phase: 'HELD', shifts: [], held: { from: 'SHIFTING' } } as unknown as Release;
    const minutes = Number(/\d+/.exec(everyOf(held))?.[0]);
    const found = alarms().find(({ kind }) => kind?.suffix === 'release')?.resource.Properties;
    const { EvaluationPeriods, DatapointsToAlarm, Metrics } = found as Record<string, unknown>;
    const period = Number(/"Period":(\d+)/.exec(JSON.stringify(Metrics))?.[1]);
    expect(DatapointsToAlarm).toBe(1);
    // The window slides; three ticks that read nothing fit into it, too.
    expect(Number(EvaluationPeriods) * period).toBeGreaterThanOrEqual(3 * minutes * 60);
  });

  it('roll back for what the version itself does, and for nothing else', () => {
    expect(ALARM_KINDS.filter(({ rollsBack }) => rollsBack).map(({ suffix }) => suffix)).toEqual([
      'crashes',
      'errors',
      'latency',
    ]);
  });

  it('stay quiet without traffic, and watch the alias', () => {
    const text = JSON.stringify(alarms({ latency: { p95: 100 } }).map(({ resource }) => resource));
    expect(text).toContain('"shop-dev-churn:live"');
    for (const { resource, kind } of alarms())
      expect(resource.Properties.TreatMissingData).toBe(
        kind?.suffix === 'release' ? 'breaching' : 'notBreaching',
      );
  });

  it('that miss the sweep are made after it, and look back on two', () => {
    const [one] = models();
    if (one === undefined) throw new Error('no model');
    const found = alarms().find(({ kind }) => kind?.suffix === 'release');
    expect(found?.resource.DependsOn).toBe(SWEEP);
    expect(JSON.stringify(found?.resource.Properties.Metrics)).toContain(`"Period":${2 * SWEEP_EVERY}`);
    expect(found?.kind?.when(100)).toContain('sweep stays away for 30 minutes');
    const input = { models: [one], host, options: {}, zips: new Map() };
    const made = releaseResources(input, [
      {
        model: one,
        facts: { signature: { inputs: [], outputs: [] } },
        layer: {},
        aliasLogicalId: 'ChurnLiveAlias',
      } as never,
    ]);
    expect(made[SWEEP]).toMatchObject({
      Type: 'AWS::Scheduler::Schedule',
      DependsOn: ['ChurnLiveAlias'],
      Properties: { ScheduleExpression: 'rate(15 minutes)', GroupName: { Ref: 'ModelsScheduleGroup' } },
    });
    const target = made[SWEEP]?.Properties.Target as Record<string, unknown>;
    expect(readWorkerEvent(JSON.parse(String(target.Input)), 'group', 0)).toEqual({ kind: 'sweep' });
    expect(target.RoleArn).toEqual({ 'Fn::GetAtt': ['ModelsScheduleRole', 'Arn'] });
  });

  it('and their sweep take the role that the provider names', () => {
    const role = 'arn:aws:iam::123456789012:role/all';
    const [one] = models();
    if (one === undefined) throw new Error('no model');
    const named = {
      models: [one],
      host: { ...host, provider: { iam: { role } } },
      options: {},
      zips: new Map(),
    };
    const made = releaseResources(named, []);
    expect(made[SWEEP]?.Properties.Target).toMatchObject({ RoleArn: role });
    expect(made[SWEEP]).not.toHaveProperty('DependsOn');
  });

  it('read metrics that somebody writes', () => {
    const named = JSON.stringify(alarms({ latency: { p95: 100 } }));
    for (const name of [
      OWN.errors,
      OWN.requests,
      OWN.slow[2],
      WORKER_METRICS.failed,
      WORKER_METRICS.held,
      WORKER_METRICS.unreadable,
      WORKER_METRICS.unattended,
      WORKER_METRICS.swept,
    ])
      expect(named).toContain(`"MetricName":"${name}"`);
    // The edge that is the objective itself.
    expect(SLOW_STEPS[2]).toBe(1);
  });

  it('count what is billed', () => {
    expect(alarms().reduce((sum, { metrics }) => sum + metrics, 0)).toBe(2 + 3 + 1 + 5);
  });
});

describe('the topic', () => {
  it('is there without anybody to tell: the worker listens', () => {
    const made = resources();
    expect(Object.values(made).map(({ Type }) => Type)).toEqual([
      'AWS::SNS::Topic',
      'AWS::SNS::TopicPolicy',
      'AWS::SNS::Subscription',
      'AWS::Lambda::Permission',
      ...alarms().map(() => 'AWS::CloudWatch::Alarm'),
    ]);
    expect(made.ChurnErrorsAlarm?.Properties.AlarmActions).toEqual([{ Ref: 'ModelsAlerts' }]);
  });

  it('has the user’s topic beside it, or sends e-mail', () => {
    const beside = resources({ alerts: { kind: 'topic', to: topic } });
    expect(beside.ChurnErrorsAlarm?.Properties.AlarmActions).toEqual([{ Ref: 'ModelsAlerts' }, topic]);
    expect(beside).not.toHaveProperty('ModelsAlertsEmail');
    const mail = resources({ alerts: { kind: 'email', to: 'ops@example.com' } });
    expect(mail.ModelsAlertsEmail?.Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });

  it('wakes the worker for alarms that may roll back, and not at all where nothing may', () => {
    expect(resources().ModelsAlertsHook?.Properties.FilterPolicy).toEqual({
      AlarmName: [{ suffix: '-crashes' }, { suffix: '-errors' }, { suffix: '-latency' }],
      NewStateValue: ['ALARM'],
    });
    const never = resources({}, { release: { rollbackWindow: 0 } });
    expect(never).not.toHaveProperty('ModelsAlertsHook');
    expect(never).not.toHaveProperty('ModelsAlertsHookPermission');
  });

  it('of another region is refused', () => {
    expect(alertProblems({ alerts: { kind: 'topic', to: topic } }, host)).toEqual([]);
    const other = { ...host, region: 'us-east-1' };
    expect(alertProblems({ alerts: { kind: 'topic', to: topic } }, other)).toMatchObject([
      { key: 'custom.models.alerts', message: expect.stringContaining('eu-central-1') },
    ]);
    expect(alertProblems({ alerts: { kind: 'email', to: 'ops@example.com' } }, other)).toEqual([]);
  });
});
