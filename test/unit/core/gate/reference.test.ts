import { describe, expect, it } from 'vitest';
import { expectedOf, referenceBody } from '../../../../core/gate/reference.ts';

const x = { name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] };
const age = { name: 'age', datatype: 'INT64', shape: [2, 1], data: [30, 40] };
const job = { name: 'job', datatype: 'BYTES', shape: [2], data: ['cook', 'a,"b"'] };

describe('what a container is sent', () => {
  it('rows of the one input, as instances, bare, and as CSV', () => {
    expect(referenceBody('instances', [x], '')).toBe('{"instances":[[1,2],[3,4]]}');
    expect(referenceBody('array', [x], '')).toBe('[[1,2],[3,4]]');
    expect(referenceBody('csv', [x], '')).toBe('1,2\n3,4\n');
    expect(referenceBody('protocol', [x], 'the request')).toBe('the request');
  });

  it('rows by name of several, and their values beside each other in CSV', () => {
    expect(referenceBody('instances', [age, job], '')).toBe(
      '{"instances":[{"age":[30],"job":"cook"},{"age":[40],"job":"a,\\"b\\""}]}',
    );
    expect(referenceBody('array', [age, job], '')).toBeUndefined();
    expect(referenceBody('csv', [age, job], '')).toBe('30,cook\n40,"a,""b"""\n');
  });

  it('nothing that has no rows, or too many values for CSV', () => {
    const image = { ...x, shape: [1, 2, 2] };
    expect(referenceBody('csv', [image], '')).toBeUndefined();
    expect(referenceBody('instances', [image], '')).toBe('{"instances":[[[1,2],[3,4]]]}');
    expect(referenceBody('instances', [{ ...x, shape: [], data: [1] }], '')).toBeUndefined();
    expect(referenceBody('instances', [x, { ...age, shape: [1, 1], data: [1] }], '')).toBeUndefined();
  });
});

const label = { name: 'label', datatype: 'INT64', shape: [2], data: [0, 1] };
const scores = { name: 'scores', datatype: 'FP32', shape: [2, 3], data: [0, 0, 1, 0, 1, 0] };
const told = (body: string, ours: Parameters<typeof expectedOf>[2], type = 'application/json') =>
  expectedOf(type, body, ours);

describe('what its answer means', () => {
  it.each([
    ['TensorFlow Serving', '{"predictions": [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]}', 'application/json'],
    ['TensorFlow Serving, by column', '{"outputs": [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]}', 'application/json'],
    ['scikit-learn', '[[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]', 'application/json'],
    ['CSV', '0.1,0.2,0.7\n0.3,0.3,0.4\n', 'text/csv; charset=utf-8'],
    ['CSV that does not say so', '0.1,0.2,0.7\n0.3,0.3,0.4\n', 'application/octet-stream'],
  ])('%s', (_, body, type) => {
    const data = [0.1, 0.2, 0.7, 0.3, 0.3, 0.4];
    expect(told(body, [scores], type)).toEqual([{ name: 'scores', shape: [2, 3], data }]);
    // Where there are two outputs, it is the one that it fits.
    expect(told(body, [label, scores], type)).toEqual([{ name: 'scores', shape: [2, 3], data }]);
  });

  it('names are kept where there are some', () => {
    const rows = '{"predictions": [{"score": 0.1, "label": 1}, {"score": 0.2, "label": 0}]}';
    expect(told(rows, [label, scores])).toEqual([{ name: 'label', shape: [2], data: [1, 0] }]);
    expect(told('{"outputs": {"label": [1, 0]}}', [label, scores])).toEqual([
      { name: 'label', shape: [2], data: [1, 0] },
    ]);
    const protocol = { outputs: [{ name: 'label', datatype: 'INT64', shape: [2, 1], data: [1, 0] }] };
    expect(told(JSON.stringify(protocol), [label])).toEqual([{ name: 'label', shape: [2, 1], data: [1, 0] }]);
  });

  it('our own CSV has all outputs beside each other', () => {
    expect(told('1,0.1,0.2,0.7\n0,0.3,0.3,0.4\n', [label, scores], 'text/csv')).toEqual([
      { name: 'label', shape: [2], data: [1, 0] },
      { name: 'scores', shape: [2, 3], data: [0.1, 0.2, 0.7, 0.3, 0.3, 0.4] },
    ]);
  });

  it('XGBoost’s one line in brackets', () => {
    const score = { ...label, datatype: 'FP32' };
    expect(told('[0.25,0.5]', [score], 'text/csv')).toEqual([
      { name: 'label', shape: [2], data: [0.25, 0.5] },
    ]);
  });

  it('texts, booleans and Python’s numbers become what our output has', () => {
    const of = (datatype: string) => [{ name: 'y', datatype, shape: [2], data: [0, 0] }];
    const data = (found: ReturnType<typeof told>) => ('fault' in found ? found : found[0]?.data);
    expect(data(told('True\n0\n', of('BOOL'), 'text/csv'))).toEqual([true, false]);
    expect(data(told('nan\n-inf\n', of('FP32'), 'text/csv'))).toEqual([Number.NaN, Number.NEGATIVE_INFINITY]);
    expect(data(told('a\n"b,c"\n', of('BYTES'), 'text/csv'))).toEqual(['a', 'b,c']);
    expect(data(told('[1.0, 9007199254740993]', of('INT64')))).toEqual([1, 9007199254740993n]);
  });

  it('what fits two outputs or none is told, without values', () => {
    const other = { ...label, name: 'other' };
    expect(told('[5, 6]', [label, other])).toEqual({
      fault: 'answered 2 values without names, and they may be any of "label", "other"',
    });
    expect(told('[5, 6, 7]', [label, scores])).toEqual({
      fault: 'answered 3 values without names, and they fit none of "label", "scores"',
    });
    expect(told('{"predictions": [{"score": 5}]}', [label])).toEqual({
      fault: 'names "score", and none of the model’s outputs',
    });
    expect(told('<html>', [label])).toEqual({ fault: 'answered no JSON' });
    expect(told('{"ok": true}', [label])).toEqual({ fault: 'answered neither predictions nor outputs' });
  });

  it('a wrong number of rows is a wrong shape, for the comparison to tell', () => {
    expect(told('[1, 0, 1]', [label])).toEqual([{ name: 'label', shape: [3], data: [1, 0, 1] }]);
  });
});
