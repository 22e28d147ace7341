import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Datatype } from '../../../../core/tensor/contract.ts';
import { openStore, readBlocks, readColumn, type Store } from '../../../../plugins/models/baseline/store.ts';
import { valuesIn } from '../../../../plugins/models/baseline/values.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-store-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const datatypes: readonly Datatype[] = ['FP32', 'FP64', 'BOOL', 'INT64', 'FP16'];
const fields = datatypes.map((datatype, column) => ({
  tensor: 'x',
  datatype,
  column,
  label: String(column),
}));
const value = (row: number, column: number): number => row * 8 + column;
const fault = (message: string): Error => new Error(message);

async function byRow(store: Store, rows: number): Promise<void> {
  for (let row = 0, at = 0; row < rows; row++) {
    for (const [column, values] of store.block.entries()) values[at] = value(row, column);
    if (++at === store.capacity || row + 1 === rows) {
      await store.flush(at);
      at = 0;
    }
  }
}
/** Parts of 5,000 rows, which end within blocks and across them. */
async function byColumn(store: Store, rows: number): Promise<void> {
  await store.expect(rows);
  for (const [column, { datatype }] of fields.entries()) {
    for (let first = 0; first < rows; first += 5000) {
      const values = valuesIn(datatype, new ArrayBuffer(8 * 5000), 0, Math.min(5000, rows - first));
      for (let i = 0; i < values.length; i++) values[i] = value(first + i, column);
      await store.writeColumn(column, first, values);
    }
  }
}

describe('a store', () => {
  it.each([
    ['rows', 1, byRow],
    ['rows', 50_001, byRow],
    ['columns', 1, byColumn],
    ['columns', 50_001, byColumn],
    ['columns', 50_000, byColumn],
  ])('gives back its %s, %i of them', async (_, rows, write) => {
    const store = await openStore(join(folder, 'rows'), fields, fault);
    await write(store, rows);
    await store.close();
    expect(store.rows()).toBe(rows);
    const stored = { path: store.path, fields, capacity: store.capacity, rows, texts: [] };
    const file = await open(store.path);
    try {
      for (const column of fields.keys()) {
        const values = await readColumn(file, stored, column);
        expect(values.length).toBe(rows);
        expect(values.every((found, row) => found === value(row, column))).toBe(true);
      }
      let seen = 0;
      await readBlocks(file, stored, 1, 4, (block, first, count) => {
        expect(first).toBe(seen);
        expect(block.map(({ length }) => length)).toEqual([count, count, count]);
        for (const [i, values] of block.entries())
          expect(values.every((found, row) => found === value(first + row, i + 1))).toBe(true);
        seen += count;
      });
      expect(seen).toBe(rows);
    } finally {
      await file.close();
    }
  });

  it('refuses more rows than a machine has memory for', async () => {
    const store = await openStore(join(folder, 'many'), fields, fault);
    await expect(store.expect(10_000_001)).rejects.toThrow('It has more than 10000000 rows.');
    await store.close();
    const wide = Array.from({ length: 3000 }, (_, column) => ({
      tensor: 'x',
      datatype: 'FP64' as const,
      column,
      label: '',
    }));
    const large = await openStore(join(folder, 'large'), wide, fault);
    await expect(large.expect(1_000_000)).rejects.toThrow(
      '1000000 of its rows are more than 16 GB as tensors.',
    );
    await large.close();
  });
});
