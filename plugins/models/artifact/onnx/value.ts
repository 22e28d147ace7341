import {
  type MessageField,
  type MessagePart,
  type MessageSource,
  messageFields,
  nameIn,
} from './protobuf.ts';

/** A type as the graph declares it. */
type ValueType =
  | {
      readonly kind: 'tensor';
      /** TensorProto.DataType; 1 is float. */
      readonly elem: number;
      /** −1 is free; undefined: not even the rank is declared. */
      readonly shape: readonly number[] | undefined;
      /** Name of each free dimension; equal names have equal lengths. */
      readonly symbols: readonly (string | undefined)[];
    }
  | {
      readonly kind: 'sequence' | 'map' | 'optional' | 'sparse' | 'unknown';
      /** What a sequence is of, where it says so. */
      readonly of?: ValueType['kind'];
    };

export type Value = { readonly name: string; readonly type: ValueType };

/**
 * A ValueInfoProto.
 *
 * @param dimension called with each dimension of its shape, and ends the reading by what it throws
 */
export function valueIn(source: MessageSource, part: MessagePart, dimension: () => void): Value {
  let name = '';
  let type: ValueType = { kind: 'unknown' };
  for (const field of messageFields(source, part)) {
    if (field.number === 1) name = nameIn(source, field);
    if (field.number === 2)
      for (const entry of messageFields(source, field)) type = typeOf(source, entry, dimension) ?? type;
  }
  return { name, type };
}

/** The types in it are told and not kept: they may be nested, and no deeper than messages are. */
function sequenceOf(source: MessageSource, part: MessagePart): ValueType {
  for (const field of messageFields(source, part)) {
    if (field.number !== 1) continue;
    for (const { number } of messageFields(source, field)) {
      const of = KINDS_IN[number];
      if (of !== undefined) return { kind: 'sequence', of };
    }
  }
  return { kind: 'sequence' };
}
const KINDS_IN: Readonly<Record<number, ValueType['kind']>> = {
  1: 'tensor',
  4: 'sequence',
  5: 'map',
  8: 'sparse',
  9: 'optional',
};

/** One member of TypeProto's oneof. */
function typeOf(source: MessageSource, field: MessageField, counted: () => void): ValueType | undefined {
  if (field.number === 4) return sequenceOf(source, field);
  if (field.number === 5) return { kind: 'map' };
  if (field.number === 8) return { kind: 'sparse' };
  if (field.number === 9) return { kind: 'optional' };
  if (field.number !== 1) return undefined;
  let elem = 0;
  let shape: number[] | undefined;
  const symbols: (string | undefined)[] = [];
  for (const entry of messageFields(source, field)) {
    if (entry.number === 1) elem = entry.value;
    if (entry.number !== 2) continue;
    shape = [];
    for (const dimension of messageFields(source, entry)) {
      if (dimension.number !== 1) continue;
      counted();
      let length = -1;
      let symbol: string | undefined;
      for (const part of messageFields(source, dimension)) {
        // A negative int64 is a huge varint here; some exporters write −1 for a free dimension.
        if (part.number === 1) length = part.value < 2 ** 53 ? part.value : -1;
        if (part.number === 2) symbol = nameIn(source, part);
      }
      shape.push(length);
      symbols.push(length < 0 ? symbol || undefined : undefined);
    }
  }
  return { kind: 'tensor', elem, shape, symbols };
}
