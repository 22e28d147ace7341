import { PAYLOAD_BYTES } from '../../../../core/endpoint/contract.ts';
import { eventOf } from '../../../../core/gate/event.ts';
import { printLabelled } from '../../../../core/gate/labelled.ts';
import type { PlainTensor } from '../../../../core/gate/tensors.ts';
import { LABELLED_ROWS, type Label } from '../../../../core/quality/contract.ts';
import { type LabelKind, readLabel } from '../../../../core/quality/labels.ts';
import type { Block, RowFault } from '../../../../core/tabular/cells/format.ts';
import { rowsOf } from '../../../../core/tabular/cells/split.ts';
import type { Signature } from '../../../../core/tensor/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import { fromHalf } from '../../../../core/tensor/half.ts';

/** The release worker has the whole file in its memory of 512 MB, as text. */
const FILE_BYTES = 32 * 1024 ** 2;
/** Every request is an invocation of both versions, and CloudFormation waits for all of them. */
const REQUESTS = 10_000;
/**
 * Rows and bytes of a request: some, so that a thousand rows are no thousand invocations, and few, so that no
 * version needs more memory for them than for its own traffic.
 */
const REQUEST_ROWS = 64;
const REQUEST_BYTES = 512 * 1024;
/** Faulty rows that are told: the next ones mostly have the same fault. */
const SHOWN = 3;

/** The column of the label, and what a label may be. */
export type AskedLabel = {
  readonly label: string;
  readonly kind: LabelKind;
  readonly classes: readonly string[] | undefined;
  readonly count: number | undefined;
};

type Fault = (message: string, fix: string) => Error;

/** The rows of a table as the lines that the gate asks. @throws what `fault` makes */
export async function labelledLines(
  blocks: AsyncIterable<Block>,
  { kind, classes, count }: AskedLabel,
  { inputs }: Signature,
  fault: Fault,
): Promise<{ readonly text: string; readonly rows: number; readonly requests: number }> {
  const isFree = inputs.every(({ shape }) => shape.length > 0 && (shape[0] as number) < 0);
  const lines: string[] = [];
  let rows = 0;
  let bytes = 0;
  const add = (tensors: Block['tensors'], labels: readonly Label[]): void => {
    const some = isFree ? roomFor(tensors, labels.length) : 1;
    for (let from = 0; from < labels.length; from += some) {
      const to = Math.min(labels.length, from + some);
      const part = rowsOf(tensors, from, to);
      const plain = inputs.map(({ name, shape }) => plainOf(name, part[name] as Tensor, shape, to - from));
      const line = printLabelled({ first: rows + 1, labels: labels.slice(from, to), inputs: plain });
      if (Buffer.byteLength(eventOf(line)) > PAYLOAD_BYTES)
        throw fault(
          `Row ${rows + 1} makes a request of more than ${PAYLOAD_BYTES / 1024 ** 2} MB, which Lambda does not take.`,
          'Leave `gate.metric` out for this model.',
        );
      lines.push(line);
      rows += to - from;
      bytes += Buffer.byteLength(line) + 1;
      if (rows > LABELLED_ROWS || lines.length > REQUESTS || bytes > FILE_BYTES)
        throw fault(
          `It has more than ${rows > LABELLED_ROWS ? `${LABELLED_ROWS} rows` : bytes > FILE_BYTES ? `${FILE_BYTES / 1024 ** 2} MB, as requests in JSON` : `${REQUESTS} rows of a request each, since the model takes one row at a time`}; a gate asks no more.`,
          'Take a random sample of the rows.',
        );
    }
  };
  for await (const { rows: numbers, lines: places, tensors, carried, faults } of blocks) {
    if (faults.length > 0) throw rowFaults(faults, fault);
    const labels: Label[] = [];
    const wrong: RowFault[] = [];
    for (let i = 0; i < numbers.length; i++) {
      const read = readLabel(carried[0]?.[i], kind, classes, count);
      if ('label' in read) labels.push(read.label);
      else {
        const line = places?.[i];
        wrong.push({
          row: numbers[i] as number,
          ...(line !== undefined && { line }),
          code: 'LABEL',
          reason: `The row ${read.fault}`,
        });
      }
    }
    if (wrong.length > 0) throw rowFaults(wrong, fault);
    if (labels.length > 0) add(tensors, labels);
  }
  if (rows === 0) throw fault('It has no row.', 'Write a row for each example, with its label.');
  return { text: `${lines.join('\n')}\n`, rows, requests: lines.length };
}

/** Rows that a request may have, by the size of the first one. */
function roomFor(tensors: Block['tensors'], rows: number): number {
  const width = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0) / rows;
  const text = Object.values(tensors).reduce(
    (sum, { data }) => sum + (Array.isArray(data) ? data.reduce((all, one) => all + one.length, 0) : 0),
    0,
  );
  const rowBytes = width * NUMBER_BYTES + text / rows;
  return Math.max(1, Math.min(REQUEST_ROWS, Math.floor(REQUEST_BYTES / Math.max(1, rowBytes))));
}
/** A number in JSON and its comma, at most mostly. */
const NUMBER_BYTES = 12;

/** As the protocol's JSON has it. A model of one row at a time may have no dimension for rows. */
function plainOf(
  name: string,
  { datatype, shape, data }: Tensor,
  declared: readonly number[],
  rows: number,
): PlainTensor {
  const values: readonly unknown[] =
    datatype === 'FP16'
      ? Array.from(data as Uint16Array, (bits) => shortest(fromHalf(bits)))
      : datatype === 'FP32'
        ? Array.from(data as Float32Array, shortest)
        : datatype === 'BOOL'
          ? Array.from(data as Uint8Array, (byte) => byte === 1)
          : Array.from(data as ArrayLike<unknown>);
  const isWithout = declared.length < shape.length && rows === 1;
  return { name, datatype, shape: isWithout ? shape.slice(1) : shape, data: values };
}

/** The shortest decimal that is this number in 32 bits: half of the digits that a double has. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** Never a value: it may be a person's. */
function rowFaults(faults: readonly RowFault[], fault: Fault): Error {
  const words = faults.slice(0, SHOWN).map(({ row, line, reason }) => {
    const where = line === undefined ? `Row ${row}` : `Line ${line}`;
    const own = reason.replace(/ is missing, one of ids\.$/, ' is missing, which would be the label.');
    return /^The (row|line)\b/.test(own) ? own.replace(/^The (row|line)\b/, where) : `${where}: ${own}`;
  });
  const more = faults.length > SHOWN ? [`There are more nearby, ${faults.length - SHOWN} at least.`] : [];
  return fault(
    [...words, ...more].join(' '),
    'Correct these rows, or leave them out; a row without a value cannot be asked in the protocol’s JSON.',
  );
}
