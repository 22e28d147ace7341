/** A host of one model whose every place is taken, for good. */
import { vi } from 'vitest';
import type { CatalogManifest } from '../../../../core/catalog/contract.ts';
import { createCounts } from '../../../../core/host/counts.ts';
import type { Behind } from '../../../../functions/host/behind.ts';
import type { Pool } from '../../../../functions/host/pool.ts';

const entry = {
  ...{ name: 'm', function: 'm', identity: 'a'.repeat(64), opset: 20, auth: 'none' as const },
  signature: { inputs: [], outputs: [], omitted: [] },
};
export const catalog: CatalogManifest = {
  ...{ schema: 1, service: 's', version: '1', runtime: '1' },
  groups: [{ path: '/', auth: 'none', models: [entry], bare: 'm' }],
};

const full: Pool = {
  ...{ enter: () => false, leave: () => {}, ask: () => () => {}, count: () => {}, shed: () => {} },
  ...{ isUp: () => true, idle: async () => {}, stop: async () => {} },
  standing: () => ({
    ...{
      model: 'm',
      version: '1',
      counted: createCounts().read(),
      workers: 1,
      up: 1,
      working: 1,
      waiting: 4,
    },
  }),
};

export const CROWDED: Behind = {
  ...{ catalog: () => catalog, page: '', local: false, state: () => 'serving' },
  ...{ pool: () => full, pools: () => [full] },
};

/** A host whose model answers each request with the same. */
export function answering(body: Buffer, asked: () => void = () => {}): Behind {
  const pool: Pool = {
    ...full,
    enter: () => true,
    ask(_asked, _body, done, taken) {
      taken?.();
      asked();
      setImmediate(done, { status: 200, headers: {}, code: undefined, body });
      return () => {};
    },
  };
  return { ...CROWDED, pool: () => pool, pools: () => [pool] };
}

/** Refusals are many by the second: no machine is so slow that they are few. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
}
