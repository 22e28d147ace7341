/**
 * StringNormalizer (scikit-learn's TfidfVectorizer exports one) constructs a C++ locale by name when the
 * model is loaded, `en_US.UTF-8` unless told otherwise, and Lambda's Amazon Linux 2023 has no language packs:
 * the function would fail at every start. `C.UTF-8` is part of its glibc and maps the case of all of Unicode
 * as well.
 */
export const LOCALE = 'C.UTF-8';

/**
 * Rewrites the locale of every StringNormalizer, in subgraphs and functions too. Wire format in, wire format
 * out; fields it does not know are copied byte for byte.
 *
 * @param model a serialised ModelProto
 */
export function rewriteLocales(model: Uint8Array): Uint8Array {
  return mapFields(model, (number, content) => {
    if (number === 7) return rewriteNodes(content, 1, 0); // ModelProto.graph, GraphProto.node
    if (number === 25) return rewriteNodes(content, 7, 0); // ModelProto.functions, FunctionProto.node
    return content;
  });
}

function rewriteNodes(graph: Uint8Array, node: number, depth: number): Uint8Array {
  // protobuf's own recursion limit.
  if (depth > 100) throw new Error('The graph is nested too deep.');
  return mapFields(graph, (number, content) => (number === node ? rewriteNode(content, depth) : content));
}

function rewriteNode(node: Uint8Array, depth: number): Uint8Array {
  let isNormalizer = false;
  let hasLocale = false;
  mapFields(node, (number, content) => {
    if (number === 4) isNormalizer = Buffer.from(content).toString() === 'StringNormalizer';
    return content;
  });
  const mapped = mapFields(node, (number, attribute) => {
    if (number !== 5) return attribute;
    let name = '';
    mapFields(attribute, (field, content) => {
      if (field === 1) name = Buffer.from(content).toString();
      return content;
    });
    const isLocale = isNormalizer && name === 'locale';
    hasLocale ||= isLocale;
    return mapFields(attribute, (field, content) => {
      if (isLocale && field === 4) return Buffer.from(LOCALE);
      if (field === 6 || field === 11) return rewriteNodes(content, 1, depth + 1); // AttributeProto.g, .graphs
      return content;
    });
  });
  if (!isNormalizer || hasLocale) return mapped;
  // AttributeProto {name: "locale", type: STRING, s: LOCALE}
  const attribute = Buffer.concat([
    bytesField(1, Buffer.from('locale')),
    Buffer.from([0xa0, 0x01, 0x03]),
    bytesField(4, Buffer.from(LOCALE)),
  ]);
  return Buffer.concat([mapped, bytesField(5, attribute)]);
}

/** Maps every length-delimited field of one message; returns the very same bytes where nothing changed. */
export function mapFields(
  message: Uint8Array,
  map: (number: number, content: Uint8Array) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let changed = false;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let index = 0; index < 10 && at < message.length; index += 1) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new Error('The file is no ONNX model, or is cut off.');
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      const content = message.subarray(at, at + length);
      if (content.length !== length) throw new Error('The file is no ONNX model, or is cut off.');
      at += length;
      const mapped = map(Math.floor(tag / 8), content);
      if (mapped !== content) {
        changed = true;
        parts.push(bytesField(Math.floor(tag / 8), mapped));
        continue;
      }
    } else throw new Error('The file is no ONNX model, or is cut off.');
    parts.push(message.subarray(start, at));
  }
  return changed ? Buffer.concat(parts) : message;
}

function bytesField(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varintOf(number * 8 + 2), varintOf(content.length), content]);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
