import { TABULAR_FORMATS } from '../../../core/tabular/formats.ts';
import { table } from './pages.ts';

/** The table of docs/batch.md. */
export const formatTable = (): string =>
  table(
    ['format', 'files', 'packed with gzip, too', 'columns', 'of an output of several values a row'],
    Object.entries(TABULAR_FORMATS).map(([name, { suffix, streams, isArray, nests }]) => [
      `\`${name}\``,
      `\`*${suffix}\``,
      streams ? 'yes' : 'no',
      isArray ? 'without names; numbers only' : 'with names; numbers and texts',
      nests ? 'an array in one column' : 'a column each',
    ]),
  );
