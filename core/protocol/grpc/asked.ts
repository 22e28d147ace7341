import { PAYLOAD_BYTES } from '../../endpoint/contract.ts';
import { refusal } from '../../errors/refusals.ts';
import { KINDS } from '../../tensor/datatypes.ts';
import { isDatatype, rawContents } from './contents.ts';
import {
  eachField,
  fieldText,
  joinedPieces,
  readVarint,
  type WireField,
  type WirePieces,
  wireCursor,
} from './wire.ts';

/**
 * Whom a message asks: `name` and `version` of a request, `model_name` and `model_version` of an inference.
 */
export type Whom = { readonly model: string; readonly version: string };

/** What an entry takes at the least, of inputs, outputs, parameters or raw contents. */
const ENTRY_CHARACTERS = 60;

/** Fields of a message, of which no more are taken anyway: one of 6 MB may have millions of two bytes. */
const MOST_FIELDS = PAYLOAD_BYTES / ENTRY_CHARACTERS;

/**
 * Reads these two fields alone, which have the same numbers in every request of the protocol.
 * @returns empty texts for what is not there
 * @throws Refusal `INVALID_REQUEST`, `INVALID_ENCODING`, `BODY_TOO_LARGE`
 */
export function whomOf(message: Uint8Array): Whom {
  // The last one of each counts, and is the only one that a text is made of: a message may have millions.
  let model: WireField | undefined;
  let version: WireField | undefined;
  let count = 0;
  eachField(message, 0, message.length, (field) => {
    if (++count > MOST_FIELDS)
      throw refusal('BODY_TOO_LARGE', 'The message has more fields than may be sent.');
    if (field.wire !== 'bytes') return;
    if (field.number === 1) model = field;
    if (field.number === 2) version = field;
  });
  const text = (field: WireField | undefined): string =>
    field === undefined ? '' : fieldText(message, field);
  return { model: text(model), version: text(version) };
}

/** A `ModelInferRequest` in the form that it has over HTTP. */
export type AskedOverHttp = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** The tensors came as raw bytes, or there are none: those of the answer go so. */
  readonly raw: boolean;
};

type Input = {
  name: string;
  datatype: string;
  shape: number[];
  parameters: Map<string, string>;
  contents: WireField[];
};

const encoder = new TextEncoder();

/**
 * Translates a request into its binary form over HTTP, where it is understood: so both have the same answers.
 * @throws Refusal where the message is no request, or its data do not fit its shapes
 */
export function overHttp(message: Uint8Array): AskedOverHttp {
  const heads: string[] = [];
  const inputs: Input[] = [];
  const outputs: string[] = [];
  const raw: WireField[] = [];
  const parameters = new Map<string, string>();
  let id = '';
  let room = PAYLOAD_BYTES;
  // A field of two bytes becomes an object, and a text of many.
  const grow = (characters: number): void => {
    room -= characters;
    if (room < 0) throw refusal('BODY_TOO_LARGE', 'The message has more names and shapes than may be sent.');
  };
  eachField(message, 0, message.length, (field) => {
    if (field.wire !== 'bytes') return;
    if (field.number > 3) grow(ENTRY_CHARACTERS);
    switch (field.number) {
      case 3:
        id = fieldText(message, field);
        return;
      case 4:
        readParameter(message, field, parameters);
        return;
      case 5:
        inputs.push(readInput(message, field));
        return;
      case 6:
        outputs.push(outputText(message, field));
        return;
      case 7:
        raw.push(field);
    }
  });
  refuseShared(inputs);
  if (raw.length > 0 && raw.length !== inputs.length)
    throw refusal(
      'INVALID_REQUEST',
      `raw_input_contents has ${raw.length} entries, where ${inputs.length} inputs are.`,
    );
  const tail: Uint8Array[] = [];
  const texts = inputs.map(({ name, datatype, shape, parameters: own, contents }, index) => {
    const path = `$.inputs[${index}]`;
    const given = raw[index];
    if (given !== undefined && contents.length > 0)
      throw refusal('INVALID_REQUEST', `${path} has contents, and raw_input_contents are there, too.`);
    const elements = elementsOf(shape);
    if (given !== undefined) checkRaw(datatype, elements, given.to - given.from, index);
    const pieces: WirePieces =
      given === undefined
        ? rawContents(message, contents, datatype, elements, path)
        : [message.subarray(given.from, given.to)];
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    tail.push(...pieces);
    own.set('binary_data_size', String(bytes));
    const text = `{"name":${JSON.stringify(name)},"datatype":${JSON.stringify(datatype)},"shape":[${shape.join()}],"parameters":${objectText(own)}}`;
    grow(text.length);
    return text;
  });
  // So the answer has every number that there is.
  parameters.set('binary_data_output', 'true');
  if (id !== '') heads.push(`"id":${JSON.stringify(id)}`);
  heads.push(`"parameters":${objectText(parameters)}`, `"inputs":[${texts.join()}]`);
  if (outputs.length > 0) heads.push(`"outputs":[${outputs.join()}]`);
  const json = encoder.encode(`{${heads.join()}}`);
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.length),
    },
    body: joinedPieces([json, ...tail]),
    // Without inputs nothing says how they would come; Triton’s client reads numbers from raw bytes alone.
    raw: raw.length > 0 || inputs.length === 0,
  };
}

/** Such an input comes without data, so that its length would be what is wrong. */
function refuseShared(inputs: readonly Input[]): void {
  const index = inputs.findIndex(({ parameters }) => parameters.has('shared_memory_region'));
  if (index >= 0)
    throw refusal('INVALID_REQUEST', `$.inputs[${index}].parameters: shared memory is not offered here.`);
}

/** @returns NaN for what is no shape; its request is refused for it */
function elementsOf(shape: readonly number[]): number {
  const isShape = shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);
  return isShape ? shape.reduce((product, dimension) => product * dimension, 1) : Number.NaN;
}

/** The reason is told in this message’s words; texts are looked into where they are read. */
function checkRaw(datatype: string, elements: number, found: number, index: number): void {
  if (!isDatatype(datatype) || datatype === 'BYTES' || Number.isNaN(elements)) return;
  const bytes = elements * KINDS[datatype].size;
  if (found === bytes) return;
  throw refusal(
    'WRONG_LENGTH',
    `raw_input_contents[${index}] has ${found} bytes; datatype and shape say ${bytes}.`,
  );
}

function readInput(message: Uint8Array, part: WireField): Input {
  const input: Input = { name: '', datatype: '', shape: [], parameters: new Map(), contents: [] };
  eachField(message, part.from, part.to, (field) => {
    if (field.number === 3) readShape(message, field, input.shape);
    if (field.wire !== 'bytes') return;
    if (field.number === 1) input.name = fieldText(message, field);
    if (field.number === 2) input.datatype = fieldText(message, field);
    if (field.number === 4) readParameter(message, field, input.parameters);
    if (field.number === 5) input.contents.push(field);
  });
  return input;
}

/** Packed, or one after another. What is beyond 2⁵³ is no dimension, exact or not. */
function readShape(message: Uint8Array, { from, to }: WireField, shape: number[]): void {
  const cursor = wireCursor(message);
  cursor.at = from;
  while (cursor.at < to) {
    readVarint(cursor, to);
    shape.push((cursor.high | 0) * 2 ** 32 + cursor.low);
  }
}

function outputText(message: Uint8Array, part: WireField): string {
  let name = '';
  const parameters = new Map<string, string>();
  eachField(message, part.from, part.to, (field) => {
    if (field.wire !== 'bytes') return;
    if (field.number === 1) name = fieldText(message, field);
    if (field.number === 2) readParameter(message, field, parameters);
  });
  const own = parameters.size === 0 ? '' : `,"parameters":${objectText(parameters)}`;
  return `{"name":${JSON.stringify(name)}${own}}`;
}

/** They say how tensors lie in HTTP’s body, which means nothing here. */
const OF_HTTP: readonly string[] = ['binary_data', 'binary_data_size', 'binary_data_output'];

/** An entry of a map from text to `InferParameter`. The last of equal keys counts, as in all of protobuf. */
function readParameter(message: Uint8Array, entry: WireField, into: Map<string, string>): void {
  let key = '';
  let value = 'null';
  eachField(message, entry.from, entry.to, (field) => {
    if (field.wire !== 'bytes') return;
    if (field.number === 1) key = fieldText(message, field);
    if (field.number === 2)
      eachField(message, field.from, field.to, (choice) => {
        value = choiceText(message, choice) ?? value;
      });
  });
  if (!OF_HTTP.includes(key)) into.set(key, value);
}

/** An `InferParameter` as JSON; undefined for a field that it does not have. */
function choiceText(message: Uint8Array, field: WireField): string | undefined {
  if (field.number === 3 && field.wire === 'bytes') return JSON.stringify(fieldText(message, field));
  if (field.number === 4 && field.wire === 'fixed64') {
    const double = new DataView(message.buffer, message.byteOffset + field.from, 8).getFloat64(0, true);
    if (Number.isFinite(double)) return JSON.stringify(double);
    throw refusal('WRONG_VALUE', 'A double_param of the parameters is NaN or infinite.');
  }
  if (field.wire !== 'varint' || ![1, 2, 5].includes(field.number)) return undefined;
  const cursor = wireCursor(message);
  cursor.at = field.from;
  readVarint(cursor, field.to);
  const { low, high } = cursor;
  if (field.number === 1) return String((low | high) !== 0);
  const bits = (BigInt(high) << 32n) | BigInt(low);
  return String(field.number === 2 ? BigInt.asIntN(64, bits) : bits);
}

const objectText = (entries: ReadonlyMap<string, string>): string =>
  `{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`;
