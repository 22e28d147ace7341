import { expect, it } from 'vitest';
import { carriedTypes, type ReadColumn } from '../../../../../core/tabular/parquet/columns.ts';

it('carried columns have their datatypes by one look at each column: a file has hundreds of thousands', () => {
  let looks = 0;
  const count = 500;
  const columns = Array.from({ length: count }, (_, i): ReadColumn => {
    const kind = { datatype: i % 2 === 0 ? 'FP32' : 'INT64', from: () => new Float32Array(0) } as const;
    return {
      leaf: i,
      kind,
      get name() {
        looks++;
        return `c${i}`;
      },
      get carried() {
        looks++;
        // In another order; the last one is the model's alone.
        return i === count - 1 ? -1 : count - 2 - i;
      },
    };
  });
  const carried = Array.from({ length: count - 1 }, (_, at) => `c${count - 2 - at}`);
  const types = carriedTypes({ columns, carried });
  expect(types).toEqual(carried.map((name) => (Number(name.slice(1)) % 2 === 0 ? 'FP32' : 'INT64')));
  expect(looks).toBeLessThanOrEqual(2 * count);
});
