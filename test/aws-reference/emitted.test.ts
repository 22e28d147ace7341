/**
 * What is emitted in languages of AWS’s own, by their published grammar: state machines, schedules, patterns
 * of events, searches of dashboards. Metric math: test/local-aws/emitted-math.test.ts.
 */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import { everyOf } from '../../core/release/state/tick-schedule.ts';
import { eventPattern } from '../../plugins/models/plan/batch/resources.ts';
import { type Matched, patternFaults } from './event-patterns.ts';
import { goldens, ofType } from './goldens.ts';
import { textOf } from './intrinsics.ts';
import { type Scheduled, scheduleFault } from './schedules.ts';
import { searchFault } from './search-expressions.ts';

type Verdict = { readonly isValid: boolean; readonly errorsText: (separator: string) => string };
/** It has no types of its own. */
const validated: (definition: object) => Verdict = createRequire(import.meta.url)('asl-validator');
const machineFault = (definition: object): string => validated(definition).errorsText(', ');

describe('state machines', () => {
  const machines = ofType('AWS::StepFunctions::StateMachine').map(({ where, template, properties }) => ({
    where,
    text: textOf(properties.DefinitionString, template),
  }));

  it('are what the Amazon States Language allows', () => {
    expect(machines.length).toBeGreaterThan(1);
    for (const { where, text } of machines) expect(machineFault(JSON.parse(text)), where).toBe('');
  });

  it.each([
    ['a next state that is none', '"Next":"Scored"', '"Next":"Nowhere"', 'MISSING_TRANSITION_TARGET'],
    [
      'a field that the kind of state does not have',
      '"Type":"Succeed"',
      '"Type":"Succeed","Next":"Part"',
      'SCHEMA',
    ],
    ['a path that is none', '"$.plan.bucket"', '"$.plan[bucket"', 'SCHEMA'],
    ['a resource that is no ARN', '"arn:aws:states:::lambda:invoke"', '"lambda:invoke"', 'SCHEMA'],
    ['a state that neither ends nor goes on', '"End":true', '"Comment":""', 'TERMINAL_STATE'],
  ])('are refused for %s', (_, right, wrong, code) => {
    const text = machines[0]?.text ?? '';
    expect(text).toContain(right);
    expect(machineFault(JSON.parse(text.replace(right, wrong)))).toContain(code);
  });
});

describe('schedules', () => {
  it('are rate, cron or at as each service reads them', () => {
    const of = (type: string, by: Scheduled) =>
      ofType(type).flatMap(({ where, properties }) =>
        properties.ScheduleExpression === undefined
          ? []
          : [[where, scheduleFault(String(properties.ScheduleExpression), by)] as const],
      );
    // In what the release worker is told, for Application Auto Scaling.
    const crons = goldens.flatMap(([file, template]) =>
      [...JSON.stringify(template).matchAll(/\bcron\([^)"]*\)/g)].map(
        ([cron]) => [file, scheduleFault(cron, 'scaling')] as const,
      ),
    );
    const rules = of('AWS::Events::Rule', 'rule');
    const schedules = of('AWS::Scheduler::Schedule', 'scheduler');
    expect([rules.length > 3, schedules.length > 20, crons.length > 3]).toEqual([true, true, true]);
    for (const [where, fault] of [...rules, ...schedules, ...crons]) expect(fault, where).toBeUndefined();
  });

  it('of ticks are so, too', () => {
    const every = (phase: 'SHIFTING' | 'DONE') => everyOf({ phase, shifts: [] } as unknown as Release);
    expect(every('SHIFTING')).not.toBe(every('DONE'));
    for (const one of [every('SHIFTING'), every('DONE')])
      expect(scheduleFault(one, 'scheduler')).toBeUndefined();
  });

  it.each([
    'rate(5 minutes)',
    'rate(1 day)',
    'at(2028-02-29T23:59:59)',
    'cron(0 8 ? * MON-FRI *)',
    'cron(0/15 8,20 1W JAN-JUN,12 ? 2026-2030)',
    'cron(30 2 ? * 6#3 *)',
    'cron(30 2 L * ? *)',
  ])('may be %s', (expression) => {
    expect(scheduleFault(expression, 'scheduler')).toBeUndefined();
  });

  it.each([
    ['rate(1 minutes)', 'several'],
    ['rate(2 hour)', 'several'],
    ['rate(0 minutes)', 'whole number'],
    ['rate(30 seconds)', 'whole number'],
    ['rate(1.5 hours)', 'whole number'],
    ['at(2027-02-29T00:00:00)', 'yyyy'],
    ['at(2027-02-28 00:00:00)', 'yyyy'],
    ['cron(0 8 * * MON-FRI *)', 'either the day'],
    ['cron(0 8 ? * ? *)', 'either the day'],
    ['cron(0 8 * * *)', 'six fields'],
    ['cron(60 8 * * ? *)', 'minutes'],
    ['cron(0 24 * * ? *)', 'hours'],
    ['cron(0 8 32 * ? *)', 'day of month'],
    ['cron(0 8 ? * 0 *)', 'day of week'],
    ['cron(0 8 ? * FRI-MON *)', 'day of week'],
    ['cron(0 8 ? * MON/2 *)', 'day of week'],
    ['cron(0 8 ? * 3#1,6#3 *)', 'day of week'],
    ['cron(0 8 * 13 ? *)', 'month'],
    ['cron(0 8 * * ? 2200)', 'year'],
    ['every(1 hour)', 'no rate'],
  ])('are refused as %s', (expression, why) => {
    expect(scheduleFault(expression, 'scheduler')).toContain(why);
  });

  it('of a rule have no at', () => {
    expect(scheduleFault('at(2028-02-29T23:59:59)', 'rule')).toBe('it is no rate(…) and no cron(…)');
  });
});

describe('patterns of events', () => {
  it('have the matchers that each service has, in all that is emitted', () => {
    const patterns: (readonly [where: string, pattern: unknown, of: Matched])[] = [
      ...ofType('AWS::Events::Rule').flatMap(({ where, properties: { EventPattern } }) =>
        EventPattern === undefined ? [] : [[where, EventPattern, 'rule'] as const],
      ),
      ...ofType('AWS::SNS::Subscription').flatMap(({ where, properties: { FilterPolicy } }) =>
        FilterPolicy === undefined ? [] : [[where, FilterPolicy, 'topic'] as const],
      ),
      ...ofType('AWS::Lambda::EventSourceMapping').flatMap(({ where, properties: { FilterCriteria } }) =>
        ((FilterCriteria as Criteria | undefined)?.Filters ?? []).map(
          ({ Pattern }) => [where, JSON.parse(Pattern), 'source'] as const,
        ),
      ),
    ];
    for (const of of ['rule', 'topic', 'source'] as const)
      expect(patterns.filter((one) => one[2] === of).length, of).toBeGreaterThan(0);
    for (const [where, pattern, of] of patterns) expect(patternFaults(pattern, of), where).toEqual([]);
  });

  it('are right of any place that batch reads from', () => {
    const text = fc.string({ maxLength: 200 });
    fc.assert(
      fc.property(text, text, (prefix, suffix) => {
        expect(patternFaults(eventPattern({ bucket: 'rows', prefix, suffix }), 'rule')).toEqual([]);
      }),
    );
    const pattern = (wildcard: string) => ({ detail: { object: { key: [{ wildcard }] } } });
    expect(eventPattern({ bucket: 'rows', prefix: 'a*\\/', suffix: '.csv' })).toMatchObject(
      pattern('a\\*\\\\/*.csv'),
    );
  });

  const long = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`field${at}`, ['x']]));
  it.each<[unknown, Matched, string]>([
    [{ detail: {} }, 'rule', 'detail is no object with fields'],
    [{ source: 'aws.s3' }, 'rule', 'source is no list of values'],
    [{ source: [] }, 'rule', 'source is no list of values'],
    [{ key: [{ contains: 'a' }] }, 'rule', 'key: {"contains":"a"} is no matcher'],
    [{ key: [{ prefix: 'a', suffix: 'b' }] }, 'rule', 'is no matcher'],
    [{ key: [{ toString: 'a' }] }, 'rule', 'is no matcher'],
    [{ key: [{ prefix: ['a'] }] }, 'rule', 'prefix does not take ["a"]'],
    [{ key: [{ wildcard: 'a**b' }] }, 'rule', 'wildcard does not take'],
    [{ key: [{ wildcard: 'a\\b' }] }, 'rule', 'wildcard does not take'],
    [{ key: [{ wildcard: 'a*b' }] }, 'topic', 'is no matcher'],
    [{ key: [{ cidr: '10.0.0.0/24' }] }, 'source', 'is no matcher'],
    [{ key: [{ numeric: ['=>', 1] }] }, 'rule', 'numeric does not take'],
    [{ key: [{ numeric: ['>', 5, '<', 1] }] }, 'rule', 'numeric does not take'],
    [{ key: [{ exists: 'true' }] }, 'rule', 'exists does not take'],
    [{ key: [{ 'anything-but': ['a', 1] }] }, 'rule', 'anything-but does not take'],
    [{ $or: [{ a: ['b'] }] }, 'rule', '$or is no list of several patterns'],
    [long, 'rule', 'more than 2048'],
    [{ a: ['1'], b: ['1'], c: ['1'], d: ['1'], e: ['1'], f: ['1'] }, 'topic', 'at most 5'],
    [{ a: Array.from({ length: 151 }, String) }, 'topic', 'at most 150'],
  ])('are refused: %j, %s', (pattern, of, why) => {
    expect(patternFaults(pattern, of).join()).toContain(why);
  });

  it.each<[unknown, Matched]>([
    [{ source: ['aws.s3', null, 1, { exists: false }], detail: { a: { b: [{ prefix: 'x' }] } } }, 'rule'],
    [{ key: [{ wildcard: 'a\\*\\\\*b' }, { suffix: { 'equals-ignore-case': '.csv' } }] }, 'rule'],
    [
      { $or: [{ a: [{ numeric: ['>', 1, '<=', 5] }] }, { b: [{ 'anything-but': { prefix: 'x' } }] }] },
      'rule',
    ],
  ])('may be %j, %s', (pattern, of) => {
    expect(patternFaults(pattern, of)).toEqual([]);
  });
});

type Criteria = { readonly Filters: readonly { readonly Pattern: string }[] };

describe('searches of dashboards', () => {
  it('are of the form that is documented, in all that is emitted', () => {
    const searches = ofType('AWS::CloudWatch::Dashboard').flatMap(({ where, template, properties }) =>
      [...textOf(properties.DashboardBody, template).matchAll(/"expression":("SEARCH(?:[^"\\]|\\.)*")/g)].map(
        ([, text = '']) => [where, JSON.parse(text) as string] as const,
      ),
    );
    expect(searches.length).toBeGreaterThan(4);
    for (const [where, search] of searches)
      expect(searchFault(search), `${where}: ${search}`).toBeUndefined();
  });

  it.each([
    ["SEARCH('{Shop,Model} MetricName=\"Rows\"', 'Mean', 60)", 'no statistic'],
    ["SEARCH('{Shop,Model} MetricName=\"Rows\"', 'Sum', 90)", 'whole minutes'],
    ["SEARCH('{Shop,Model} Version=\"1\"', 'Sum', 60)", 'not in the schema'],
    ["SEARCH('{Shop,Model MetricName=\"Rows\"', 'Sum', 60)", 'not of the form'],
    ["SEARCH('{Shop,Model} MetricName=Rows\"', 'Sum', 60)", 'cannot be read'],
  ])('are refused: %s', (search, why) => {
    expect(searchFault(search)).toContain(why);
  });
});
