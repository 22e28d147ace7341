/** Whose answers a person asks for: those of the version that scores jobs. */
import { expect, it } from 'vitest';
import type { Registry } from '../../../../../core/registry/port.ts';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { identityIn } from '../../../../../plugins/models/batch-jobs/live.ts';

const ref = (version: string, batch?: string) => ({
  version,
  ...(batch !== undefined && { batch: { functionName: 'shop-dev-churn-batch', version: batch } }),
});

it.each([
  ['the live one', ref('3', '13'), undefined, '3'],
  ['the live one, while a candidate is on its way', ref('3', '13'), ref('4', '14'), '3'],
  ['the candidate, where no version before it had batch', ref('3'), ref('4', '14'), '4'],
  ['nobody, where no version is live', undefined, ref('4', '14'), undefined],
])('is %s', async (_, stable, candidate, due) => {
  const core = {
    schema: 1,
    functionName: 'shop-dev-churn',
    alias: 'live',
    highest: 4,
    ...(stable && { stable }),
  };
  const release = { ...core, ...(candidate && { candidate }) } as unknown as Release;
  const documents = {
    release: async () => ({ etag: '', text: '', core, release }),
    known: async (_model: string, version: string) => ({ identity: version }),
  } as unknown as Pick<Registry, 'release' | 'known'>;
  const found = identityIn(documents, 'churn');
  if (due === undefined) await expect(found).rejects.toThrow('has no live version');
  else expect(await found).toBe(due);
});
