import { describe, expect, it } from 'vitest';
import { columnsOf, mustAgree, outputsOf } from '../../../bench/answers.ts';
import { type Claim, judge, lineOf, type Measured } from '../../../bench/claims.ts';
import { binaryEvent, INPUTS, jsonEvent } from '../../../bench/events.ts';
import { median } from '../../../bench/median.ts';

const claim = (compare: Claim['compare'], limit: number): Claim => ({
  name: 'x',
  group: 'serving',
  about: '',
  ours: 'we',
  unit: 'ms',
  compare,
  limit,
  measure: () => Promise.reject(new Error('not measured here')),
});
const line = (compare: Claim['compare'], limit: number, measured: Measured): string =>
  lineOf(judge(claim(compare, limit), measured));

describe('a verdict', () => {
  const sample = { ours: [30, 10, 20], other: [40, 10, 1000] };

  it('is of the medians: as ratio, difference or plain value', () => {
    expect(line('ratio', 0.5, sample)).toBe('bench x 0.500 0.5 ok');
    expect(line('ratio', 0.49, sample)).toBe('bench x 0.500 0.49 miss');
    expect(line('difference', 0, { ours: [5], other: [4] })).toBe('bench x 1.000 0 miss');
    expect(line('value', 20, { ours: [20], other: [] })).toBe('bench x 20.000 20 ok');
  });

  it('is none where nothing was measured, and says why', () => {
    expect(line('ratio', 1, { unmeasured: 'needs Linux' })).toBe('bench x - 1 unmeasured (needs Linux)');
    // A side without figures is no proof of anything.
    expect(line('ratio', 1, { ours: [1], other: [] })).toMatch(/ miss$/);
  });

  it('takes the middle, or the middle of the middle two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('both sides’ answers', () => {
  const json = { outputs: [{ name: 'y', datatype: 'FP32', data: [1, 2] }] };
  const answer = { statusCode: 200, headers: {}, body: JSON.stringify(json) };

  it('are read in JSON and in binary', () => {
    const header = JSON.stringify({
      outputs: [
        { name: 'y', datatype: 'FP32', parameters: { binary_data_size: 8 } },
        { name: 'n', datatype: 'INT64', parameters: { binary_data_size: 8 } },
      ],
    });
    const tensors = [
      Buffer.from(new Float32Array([1, 2]).buffer),
      Buffer.from(new BigInt64Array([7n]).buffer),
    ];
    const binary = {
      statusCode: 200,
      headers: { 'inference-header-content-length': String(header.length) },
      body: Buffer.concat([Buffer.from(header), ...tensors]).toString('base64'),
      isBase64Encoded: true,
    };
    expect(outputsOf(answer)).toEqual({ y: [1, 2] });
    expect(outputsOf(binary)).toEqual({ y: [1, 2], n: [7] });
  });

  it('must be answers, of the same values', () => {
    expect(() => outputsOf({ ...answer, statusCode: 422 })).toThrow(/answered 422/);
    expect(() => mustAgree({ y: [1, 2.00001] }, { y: [1, 2] })).not.toThrow();
    expect(() => mustAgree({ y: [1, 2.001] }, { y: [1, 2] })).toThrow(/differ in the output y/);
    expect(() => mustAgree({ y: [1, Number.NaN] }, { y: [1, 2] })).toThrow(/differ/);
    expect(() => mustAgree({ y: [1] }, { y: [1, 2] })).toThrow(/differ/);
    expect(() => mustAgree({}, { y: [1, 2] })).toThrow(/differ/);
    // Nothing to compare with is no agreement.
    expect(() => mustAgree({ y: [1, 2] }, {})).toThrow(/no outputs/);
    expect(() => mustAgree({ y: [] }, { y: [] })).toThrow(/differ/);
  });

  it('are read of so many rows of csv', () => {
    const csv = 'row,y_0\n1,0.25\n2,-3e-4\n3,0.';
    expect(columnsOf(csv, 2)).toEqual({ row: [1, 2], y_0: [0.25, -3e-4] });
    expect(columnsOf('', 2)).toEqual({ '': [] });
  });
});

it('the two requests carry the same tensor', () => {
  const { body } = jsonEvent('cnn', INPUTS.cnn) as { body: string };
  const sent: { inputs: [{ data: number[] }] } = JSON.parse(body);
  const binary = binaryEvent('cnn', INPUTS.cnn) as { body: string; headers: Record<string, string> };
  const bytes = Buffer.from(binary.body, 'base64');
  const tail = bytes.subarray(Number(binary.headers['inference-header-content-length']));
  const floats = new Float32Array(new Uint8Array(tail).buffer);
  expect(floats.length).toBe(3 * 224 * 224);
  expect(sent.inputs[0].data.every((value, i) => value === floats[i])).toBe(true);
  // Real text: 17 digits a number, not 0.5.
  expect(body.length).toBeGreaterThan(2_800_000);
});
