import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CatalogManifest } from '../../core/catalog/contract.ts';
import { startHostProcess } from '../../plugins/models/serve/host-process.ts';

it('a model that is to be replaced in a host which has ended is told, and ends nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'host-process-'));
  try {
    const handler = join(folder, 'handler.mjs');
    await writeFile(handler, 'export const handler = async () => ({ statusCode: 200, body: "{}" });');
    const model = { name: 'churn', handler, version: '1', timeout: 5, workers: 1 };
    const catalog: CatalogManifest = {
      schema: 1,
      service: 'shop',
      version: '1',
      runtime: '1',
      groups: [{ path: '/', auth: 'none', models: [] }],
    };
    const config = { schema: 1, address: '127.0.0.1', port: 0, catalog, models: [model] } as const;
    const host = await startHostProcess(join(folder, 'host'), '', config, () => {});
    if ('refused' in host) throw new Error(host.refused);
    process.kill(host.pid, 'SIGKILL');
    await host.ended;
    await expect(host.replace({ ...model, version: '2' }, catalog)).rejects.toThrow(/^The host ended\./);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
