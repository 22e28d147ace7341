import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../../../core/errors/refusals.ts';
import { parseCsv } from '../../../../core/protocol/csv-body.ts';
import { readRequest } from '../../../../core/protocol/request.ts';
import type { Rows } from '../../../../core/tabular/cells/format.ts';
import { openCsv } from '../../../../core/tabular/csv/read.ts';
import { openJsonl } from '../../../../core/tabular/jsonl/read.ts';
import { DATATYPES, type Datatype } from '../../../../core/tensor/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import { input, signature, sourceOf } from './setup.ts';

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 24 });
const shape = fc.tuple(
  fc.constantFrom('', '-', '+'),
  digits,
  fc.constantFrom('', '.'),
  digits,
  fc.constantFrom('', '', 'e5', 'E-3', 'e400'),
);
const numeric = fc.oneof(
  shape.map((parts) => parts.join('')),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 64n) - 2n, max: 2n ** 64n + 2n }).map(String),
  fc.constantFrom(
    ...[127, 128, 255, 256, 32_767, 32_768, 65_504, 65_519, 65_520, 65_535, 65_536].flatMap((n) => [
      `${n}`,
      `-${n}`,
      `${n}.0`,
      `${n}.5`,
    ]),
  ),
  fc.constantFrom(
    '2147483648',
    '-2147483649',
    '4294967296',
    '9223372036854775807',
    '9223372036854775808',
    '18446744073709551615',
    '9007199254740993',
    '3.5e38',
    '1e-50',
  ),
  fc.double().map(String),
  fc.float().map(String),
);
const word = fc.oneof(
  { weight: 8, arbitrary: numeric },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      'true',
      'FALSE',
      'True',
      '0',
      '1',
      '00',
      '+1',
      '-0',
      '.',
      '-',
      'e5',
      'nan',
      'inf',
      '0x10',
      '1_000',
      '1,5',
      '٣',
      '1 2',
      '\u00001',
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(' ', '\t', ''), numeric, fc.constantFrom(' ', '\r', ''))
      .map((parts) => parts.join('')),
  },
);
const datatype = fc.constantFrom(...DATATYPES);

/** The elements of a row, or why it has none. */
async function byBatch(rows: Rows): Promise<unknown> {
  for await (const { tensors, faults } of rows.all(1e9)) {
    if (faults.length > 0) return faults.map(({ code }) => code);
    return Array.from(tensors.x?.data as Float64Array);
  }
  return 'no row';
}
function byEndpoint(read: () => Readonly<Record<string, Tensor>>): unknown {
  try {
    return Array.from(read().x?.data as Float64Array);
  } catch (error) {
    if (isRefusal(error)) return [error.code];
    throw error;
  }
}

const isRefused = (read: unknown): boolean =>
  Array.isArray(read) && read.length === 1 && /^(WRONG|INVALID)_[A-Z]+$/.test(String(read[0]));

describe('batch takes and refuses what the endpoint does', () => {
  it('of cells', async () => {
    await fc.assert(
      fc.asyncProperty(word, datatype, fc.boolean(), async (word, datatype: Datatype, isJoined) => {
        const cell = `"${word.replaceAll('"', '""')}"`;
        const bare = /[",\r\n]/.test(word) || word === '' ? cell : word;
        const model = signature([input('x', datatype, 1)]);
        const expected = byEndpoint(
          () =>
            parseCsv(`${cell},1\n`, signature([input('x', datatype, 1), input('y', 'INT8', 1)]).inputs)
              .tensors,
        );
        for (const text of [cell, bare]) {
          const source = sourceOf(`x,id\n${text},1\n`);
          const extras = isJoined ? { ids: [], join: true } : { ids: ['id'], join: false };
          expect(await byBatch(await openCsv(source, model, extras)), text).toEqual(expected);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('of JSON', async () => {
    const literal = fc.oneof(
      { weight: 6, arbitrary: numeric },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          'true',
          'false',
          'null',
          '"a"',
          '"\\ud800"',
          '"1"',
          '{}',
          '01',
          '.5',
          '1.',
          '+1',
          '-',
          'tru',
          '',
        ),
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(literal, { minLength: 1, maxLength: 3 }),
        datatype,
        fc.boolean(),
        async (literals, datatype: Datatype, isFlat) => {
          const width = literals.length;
          const list = `[${literals.join()}]`;
          const request = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1,${width}],"data":${isFlat ? list : `[${list}]`}}]}`;
          const model = signature([input('x', datatype, width)]);
          const expected = byEndpoint(() => readRequest(request, model).tensors);
          const texts = [`{"x":${list}}`, `{ "x" : ${list} }`, list];
          if (width === 1 && !/^[[{]/.test(literals[0] as string) && literals[0] !== '')
            texts.push(`{"x":${literals[0]}}`);
          for (const text of texts) {
            const found = await byBatch(await openJsonl(sourceOf(text), model, { ids: [], join: false }));
            // Where several things are wrong, another may be met first.
            expect(isRefused(found) && isRefused(expected) ? expected : found, text).toEqual(expected);
          }
        },
      ),
      { numRuns: 600 },
    );
  });
});

/** As JSON writes numbers; pandas has `1.0` in a column of whole numbers with one that is missing. */
const jsonNumber = fc.oneof(
  numeric.filter((text) => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)),
  fc.constantFrom(
    '1.0',
    '-3.00',
    '1e3',
    '1E2',
    '1.5e1',
    '1.25e1',
    '-0.0',
    '9007199254740993.0',
    '1e19',
    '1e400',
  ),
  fc.maxSafeInteger().map((value) => `${value}.0`),
);

describe('a number of csv is what it is in JSON', () => {
  it.each(DATATYPES.filter((one) => one !== 'BOOL' && one !== 'BYTES'))('of %s', (datatype) => {
    const model = signature([input('x', datatype, 2)]);
    fc.assert(
      fc.property(jsonNumber, (text) => {
        const tensor = `{"name":"x","datatype":"${datatype}","shape":[1,2],"data":[${text},7]}`;
        const json = byEndpoint(() => readRequest(`{"inputs":[${tensor}]}`, model).tensors);
        expect(byEndpoint(() => parseCsv(`${text},7\n`, model.inputs).tensors)).toEqual(json);
      }),
      { numRuns: 400 },
    );
  });
});
