import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../../../core/release/document/history-contract.ts';
import { parseModels } from '../../../../plugins/models/declaration/parse.ts';
import { statementsOf } from '../../../../plugins/models/plan/iam/role.ts';
import { resolve } from '../../../../plugins/models/releases/alias/intrinsics.ts';
import { authorOf } from '../../../../plugins/models/releases/history/author.ts';
import { ulid } from '../../../../plugins/models/releases/history/ulid.ts';

/** A model, a function, a resource and a property may be called as what every object has. */
const NAMES = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf'];

describe.each(NAMES)('what is called %s', (name) => {
  it('is a property of a function that the plugin does not set', () => {
    const { problems } = parseModels({ churn: { artifact: 'm.onnx', function: { [name]: 1 } } });
    expect(problems).toEqual([]);
  });

  it('is a member and a resource of a deployed template', () => {
    const stack = { name: 's', partition: 'aws', region: 'r', account: 'a' };
    const resources = new Map([[name, { type: 'AWS::S3::Bucket', physical: 'bucket', properties: {} }]]);
    expect(resolve({ [name]: 'x' }, { ...stack, resources })).toEqual({ value: { [name]: 'x' } });
    expect(resolve({ Ref: name }, { ...stack, resources })).toEqual({ value: 'bucket' });
  });

  it('is a function that failures go to', () => {
    const host = {
      ...{ service: 'shop', stage: 'dev', region: 'us-east-1', stack: 'shop-dev', bucket: 'b', prefix: '' },
      provider: {},
      functions: {},
    };
    const statements = statementsOf({ destinations: { onFailure: name } }, 'shop-dev-churn', host);
    expect(JSON.stringify(statements)).toContain(`:function:shop-dev-${name}"`);
  });

  it('is a model whose release nobody has written down yet', async () => {
    const at = Date.parse('2026-01-01T00:00:00Z');
    const id = ulid(at - 1000);
    const record: Deployment = {
      ...{ schema: 1, id, at: new Date(at - 1000).toISOString(), by: 'arn:me', plugin: '0.1.0' },
      models: [{ model: name, identity: 'i', source: 's', layer: 'l', fingerprint: 'f' }],
      // The worker has written of another model only.
      releases: {},
    };
    const records = { ids: [id], deployment: async () => record, between: async () => [] };
    const release = { model: name, release: 'r', startedAt: new Date(at).toISOString() };
    expect(await authorOf(release, 'f', records)).toBe(record);
  });
});
