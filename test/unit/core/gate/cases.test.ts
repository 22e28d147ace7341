import fc from 'fast-check';
import { expect, it } from 'vitest';
import { caseLines, faultOf, readCase } from '../../../../core/gate/cases.ts';

const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
const line = (value: unknown): string => JSON.stringify(value);

it('a case goes by its line; blank ones are none', () => {
  const text = `\uFEFF{"a":1}\r\n\n  \t\n{"b":2}\n{"c":3}`;
  const found = caseLines(text);
  expect(found.map((one) => one.line)).toEqual([1, 4, 5]);
  expect(found.map(({ start, end }) => JSON.parse(text.slice(start, end)))).toEqual([
    { a: 1 },
    { b: 2 },
    { c: 3 },
  ]);
});

it('every text that is not blank is on its line, whatever is around it', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ -~\t]*$/)), (lines) => {
      const text = lines.join('\n');
      const found = caseLines(text).map(({ line: number, start, end }) => [number, text.slice(start, end)]);
      const expected = lines.flatMap((content, i) =>
        content.trim() === '' ? [] : [[i + 1, content.trimStart()]],
      );
      expect(found).toEqual(expected);
    }),
  );
});

it('becomes the request that a client would send, and what it expects', () => {
  const read = readCase(
    line({ id: 'a', parameters: { p: 1 }, inputs: [x], model_name: 'm', model_version: '3', outputs: [x] }),
  );
  expect(read).toMatchObject({ outputs: [x] });
  expect('request' in read && JSON.parse(read.request)).toEqual({
    id: 'a',
    parameters: { p: 1 },
    inputs: [x],
  });
});

it('keeps nesting in the request, and every digit', () => {
  const read = readCase(
    '{"inputs":[{"name":"x","datatype":"INT64","shape":[1,1],"data":[[9007199254740993]]}]}',
  );
  expect('request' in read && read.request).toContain('[[9007199254740993]]');
  expect(read).toMatchObject({ inputs: [{ data: [9007199254740993n] }] });
});

it.each([
  ['{"inputs":', 'The line is not JSON.'],
  ['[]', 'The line must be an object with inputs and outputs.'],
  [
    line({ inputs: [x], output: [x] }),
    '"output" is no key of a case: the request has inputs, and the expected answer is outputs.',
  ],
  [line({ inputs: x }), '$.inputs must be an array of tensors.'],
  [line({ inputs: [{ ...x, shape: [3] }] }), '$.inputs[0].data has 2 elements; the shape says 3.'],
  [line({ inputs: [{ ...x, shape: [-1, 2] }] }), '$.inputs[0].shape must be an array of whole numbers.'],
  [line({ inputs: [x, x] }), '$.inputs[1] has the name of another one.'],
  [
    line({ inputs: [{ ...x, parameters: { binary_data_size: 8 } }] }),
    '$.inputs[0] has binary data, which a line of JSON cannot hold.',
  ],
  [line({ inputs: [x], outputs: [] }), '$.outputs names no output, so there is nothing to compare.'],
  [
    line({ inputs: [x], outputs: [{ ...x, datatype: 1 }] }),
    '$.outputs[0].datatype must be a text, for example FP32.',
  ],
])('%s is none', (text, fault) => {
  expect(readCase(text)).toEqual({ fault });
});

it('needs outputs, unless there is a reference', () => {
  const bare = readCase(line({ inputs: [x] }));
  expect([faultOf(bare, false), faultOf(bare, true)]).toEqual([
    'The case has no outputs, and there is no reference.',
    undefined,
  ]);
});
