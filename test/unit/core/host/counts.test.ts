import { describe, expect, it } from 'vitest';
import { createCounts, hostOutcomeOf, metricsText } from '../../../../core/host/counts.ts';

const standing = (counts = createCounts([10, 20])) => ({
  model: 'a"b\\c',
  version: '3',
  counted: counts.read(),
  workers: 2,
  up: 1,
  working: 1,
  waiting: 5,
});

/** Samples by name and labels. */
const samples = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

describe('what a host counts', () => {
  it('has the endpoint’s meaning: refused ones are no requests, shed ones neither', () => {
    const counts = createCounts();
    counts.ended('answered', 0.1);
    counts.ended('failed', 0.1);
    counts.ended('rejected', 0.1);
    counts.ended('shed', 0);
    const found = samples(metricsText([standing(counts)]));
    const of = (name: string) => found.get(`serverless_models_${name}{model="a\\"b\\\\c",version="3"}`);
    expect([of('requests_total'), of('errors_total'), of('rejected_total'), of('shed_total')]).toEqual([
      2, 1, 1, 1,
    ]);
    expect([of('queue'), of('workers'), of('workers_up'), of('busy_share')]).toEqual([5, 2, 1, 0.5]);
    expect(of('latency_seconds_count')).toBe(1);
  });

  it('has a histogram at the edges that are given, each beyond which it is slow', () => {
    const counts = createCounts([10, 20]);
    for (const seconds of [0.005, 0.01, 0.015, 0.05]) counts.ended('answered', seconds);
    const lines = metricsText([standing(counts)])
      .split('\n')
      .filter((line) => /latency_seconds_bucket/.test(line));
    expect(lines.map((line) => line.replace(/.*le=/, ''))).toEqual(['"0.01"} 2', '"0.02"} 3', '"+Inf"} 4']);
  });

  it('counts why processes ended, and how long they worked', () => {
    const counts = createCounts();
    counts.restarted('timeout');
    counts.restarted('memory');
    counts.worked(1.5);
    const text = metricsText([standing(counts)]);
    expect(text).toMatch(/restarts_total\{.*reason="timeout"\} 1\n/);
    expect(text).toMatch(/restarts_total\{.*reason="crash"\} 0\n/);
    expect(text).toMatch(/busy_seconds_total\{.*\} 1.5\n/);
  });

  it('adds up the scores of outputs, which may fall', () => {
    const counts = createCounts();
    counts.scored({ label2_f1_a: -1, label2_f1_aa: 1 });
    counts.scored({ label2_f1_a: -0.5, label2_f1_aa: 0.25 });
    const text = metricsText([standing(counts)]);
    expect(text).toMatch(/# TYPE serverless_models_output_sum gauge\n/);
    expect(text).toMatch(/output_sum\{.*,signal="label2_f1",sum="a"\} -1.5\n/);
    expect(text).toMatch(/output_sum\{.*,signal="label2_f1",sum="aa"\} 1.25\n/);
    expect(metricsText([standing()])).not.toMatch(/output_sum\{/);
  });

  it('is in Prometheus’ format: each family has help and type before its samples', () => {
    const lines = metricsText([standing(), { ...standing(), model: 'b' }])
      .trimEnd()
      .split('\n');
    let family = '';
    for (const line of lines) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (type !== null) family = type[1] ?? '';
      else if (!line.startsWith('# HELP ')) {
        expect(line).toMatch(/^[a-z_]+\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\} [\d.e+-]+$/);
        expect(line.startsWith(family)).toBe(true);
      }
    }
    expect(new Set(lines.filter((line) => line.startsWith('# TYPE'))).size).toBe(12);
  });
});

it.each([
  [200, undefined, 'answered'],
  [304, undefined, 'answered'],
  [400, 'WRONG_VALUE', 'rejected'],
  [422, 'MODEL_FAILED', 'failed'],
  [422, 'TRANSFORM_REFUSED', 'rejected'],
  [500, 'INTERNAL', 'failed'],
  [504, undefined, 'failed'],
] as const)('%s %s is %s', (status, code, outcome) => expect(hostOutcomeOf(status, code)).toBe(outcome));
