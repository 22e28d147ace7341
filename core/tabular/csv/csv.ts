import type { TabularFormat } from '../cells/tabular-format.ts';

/** Comma-separated values: RFC 4180. */
export const csv: TabularFormat = {
  suffix: '.csv',
  streams: true,
  isArray: false,
  nests: false,
  async open(source, signature, extras) {
    const { openCsv } = await import('./read.ts');
    return openCsv(source, signature, extras);
  },
  async writer(columns) {
    const { csvWriters } = await import('./writer.ts');
    return csvWriters(columns);
  },
};
