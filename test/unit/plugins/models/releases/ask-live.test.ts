import { expect, it } from 'vitest';
import type { BenchDocument } from '../../../../../core/capacity/contract.ts';
import { registry } from '../../../../../core/registry/registry.ts';
import { aliasLogicalId } from '../../../../../plugins/models/declaration/naming.ts';
import { liveOf } from '../../../../../plugins/models/releases/ask-live.ts';
import { keepSignatures } from '../../../../../plugins/models/releases/live-signature.ts';
import { SCOPE } from '../../../../fakes/world.ts';
import { live } from '../../../core/release/traffic.ts';

it('a bench that a function of the same name had before is not one of the live version', async () => {
  const w = await live();
  const documents = registry(w.objects.port, SCOPE);
  const signature = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }], outputs: [] } as const;
  const offer = { model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'a' };
  await keepSignatures(documents, [offer], new Map([['churn', signature]]), 'now');
  const { at } = (await documents.known('churn', '3')) ?? { at: '' };
  const benchFrom = async (time: number) => {
    const bench = { at: new Date(time).toISOString() } as BenchDocument;
    const benches = { newest: async () => [bench] };
    const aliases = async () => new Set([aliasLogicalId('churn')]);
    const found = await liveOf({ documents, benches, aliases }, { model: 'churn', signature });
    expect(found.comparison).toEqual({ compared: true, version: '3', changes: [] });
    return found.bench;
  };
  expect(await benchFrom(Date.parse(at) - 1000)).toBeUndefined();
  expect(await benchFrom(Date.parse(at) + 1000)).toBeDefined();
});
