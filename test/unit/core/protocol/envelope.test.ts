import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../../../core/protocol/envelope.ts';

/** The value with its spans put back. */
function restored(text: string): unknown {
  const { value, spans } = readEnvelope(text);
  const { inputs } = value as { inputs?: unknown };
  if (Array.isArray(inputs)) {
    for (const input of inputs) {
      if (typeof input === 'object' && input !== null && Array.isArray(input.data)) {
        input.data = JSON.parse(spans[input.data[0]] ?? '');
      }
    }
  }
  return value;
}

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('data', 'inputs', '"', ']', '}', '[0]', '\\', '\\"data":[1]', '\u2028', 'ü', '],"data":['),
);
const element = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  text,
  fc.boolean(),
  fc.constant(null),
);
const data = fc.oneof(
  fc.array(fc.integer()),
  fc.array(fc.array(fc.integer())),
  fc.array(text),
  fc.array(fc.array(text)),
  fc.array(element),
  fc.jsonValue({ maxDepth: 3 }),
);
const key = fc
  .oneof(fc.constantFrom('data', 'inputs', 'name', 'shape', 'parameters'), fc.string())
  .filter((k) => k !== '__proto__');
const input = fc
  .tuple(fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })), data)
  .map(([rest, list]) => ({ ...rest, data: list }));
const body = fc.oneof(
  fc.record({ id: text, inputs: fc.array(input, { maxLength: 3 }), outputs: fc.jsonValue({ maxDepth: 3 }) }),
  fc.dictionary(key, fc.jsonValue({ maxDepth: 4 })),
  fc.array(input, { maxLength: 2 }),
  fc.record({ inputs: input }),
  fc.record({ more: fc.record({ inputs: fc.array(input) }) }),
);
const clean = (value: unknown): boolean => !JSON.stringify(value).includes('__proto__');

describe('readEnvelope', () => {
  test('takes out arrays and changes nothing else', () => {
    fc.assert(
      fc.property(body.filter(clean), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const written = JSON.stringify(value, null, indent);
        expect(restored(written)).toEqual(JSON.parse(written));
      }),
      { numRuns: 5000 },
    );
  });

  test('refuses arrays that JSON.parse would drop, whatever is in them', () => {
    expect(() => readEnvelope('{"inputs":[{"data":[1],"data":[2]}]}')).toThrow(/twice/);
    expect(() => readEnvelope('{"inputs":[{"data":[1]}],"inputs":[]}')).toThrow(/twice/);
    expect(() =>
      readEnvelope('{"inputs":[{"data":[["1]]},{"x":[{"\\"":null}],"data":[]}],"outputs":[]}'),
    ).toThrow(/twice|not valid/);
  });

  test('refuses what JSON.parse refuses, and never reads another thing', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.constantFrom('"', '[', ']', '{', '}', ',', ':', '\\', '0', ' '),
      fc.nat({ max: 2 }),
    );
    fc.assert(
      fc.property(body.filter(clean), fc.array(damage, { minLength: 1, maxLength: 3 }), (value, damages) => {
        let written = JSON.stringify(value);
        for (const [at, piece, cut] of damages) {
          const p = at % written.length;
          written = written.slice(0, p) + piece + written.slice(p + cut);
        }
        let expected: unknown;
        try {
          expected = JSON.parse(written);
        } catch {
          // A fault inside an array that was taken out is the scanner's to find: JSON.parse stands for it
          // here.
          expect(() => restored(written)).toThrow();
          return;
        }
        // JSON.parse keeps the last of a key that is there twice; we refuse it.
        let twice = false;
        try {
          readEnvelope(written);
        } catch (error) {
          twice = /twice/.test(String(error));
        }
        if (!twice) expect(restored(written)).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });

  test('an escaped key is the key', () => {
    const { value, spans } = readEnvelope('{"inputs":[{"d\\u0061ta":[7]}]}');
    expect(spans).toEqual(['[7]']);
    expect(value).toEqual({ inputs: [{ data: [0] }] });
  });

  test.each(['__proto__', '\\u005f_proto__'])('refuses the key %s, wherever it is', (name) => {
    for (const written of [
      `{"${name}":1}`,
      `{"inputs":[{"data":["",{"${name}":1}]}]}`,
      `[{"a":{"${name}":{}}}]`,
    ]) {
      expect(() => readEnvelope(written)).toThrow(expect.objectContaining({ code: 'FORBIDDEN_KEY' }));
    }
    expect(readEnvelope(`{"a":"${name}"}`).value).toBeDefined();
  });

  test('32 levels pass, 33 do not; brackets in strings are no levels', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(readEnvelope(nested(32)).value).toBeDefined();
    expect(() => readEnvelope(nested(33))).toThrow(expect.objectContaining({ code: 'TOO_DEEP' }));
    expect(readEnvelope(`["${nested(40)}","\\"${nested(40)}"]`).value).toBeDefined();
  });

  test('no text makes it slow', () => {
    const enemies = [
      `{"inputs":[{${'"data":[],'.repeat(100_000)}`,
      `{"inputs":[{${'"data":[[1]],'.repeat(100_000)}`,
      `{"inputs":[${'{"data":["'.repeat(100_000)}`,
      `{"a":"${'\\'.repeat(1_000_001)}`,
      '"'.repeat(1_000_001),
    ];
    for (const enemy of enemies) {
      // The processor's time: by the clock it takes longer beside others.
      const started = process.cpuUsage();
      expect(() => readEnvelope(enemy)).toThrow();
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(3000);
    }
  });
});

// A quarter of what a body may unpack to. It is minutes where each key is searched to the end of the text.
test.each([
  ['no bracket that closes', '"data":[1},'],
  ['none that closes, nested', '"data":[[1}},'],
  ['a quote in place of it', '"data":[1 "},'],
])('a text takes time by its length alone: %s', { timeout: 120_000 }, (_, part) => {
  const text = `{"inputs":[{${part.repeat(Math.ceil(8e6 / part.length))}`;
  expect(() => readEnvelope(text)).toThrow(expect.objectContaining({ code: 'INVALID_JSON' }));
});
