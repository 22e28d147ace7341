import { describe, expect, it } from 'vitest';
import { exportOptions } from '../../../../../plugins/models/export/export-options.ts';

const DIGEST = `sha256:${'0f'.repeat(32)}`;
const IMAGE = `registry.example.com/models@${DIGEST}`;
const given = { to: 'kubernetes', image: IMAGE };

/** What is thrown, one line a problem. */
function problemsOf(flags: Parameters<typeof exportOptions>[0]): readonly string[] {
  try {
    exportOptions(flags);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

it('75 % where nothing else is written', () => {
  expect(exportOptions(given)).toMatchObject({ to: 'kubernetes', cpu: 75, image: { digest: DIGEST } });
});

describe('--cpu', () => {
  it.each(['70', '75', '80'])('%s is within its limits', (cpu) => {
    expect(exportOptions({ ...given, cpu }).cpu).toBe(Number(cpu));
  });
  it.each(['69', '81', '75.5', '', ' ', 'much', '0x4b0', '-75', 'NaN', true])('%j is not', (cpu) => {
    expect(problemsOf({ ...given, cpu })).toEqual([expect.stringMatching(/^--cpu: .*from 70 to 80/)]);
  });
});

describe('--image', () => {
  it.each([
    ['', 'is missing'],
    [undefined, 'is missing'],
    ['me:word@registry.example.com/models:v1', '--image: …@registry.example.com/models:v1 has somebody’s'],
    ['registry.example.com/models', 'has neither digest nor tag'],
    ['registry.example.com/models@sha256:abc', 'has a digest that is not'],
    [`registry.example.com/models@${DIGEST.toUpperCase()}`, 'has a digest that is not'],
    [`registry.example.com/models@${DIGEST}\n  privileged: true`, 'has a digest that is not'],
    [`registry.example.com/mo dels@${DIGEST}`, 'has the repository'],
  ])('%j is none that a file may name', (image, says) => {
    expect(problemsOf({ ...given, image }).join('\n')).toContain(says);
  });
});

describe('--push', () => {
  const push = 'registry.example.com/models/churn:v1';
  it('goes in place of --image', () => {
    expect(exportOptions({ to: 'kubernetes', push, base: IMAGE })).toMatchObject({
      push: true,
      image: { host: 'registry.example.com', repository: 'models/churn', tag: 'v1' },
    });
    expect(exportOptions(given).push).toBe(false);
  });
  it.each([
    ['', {}, '--push: is empty'],
    [IMAGE, {}, 'names a digest, which follows from the image'],
    ['registry.example.com/mo dels', {}, 'has the repository'],
    [push, { image: IMAGE }, '--push: makes the image that --image names'],
  ])('%j with %j is refused', (value, more, says) => {
    expect(problemsOf({ to: 'kubernetes', push: value, ...more }).join('\n')).toContain(says);
  });
  it('--base is of nothing else', () => {
    expect(problemsOf({ ...given, base: IMAGE })).toEqual([expect.stringMatching(/^--base: is of --push/)]);
  });
});

describe('--keda', () => {
  it('is an address of a server', () => {
    const keda = 'http://prometheus-server.monitoring:9090';
    expect(exportOptions({ ...given, keda }).keda).toBe(keda);
  });
  it.each(['prometheus', 'prometheus:9090', 'file:///etc/passwd', '', true])('%j is none', (keda) => {
    expect(problemsOf({ ...given, keda })).toEqual([expect.stringMatching(/^--keda: /)]);
  });
  it.each([
    'http://ops:secret@prometheus:9090',
    'http://secret@prometheus:9090',
    'ops:secret@prometheus:9090',
    'http://ops:secret@prometheus:909000',
    'http://ops:secret/7@prometheus:9090',
  ])('%s is not repeated', (keda) => {
    expect(problemsOf({ ...given, keda }).join()).not.toContain('secret');
    expect(problemsOf({ ...given, keda })).toHaveLength(1);
  });
});

it('--grpc is asked for, and SageMaker has none', () => {
  expect(exportOptions(given).grpc).toBe(false);
  expect(exportOptions({ ...given, grpc: true }).grpc).toBe(true);
  expect(problemsOf({ ...given, to: 'sagemaker', grpc: true })).toEqual([
    expect.stringMatching(/^--grpc: .*HTTP alone/),
  ]);
});

it('all that is wrong is told at once', () => {
  expect(
    problemsOf({ to: 'nomad', cpu: '90', keda: 'x', image: 'y' }).map((line) => line.split(':')[0]),
  ).toEqual(['--to', '--cpu', '--keda', '--image']);
});
