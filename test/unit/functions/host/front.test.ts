import { afterEach, expect, it } from 'vitest';
import type { CatalogManifest } from '../../../../core/catalog/contract.ts';
import { type Front, openFront } from '../../../../functions/host/front.ts';

let front: Front;
afterEach(() => front.close());

const entry = {
  ...{ name: 'm', function: 'm', identity: 'a'.repeat(64), opset: 20, auth: 'none' as const },
  signature: { inputs: [], outputs: [], omitted: [] },
};
const catalog: CatalogManifest = {
  ...{ schema: 1, service: 's', version: '1', runtime: '1' },
  groups: [{ path: '/', auth: 'none', models: [entry], bare: 'm' }],
};

it('a model that is not up while the host starts is 503 with Retry-After, at each of its paths', async () => {
  front = await openFront(
    {
      ...{ catalog: () => catalog, page: '', local: false, state: () => 'starting' },
      ...{ pool: () => undefined, pools: () => [] },
    },
    0,
    '127.0.0.1',
  );
  for (const path of [
    'v2/models/m/infer',
    'v2/models/m/versions/1/infer',
    'models/m/invocations',
    'invocations',
  ]) {
    const url = `http://127.0.0.1:${front.port}/${path}`;
    const answer = await fetch(url, { method: 'POST', body: '{"inputs": []}' });
    expect([answer.status, answer.headers.get('retry-after')], path).toEqual([503, '1']);
    expect(await answer.json()).toMatchObject({ code: 'NOT_READY' });
  }
});
