import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writerFor } from '../../../../core/batch/formats.ts';
import { isObjectFault } from '../../../../core/errors/object-errors.ts';
import type { Block, Extras, Rows } from '../../../../core/tabular/cells/format.ts';
import type { TabularFormat } from '../../../../core/tabular/cells/tabular-format.ts';
import type { TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { ENTRY } from '../batch/scene.ts';
import { input, readAll, readParts, signature, sourceOf } from './setup.ts';

type Row = {
  readonly a: number;
  readonly m: readonly [number, number];
  readonly n: number;
  readonly t: string;
  readonly id: string;
};

const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '"', ',', 'a\nb', '\r\n', 'null', '1', ' ', 'é,"\u{1F600}'),
  )
  .filter((one) => !one.includes('\0') && !/\p{Surrogate}/u.test(one) && !one.startsWith('\uFEFF'));
const float = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1, 0.1, 1e-38, 3.4028234663852886e38, 16777217).map(Math.fround),
);
const row = fc.record<Row>({
  a: float,
  m: fc.tuple(float, float),
  n: fc.oneof(
    fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
    // A reader that adds a digit’s character first rounds these.
    fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53, 2 ** 53 - 25),
  ),
  t: text,
  id: text,
});
const rows = (least = 0) => fc.array(row, { minLength: least, maxLength: 40 });

/** Outputs that are read back as inputs; an array has numbers only. */
const specsOf = ({ isArray }: TabularFormat): readonly TensorSpec[] => [
  input('a', 'FP32', 1),
  input('m', 'FP32', 2),
  input('n', isArray ? 'FP64' : 'INT64', 1),
  ...(isArray ? [] : [input('t', 'BYTES', 1)]),
];
const extrasOf = ({ isArray }: TabularFormat): Extras => ({ ids: isArray ? [] : ['id'], join: false });

const tensor = (datatype: Tensor['datatype'], width: number, data: unknown): Tensor =>
  ({ datatype, shape: [(data as []).length / width, width], data }) as Tensor;
const outputsOf = ({ isArray }: TabularFormat, all: readonly Row[]): Tensors => ({
  a: tensor(
    'FP32',
    1,
    Float32Array.from(all, ({ a }) => a),
  ),
  m: tensor('FP32', 2, Float32Array.from(all.flatMap(({ m }) => m))),
  n: isArray
    ? tensor(
        'FP64',
        1,
        Float64Array.from(all, ({ n }) => n),
      )
    : tensor(
        'INT64',
        1,
        BigInt64Array.from(all, ({ n }) => BigInt(n)),
      ),
  ...(!isArray && {
    t: tensor(
      'BYTES',
      1,
      all.map(({ t }) => t),
    ),
  }),
});

/** What the readers give of these rows. */
const valuesOf = ({ isArray }: TabularFormat, all: readonly Row[]): unknown[] =>
  all.map(({ a, m, n, t, id }, i) => ({
    row: i + 1,
    values: { a: [a], m: [...m], n: [isArray ? n : BigInt(n)], ...(!isArray && { t: [t] }) },
    carried: isArray ? [] : [id],
  }));
const plain = ({
  rows: found,
}: {
  readonly rows: readonly { row: number; values: unknown; carried: unknown }[];
}) =>
  found.map(({ row: number, values, carried }) => ({
    row: number,
    values: { ...(values as object) },
    carried,
  }));

/**
 * What every format does: what its writer writes its reader reads back, wherever the bytes are cut; and
 * whatever it is given, it says rows, faults of rows, or a fault of the object.
 * @param name in the list of formats
 */
export function formatContract(name: string, format: TabularFormat): void {
  const specs = specsOf(format);
  const extras = extrasOf(format);
  const model = signature(specs);
  const open = (bytes: Uint8Array, more: Partial<Extras> = {}, chunks?: readonly number[], of = model) =>
    format.open(sourceOf(bytes, chunks), of, { ...extras, ...more });
  const writers = () =>
    writerFor(
      { ...ENTRY, outputFormat: name, ids: extras.ids },
      { carried: extras.ids },
      specs.map(({ name: output, datatype, shape }) => ({
        name: output,
        datatype,
        width: shape[1] as number,
      })),
    );
  const blockOf = (all: readonly Row[], first = 1): Block => ({
    part: 0,
    read: all.length,
    rows: Float64Array.from(all, (_, i) => first + i),
    tensors: {},
    carried: extras.ids.map(() => all.map(({ id }) => id)),
    faults: [],
  });
  const write = async (all: readonly Row[], blocks = 1): Promise<Uint8Array> => {
    const writer = (await writers())();
    const size = Math.max(1, Math.ceil(all.length / blocks));
    for (let at = 0; at < all.length; at += size) {
      const some = all.slice(at, at + size);
      writer.add(blockOf(some, at + 1), outputsOf(format, some));
    }
    return writer.end().slice();
  };
  const read = async (opened: Promise<Rows>) => readAll((await opened).all(1e9));

  describe(`the format ${name}`, () => {
    it('reads what it writes, wherever the bytes and the parts are cut', async () => {
      await fc.assert(
        fc.asyncProperty(
          rows(),
          fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
          fc.integer({ min: 1, max: 2000 }),
          fc.integer({ min: 1, max: 4 }),
          async (all, chunks, partBytes, blocks) => {
            const bytes = await write(all, blocks);
            const opened = await open(bytes, {}, chunks);
            const whole = await readAll(opened.all(partBytes));
            expect(whole.faults).toEqual([]);
            expect(plain(whole)).toEqual(valuesOf(format, all));
            const { parts, ...cut } = await readParts(opened, partBytes);
            expect(cut).toEqual(whole);
            expect(parts.map(({ part }) => part)).toEqual(parts.map((_, i) => i));
          },
        ),
        { numRuns: 60 },
      );
    });

    it('writes the same bytes for the same rows, in memory that was another file’s, too', async () => {
      await fc.assert(
        fc.asyncProperty(rows(1), rows(1), async (one, other) => {
          const make = await writers();
          const of = (all: readonly Row[]): Uint8Array => {
            const writer = make();
            writer.add(blockOf(all), outputsOf(format, all));
            expect(writer.size()).toBeGreaterThan(0);
            return writer.end().slice();
          };
          const first = of(one);
          of(other);
          expect(of(one)).toEqual(first);
          expect(await write(one)).toEqual(first);
        }),
        { numRuns: 20 },
      );
    });

    it('has no rows where none were written, and where there is no byte, or says that', async () => {
      const none = await read(open(await write([])));
      expect([none.rows, none.faults]).toEqual([[], []]);
      const empty = await read(open(new Uint8Array(0))).catch((error: unknown) => error);
      if (isObjectFault(empty)) expect(empty.objectFault).toBe('UNREADABLE');
      else expect(empty).toMatchObject({ rows: [], faults: [] });
    });

    it('says rows, their faults, or a fault of the object, whatever it is given', async () => {
      const [good = []] = fc.sample(rows(5), { numRuns: 1, seed: 3 });
      const bytes = await write(good);
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.uint8Array({ maxLength: 400 }),
            fc.nat({ max: bytes.length }).map((end) => bytes.slice(0, end)),
            fc
              .array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), {
                minLength: 1,
                maxLength: 4,
              })
              .map((changes) => {
                const copy = bytes.slice();
                for (const [at, byte] of changes) copy[at] = byte;
                return copy;
              }),
          ),
          fc.boolean(),
          async (content, reference) => {
            try {
              // Counts are held against each other there.
              await read(open(content, reference ? { reference, ids: [] } : {}));
            } catch (error) {
              if (!isObjectFault(error)) throw error;
              expect(error.message).toMatch(/\.$/);
            }
          },
        ),
        { numRuns: 300 },
      );
    });

    it('finds columns by their names, in any order, or says that it took them in theirs', async () => {
      const all = fc.sample(rows(3), { numRuns: 1, seed: 5 })[0] ?? [];
      const bytes = await write(all);
      const opened = await open(bytes, {}, undefined, format.isArray ? model : signature(specs.toReversed()));
      expect(opened.taken?.by).toBe(format.isArray ? 'order' : 'name');
      expect(plain(await readAll(opened.all(1e9)))).toEqual(valuesOf(format, all));
      if (format.isArray) await expect(open(bytes, { ids: ['id'] })).rejects.toThrow(/have no names/);
      else {
        const lacking = open(bytes, { ids: ['nobody'] }).then((one) => readAll(one.all(1e9)));
        const told = await lacking.then(
          ({ faults }) => faults[0]?.reason,
          (error: Error) => error.message,
        );
        expect(told).toMatch(/nobody/);
      }
    });

    it('reads reference data as it reads rows: numbers, and what the columns are', async () => {
      const all = fc.sample(rows(3), { numRuns: 1, seed: 7 })[0] ?? [];
      const outputs = format.isArray ? [] : [input('id', 'BYTES')];
      const numbers = specs.map((spec) =>
        spec.datatype === 'BYTES' ? spec : { ...spec, datatype: 'FP64' as const },
      );
      const opened = await open(
        await write(all),
        { reference: true, ids: [] },
        undefined,
        signature(numbers, { outputs }),
      );
      expect(opened.table?.layout.fields.map(({ tensor: of, column }) => `${of}${column}`)).toEqual([
        'a0',
        'm0',
        'm1',
        'n0',
        ...(format.isArray ? [] : ['t0']),
      ]);
      const { rows: found, faults } = await readAll(opened.all(1e9));
      expect(faults).toEqual([]);
      const expected = all.map(({ a, m, n, t }) => [a, ...m, n, ...(format.isArray ? [] : [t])]);
      // A text of a number has the digits of its double, a float of 32 bits in a text has those that tell it.
      const rounded = (value: unknown, i: number) =>
        typeof value === 'number' && i < 3 ? Math.fround(value) : value;
      expect(
        found.map(({ values }) => specs.flatMap(({ name: of }) => values[of] ?? []).map(rounded)),
      ).toEqual(expected);
    });

    it(`is ${format.streams ? '' : 'not '}read where it is packed with gzip`, async () => {
      const all = fc.sample(rows(3), { numRuns: 1, seed: 9 })[0] ?? [];
      const packed = new Uint8Array(gzipSync(await write(all)));
      if (format.streams) {
        const opened = await open(packed);
        expect(plain(await readAll(opened.all(100)))).toEqual(valuesOf(format, all));
        expect(opened.plan).toBe(undefined);
      } else await expect(read(open(packed))).rejects.toMatchObject({ objectFault: 'UNREADABLE' });
    });
  });
}
