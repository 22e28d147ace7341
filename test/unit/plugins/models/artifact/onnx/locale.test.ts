import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOCALE, mapFields, rewriteLocales } from '../../../../../../plugins/models/artifact/onnx/locale.ts';
import {
  type Bytes,
  field,
  graphAttribute,
  graphOf,
  message,
  modelOf,
  node,
  STRING,
  tensorInfo,
  textAttribute,
} from './onnx-writer.ts';

const graph = (attributes: Bytes[]) => ({
  nodes: [node('StringNormalizer', ['x'], ['y'], attributes)],
  inputs: [tensorInfo('x', STRING, ['n'])],
  outputs: [tensorInfo('y', STRING, ['n'])],
});

describe('rewriting locales', () => {
  it('replaces the one that is named', () => {
    const before = modelOf(
      graph([textAttribute('case_change_action', 'LOWER'), textAttribute('locale', 'en_US.UTF-8')]),
    );
    const after = modelOf(
      graph([textAttribute('case_change_action', 'LOWER'), textAttribute('locale', LOCALE)]),
    );
    const found = Buffer.from(rewriteLocales(before));
    expect(found.includes('en_US')).toBe(false);
    // The attribute's fields are in the order in which they were.
    expect(found.length).toBe(after.length);
  });

  it('adds one where none is named, since ONNX Runtime would take en_US.UTF-8', () => {
    const found = Buffer.from(rewriteLocales(modelOf(graph([]))));
    expect(found).toEqual(modelOf(graph([message(field(1, 'locale'), field(20, 3), field(4, LOCALE))])));
  });

  it('reaches into subgraphs', () => {
    const inner = graphOf(graph([textAttribute('locale', 'fr_FR.UTF-8')]));
    const outer = modelOf({
      nodes: [node('If', ['c'], ['y'], [graphAttribute('then_branch', inner)])],
      inputs: [],
      outputs: [],
    });
    expect(Buffer.from(rewriteLocales(outer)).includes(LOCALE)).toBe(true);
  });

  it('leaves every other model as it is, to the byte', () => {
    const other = modelOf({
      nodes: [node('Neg', ['x'], ['y'], [textAttribute('locale', 'en_US.UTF-8')])],
      inputs: [],
      outputs: [],
    });
    expect(rewriteLocales(other)).toBe(other);
  });

  it('copies what it does not know, or says that it is no message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(mapFields(bytes, (_, content) => content)).toBe(bytes);
          expect(
            Buffer.from(mapFields(bytes, (_, content) => Uint8Array.from(content))).length,
          ).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(String(error)).toMatch(/no ONNX model/);
        }
      }),
    );
  });
});
