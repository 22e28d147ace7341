import type { TabularFormat } from '../cells/tabular-format.ts';

/** Apache Parquet: https://parquet.apache.org/docs/file-format/ */
export const parquet: TabularFormat = {
  suffix: '.parquet',
  streams: false,
  isArray: false,
  nests: false,
  async open(source, signature, extras) {
    const { openParquet } = await import('./read.ts');
    return openParquet(source, signature, extras);
  },
  async writer(columns, outputs, carried) {
    const { parquetWriter } = await import('./write.ts');
    return () => parquetWriter(columns, outputs, carried);
  },
};
