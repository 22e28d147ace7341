import { expect, it } from 'vitest';
import { runOf } from '../../../../core/batch/model.ts';
import { scoreBlock } from '../../../../core/batch/score.ts';
import { readLine } from '../../../../core/drift/lines.ts';
import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { driftWriter } from '../../../../functions/batch/drift-writer.ts';
import { numericSignal } from '../../../reference.ts';
import { ECHO, echoBlock, echoSession } from '../../core/batch/echo.ts';

const REFERENCE = Array.from({ length: 1000 }, (_, i) => i);
const MANIFEST: Manifest = {
  ...ECHO,
  drift: {
    baseline: 'd'.repeat(64),
    native: true,
    signals: [numericSignal({ name: 'x', of: 'input', tensor: 'x', column: 0 }, REFERENCE)],
  },
};
it('rows of a job are counted as those of requests are, each once, faulty ones not, by the endpoint’s name', async () => {
  const lines: string[] = [];
  const environment = { AWS_LAMBDA_FUNCTION_VERSION: '7', AWS_LAMBDA_FUNCTION_NAME: 'm-batch' };
  const seen = driftWriter(MANIFEST, 'shop-dev-m', environment, (text) =>
    lines.push(...text.trimEnd().split('\n')),
  );
  const run = runOf(MANIFEST, echoSession, {}, seen);
  const values = Array.from({ length: 500 }, (_, i) => (i === 123 ? -1 : i));
  const [{ block: scored }] = await scoreBlock(run, echoBlock(values), [{ name: 'y', width: 1 }], 1e9, false);
  expect(scored.rows).toHaveLength(499);
  const counted = lines.map(readLine).filter((line) => line !== undefined);
  expect(counted.reduce((sum, { rows }) => sum + rows, 0)).toBe(499);
  expect(counted.every(({ v, drift }) => v === '7' && drift === MANIFEST.drift?.baseline)).toBe(true);
  const metrics = lines.filter((line) => line.includes('"_aws"')).map((line) => JSON.parse(line));
  expect(metrics.reduce((sum, { ScaledRows }) => sum + ScaledRows, 0)).toBe(499);
  expect(metrics.every(({ Model }) => Model === 'shop-dev-m')).toBe(true);
  expect(metrics[0]._aws.CloudWatchMetrics[0].Dimensions).toEqual([['Model']]);
});

it('rows that a transform makes run again, and the one that it refuses, are counted once and not at all', async () => {
  const lines: string[] = [];
  const seen = driftWriter(MANIFEST, 'm', {}, (text) => lines.push(...text.trimEnd().split('\n')));
  const post = ({ y }: Tensors): Tensors => {
    if (y === undefined || (y.data as Float32Array).includes(123)) throw new Error('the transform');
    return { y };
  };
  const run = runOf(MANIFEST, echoSession, { post }, seen);
  const values = Array.from({ length: 500 }, (_, i) => i);
  const [{ block: scored }] = await scoreBlock(run, echoBlock(values), [{ name: 'y', width: 1 }], 1e9, false);
  expect(scored.rows).toHaveLength(499);
  const counted = lines.map(readLine).filter((line) => line !== undefined);
  expect(counted.reduce((sum, { rows }) => sum + rows, 0)).toBe(499);
});

it('what a transform does wrong to a job is not told of the model, and names the place', async () => {
  for (const [transform, says] of [
    [{ pre: () => ({}) }, 'pre of the transform gave no input "x", which the model needs.'],
    [
      { post: () => undefined },
      'post of the transform gave undefined; expected an object of tensors by name.',
    ],
  ] as const) {
    const run = runOf(MANIFEST, echoSession, transform as never);
    const [{ block: scored }] = await scoreBlock(run, echoBlock([1]), [{ name: 'y', width: 1 }], 1e9, false);
    expect(scored.faults).toMatchObject([{ row: 1, code: 'TRANSFORM_FAILED', reason: says }]);
  }
});

it('a level beyond INFO does not drop them, and nothing is written where nothing is declared', () => {
  const lines: string[] = [];
  const environment = { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'ERROR' };
  driftWriter(MANIFEST, 'm', environment, (text) => lines.push(...text.trimEnd().split('\n')))?.(
    echoBlock([1, 2]).tensors,
    {},
  );
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'ERROR' }, { level: 'ERROR' }]);
  const { drift: _, ...without } = MANIFEST;
  expect(driftWriter(without, 'm', {}, () => {})).toBeUndefined();
});
