import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Datatype } from '../../../../../core/tensor/contract.ts';
import {
  openStore,
  readBlocks,
  readColumn,
  type Store,
} from '../../../../../plugins/models/baseline/store.ts';

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

describe('a store', () => {
  it.each([[1], [50_000], [50_001]])('gives back its %i rows', async (rows) => {
    const store = await openStore(join(folder, 'rows'), fields, fault);
    await byRow(store, rows);
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
    expect(() => store.expect(10_000_001)).toThrow('It has more than 10000000 rows.');
    await store.close();
    const wide = Array.from({ length: 3000 }, (_, column) => ({
      tensor: 'x',
      datatype: 'FP64' as const,
      column,
      label: '',
    }));
    const large = await openStore(join(folder, 'large'), wide, fault);
    expect(() => large.expect(1_000_000)).toThrow('1000000 of its rows are more than 16 GB as tensors.');
    await large.close();
  });
});
