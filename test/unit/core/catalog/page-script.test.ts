import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { answerInBody } from '../../../../functions/catalog/browser/answer.ts';
import { filled, tensorText } from '../../../../functions/catalog/browser/tensor.ts';
import { pageScript } from '../../../../plugins/models/ship/page-script.ts';

describe('the docs page’s script', () => {
  it('is one script, which can stand in a page', async () => {
    const script = await pageScript();
    expect(script).not.toMatch(/<\/script|<!--|\bimport\b|\bexport\b|\brequire\b/);
    // A page without a form: it runs through, and leaves no name of its own behind.
    const page = createContext({ document: { querySelectorAll: () => [] } });
    runInContext(script, page);
    expect(Object.keys(page)).toEqual(['document']);
  });

  it('is short, since it is a part of every page', async () => {
    expect((await pageScript()).length).toBeLessThan(7000);
  });
});

describe('what an endpoint answers', () => {
  it('keeps every digit of integers of 64 bits', () => {
    const data = '[9007199254740993, -9223372036854775808, [18446744073709551615], 12, 0.1, 1e300]';
    const outputs = answerInBody(`{"outputs": [{"name": "9007199254740993", "data": ${data}}]}`)?.outputs;
    const [output] = (outputs ?? []) as readonly { readonly name: string; readonly data: unknown[] }[];
    expect(output?.name).toBe('9007199254740993');
    expect(output?.data.flat(1).map(String)).toEqual(
      '9007199254740993 -9223372036854775808 18446744073709551615 12 0.1 1e+300'.split(' '),
    );
  });

  it('is nothing where it is no JSON', () => expect(answerInBody('<html>')).toBeUndefined());
});

describe('what is typed into a field', () => {
  const text = (shape: readonly number[], kind: string, typed: string, datatype = 'FP32', fill?: string) =>
    tensorText({ name: 'x', datatype, shape, kind, fill }, typed);

  it.each([
    [[-1], 'one', ' 0.5 ', 'FP32', '[1]', '[0.5]'],
    [[], 'one', '9007199254740993', 'INT64', '[]', '[9007199254740993]'],
    [[1, 1], 'one', 'say "x"', 'BYTES', '[1,1]', '["say \\"x\\""]'],
    [[-1, 2], 'rows', '1, 2\n\n 3,9007199254740993 ', 'INT64', '[2,2]', '[[1, 2], [3,9007199254740993]]'],
    [[-1, -1], 'rows', '1,2,3', 'FP32', '[1,3]', '[[1,2,3]]'],
    [[-1, 2, 2], 'json', '[1,2,3,4,5,6,7,8]', 'FP32', '[2,2,2]', '[1,2,3,4,5,6,7,8]'],
    [[-1, 1, 2], 'json', '[[[1,2]],[[3,4]]]', 'FP32', '[2,1,2]', '[[[1,2]],[[3,4]]]'],
  ])('%j, %s: %j as %s', (shape, kind, typed, datatype, sent, data) => {
    expect(text(shape, kind, typed, datatype)).toBe(
      `{"name": "x", "shape": ${sent}, "datatype": "${datatype}", "data": ${data}}`,
    );
  });

  it('nothing, where a field is too large to fill in: the same value throughout', () => {
    expect(text([-1, 3], 'json', ' ', 'FP32', '0.5')).toContain('"shape": [1,3]');
    expect(text([-1, 3], 'json', ' ', 'FP32', '0.5')).toContain('"data": [0.5,0.5,0.5]');
  });

  it('nothing, where the fill would be beyond a request: refused by its length, before there is any text', () => {
    const huge = [-1, 3, 16_384, 16_384];
    expect(filled({ shape: huge, fill: '0.5' }, ' ')).toBe(3_221_225_472);
    expect(filled({ shape: huge, fill: '0.5' }, '[]')).toBe(0);
    expect(filled({ shape: huge, fill: undefined }, '')).toBe(0);
    expect(() => text(huge, 'json', '', 'FP32', '0.5')).toThrow(
      'Left empty, it would be 3222 MB; a request has 6 MB at most.',
    );
    expect(text([1, 3, 512, 512], 'json', '', 'FP32', '0.5').length).toBeGreaterThan(3e6);
  });

  it.each([
    [[-1], 'one', '1,5', 'FP32', 'Write a number, for example 0.5.'],
    [[-1], 'one', '1.5', 'INT64', 'Write a whole number.'],
    [[-1, 2], 'rows', ' \n', 'FP32', 'Write at least one row.'],
    [[2, 2], 'rows', '1,2', 'FP32', 'Write 2 rows; there are 1.'],
    [[-1, 2], 'rows', '1,2\n3', 'FP32', 'Row 2 has 1 values instead of 2.'],
    [[-1, 2], 'rows', 'a,b', 'BYTES', 'Row 1: separate strings in "quotes" by commas.'],
    [[-1, 2, 2], 'json', '{}', 'FP32', 'Write a JSON array.'],
    [[-1, 2, 2], 'json', '[1,2,3]', 'FP32', 'There are 3 values, not a multiple of 4.'],
    [[1, 2, 2], 'json', '[1,2,3]', 'FP32', 'There are 3 values instead of 4.'],
    [[-1, -1, 2], 'json', '[1,2]', 'FP32', 'With 2 free dimensions, nest the array 3 deep.'],
    [[-1, 2, 2], 'json', '[[1,2]]', 'FP32', 'Nest 3 deep, or write one flat array.'],
    [[-1, 2, 2], 'json', '[[[1,2,3]]]', 'FP32', 'Dimension 2 is 1 instead of 2.'],
  ])('%j, %s: %j as %s is refused', (shape, kind, typed, datatype, message) => {
    expect(() => text(shape, kind, typed, datatype)).toThrow(message);
  });
});
