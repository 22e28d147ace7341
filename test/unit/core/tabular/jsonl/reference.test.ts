import { expect, it } from 'vitest';
import { openJsonl } from '../../../../../core/tabular/jsonl/read.ts';
import { input, readAll, signature, sourceOf } from '../setup.ts';

it('columns of reference data are in the order in which the first row has them, also where their names are numbers', async () => {
  const first = ' {"30" : 1, "b\\"":[2],"10":4.5 , "2":5} ';
  const model = signature([input('x', 'FP32', 4)]);
  const rows = await openJsonl(sourceOf(`${first}\n{"10":1,"2":2,"30":3,"b\\"":4}\n`), model, {
    ids: [],
    join: false,
    reference: true,
  });
  expect(rows.table?.header.names).toEqual(['30', 'b"', '10', '2']);
  expect((await readAll(rows.all(1e9))).rows.map(({ values }) => values.x)).toEqual([
    [1, 2, 4.5, 5],
    [3, 4, 1, 2],
  ]);
});
