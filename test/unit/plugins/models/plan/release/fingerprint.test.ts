import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fingerprintText } from '../../../../../../plugins/models/plan/release/fingerprint.ts';
import { byContent } from '../../../../../../plugins/models/plan/template.ts';

it('a fingerprint depends on what is in a layer of the service, not on its name alone', () => {
  const properties = { Layers: [{ Ref: 'OnnxLayer' }, { Ref: 'ConfigLambdaLayer' }, 'arn:aws:lambda:…:1'] };
  const holding = (hash: string) =>
    fingerprintText('i', 'l', byContent(properties, { ConfigLambdaLayerHash: { Value: hash } }));
  expect(holding('a')).not.toBe(holding('b'));
  expect(byContent(properties, { ConfigLambdaLayerHash: { Value: 'a' } })).toEqual({
    Layers: [{ Ref: 'OnnxLayer' }, 'a', 'arn:aws:lambda:…:1'],
  });
  expect(byContent({ MemorySize: 1 }, {})).toEqual({ MemorySize: 1 });
});

it('a fingerprint depends on what, not on the order in which, it is written', () => {
  const shuffled = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shuffled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, shuffled(inner)]),
          )
        : value;
  const properties = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(properties, (some) => {
      expect(fingerprintText('i', 'l', shuffled(some) as object as Record<string, unknown>)).toBe(
        fingerprintText('i', 'l', some),
      );
      expect(fingerprintText('i', 'l', { ...some, MemorySize: 1 })).not.toBe(
        fingerprintText('i', 'l', { ...some, MemorySize: 2 }),
      );
      expect(fingerprintText('i', 'l', some)).not.toBe(fingerprintText('j', 'l', some));
      expect(fingerprintText('i', 'l', some)).not.toBe(fingerprintText('i', 'm', some));
    }),
  );
});
