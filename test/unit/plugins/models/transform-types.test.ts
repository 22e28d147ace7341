import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Transform } from '../../../../core/protocol/transform.ts';
import { toTypes } from '../../../../plugins/models/commands/list.ts';
import type { Facts, Model } from '../../../../plugins/models/declaration/model.ts';

const inputs = [{ name: 'text', datatype: 'BYTES', shape: [-1] }] as const;
const outputs = [{ name: 'mood', datatype: 'BYTES', shape: [-1] }] as const;
const graph = {
  inputs: [{ name: 'ids', datatype: 'INT64', shape: [-1, 8] }],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2] }],
} as const;
type Mood = Transform<typeof inputs, typeof outputs, typeof graph>;

describe('a transform typed from the signatures of both sides', () => {
  it('knows what it is given and what it must give', () => {
    const pre: NonNullable<Mood['pre']> = ({ text }) => {
      expectTypeOf(text.data).toExtend<readonly string[]>();
      return { ids: { datatype: 'INT64', shape: [1, 8], data: new BigInt64Array(8) } };
    };
    // @ts-expect-error the graph has no input of that name
    const wrongName: Mood['pre'] = () => ({
      tokens: { datatype: 'INT64', shape: [1], data: new BigInt64Array(1) },
    });
    // @ts-expect-error INT64 is not in a Float32Array
    const wrongKind: Mood['pre'] = () => ({
      ids: { datatype: 'INT64', shape: [1], data: new Float32Array(1) },
    });
    const post: NonNullable<Mood['post']> = ({ scores }) => {
      expectTypeOf(scores.data).toExtend<Float32Array>();
      return { mood: { datatype: 'BYTES', shape: [1], data: ['good'] } };
    };
    expect([pre, post, wrongName, wrongKind].every((part) => typeof part === 'function')).toBe(true);
  });

  it('takes the graph from sls models list --types', () => {
    const facts = {
      signature: { inputs, outputs, omitted: [] },
      graph: { ...graph, omitted: [] },
      source: 'abc',
    };
    const printed = toTypes({ model: { name: 'my-mood' } as Model, facts: facts as unknown as Facts });
    expect(printed).toMatch(
      /^\/\*\* The graph of the model my-mood, sha256 abc\. \*\/\nexport const myMood = \{/,
    );
    expect(JSON.parse(printed.slice(printed.indexOf('= ') + 2, printed.lastIndexOf(' as const')))).toEqual(
      graph,
    );
  });
});
