import type { TabularFormat } from '../cells/tabular-format.ts';

/** JSON lines: a JSON value a line. */
export const jsonl: TabularFormat = {
  suffix: '.jsonl',
  streams: true,
  isArray: false,
  nests: true,
  async open(source, signature, extras) {
    const { openJsonl } = await import('./read.ts');
    return openJsonl(source, signature, extras);
  },
  async writer(columns) {
    const { jsonlWriters } = await import('./writer.ts');
    return jsonlWriters(columns);
  },
};
