import { NEWLINE } from '../../../../core/tabular/cells/cells.ts';
import type { Fault, Header } from '../../../../core/tabular/cells/layout.ts';
import { type Filler, fillerOf, type Reading, type Sink } from './reading.ts';
import { withText } from './text.ts';

/**
 * A JSON object or array a line. An object's members are columns by name, and one that is an array has as many elements as the
 * input of its name takes; an array's elements are columns in the model's order.
 */
export function readJsonl({ path, fault, open, progress }: Reading): Promise<void> {
  const decoder = new TextDecoder();
  return withText(path, fault, progress, async (text, more) => {
    let writer: { readonly put: Put; readonly filler: Filler } | undefined;
    for (;;) {
      const end = text.bytes.indexOf(NEWLINE, text.at);
      if (end < 0 || end >= text.end) {
        if (await more()) continue;
        break;
      }
      const line = decoder.decode(text.bytes.subarray(text.at, end)).trim();
      if (line !== '') {
        const row = parse(line, text.line, fault);
        if (writer === undefined) {
          const header = headerOf(row);
          const sink = await open(header);
          const filler = fillerOf(sink, fault);
          writer = { filler, put: writerOf(header, sink, filler, fault) };
        }
        writer.put(row, text.line);
        if (writer.filler.full()) await writer.filler.flush();
      }
      text.at = end + 1;
      text.line++;
    }
    await writer?.filler.flush();
  });
}

type Row = Readonly<Record<string, unknown>> | readonly unknown[];
type Put = (row: Row, line: number) => void;

function parse(text: string, line: number, fault: Fault): Row {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    // The parser's own words have the value in them.
    throw fault(
      `Line ${line} is not JSON.`,
      'Write one JSON object a line, and null where there is no value.',
    );
  }
  if (typeof row === 'object' && row !== null) return row as Row;
  throw fault(
    `Line ${line} is neither an object nor an array.`,
    'Write an object of column names and values.',
  );
}

function headerOf(row: Row): Header {
  if (Array.isArray(row)) return { widths: flat(row).map(() => 1) };
  return { names: Object.keys(row), widths: Object.values(row).map((value) => flat(value).length) };
}

const flat = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value.some(Array.isArray) ? value.flat(Number.POSITIVE_INFINITY) : value) : [value];

function writerOf({ names, widths }: Header, { targets }: Sink, filler: Filler, fault: Fault): Put {
  const columns = new Map(names?.map((name, column) => [name, column]));
  return (row, line) => {
    const where = (): string => `Line ${line}`;
    if (Array.isArray(row) !== (names === undefined)) {
      throw fault(`Line ${line} is not what the first is.`, 'Write objects only, or arrays only.');
    }
    if (names === undefined) {
      const values = flat(row);
      checkLength(values.length, widths.length, line, undefined, fault);
      values.forEach((value, column) => {
        filler.put(targets[column] as number, value, where);
      });
    } else {
      for (const [name, value] of Object.entries(row)) {
        const column = columns.get(name);
        if (column === undefined) {
          throw fault(
            `Line ${line} has a column ${name}, which the first has not.`,
            'Give every line the same columns.',
          );
        }
        const target = targets[column] as number;
        // Absent as a whole: no value, as for a column that is not in the line.
        if (target < 0 || value === null) continue;
        const values = flat(value);
        checkLength(values.length, widths[column] as number, line, name, fault);
        values.forEach((element, i) => {
          filler.put(target + i, element, where);
        });
      }
    }
    filler.next();
  };
}

function checkLength(
  length: number,
  due: number,
  line: number,
  name: string | undefined,
  fault: Fault,
): void {
  if (length === due) return;
  throw fault(
    `Line ${line} has ${length} values${name === undefined ? '' : ` in column ${name}`}; the first has ${due}.`,
    'Give every line the same number.',
  );
}
