import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { catalog } from './crowded.ts';

const folder = await mkdtemp(join(tmpdir(), 'start-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const SOURCES = join(import.meta.dirname, '../../../../functions/host');
const PROGRAM = `import { startHost } from ${JSON.stringify(join(SOURCES, 'start.ts'))};
await startHost(${JSON.stringify(join(SOURCES, 'child.ts'))}, '');`;
const HANDLER = `export const handler = async () => {
  console.log('a line');
  return { statusCode: 200, headers: {}, body: '{}' };
};`;

/** @param config the file that its configuration is written to */
async function started(config: string, address: string, models: readonly object[]) {
  await writeFile(config, JSON.stringify({ schema: 1, address, port: 0, catalog, models }));
  return spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, MODELS_HOST: config },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

it('goes on where nobody reads its log any more', async () => {
  const [config, handler] = [join(folder, 'host.json'), join(folder, 'handler.mjs')];
  const models = [{ name: 'm', handler, version: '1', timeout: 60, workers: 1 }];
  await writeFile(handler, HANDLER);
  const host = await started(config, '127.0.0.1', models);
  const ended = once(host, 'exit');
  try {
    const [told] = await once(host.stdout, 'data');
    const { port } = JSON.parse(String(told)).listening;
    host.stdout.destroy();
    const url = `http://127.0.0.1:${port}/v2/models/m/infer`;
    const ask = async (): Promise<number> => (await fetch(url, { method: 'POST', body: '{}' })).status;
    // The line of the first has come before the answer of the last.
    for (let count = 0; count < 5; count++) expect(await ask()).toBe(200);
  } finally {
    host.kill('SIGKILL');
    await ended;
  }
});

it('that is told to end while it starts ends with 0, also where a model does not start then', async () => {
  const [config, handler] = [join(folder, 'ending.json'), join(folder, 'ending.mjs')];
  const models = [{ name: 'm', handler, version: '1', timeout: 60, workers: 1 }];
  await writeFile(
    handler,
    `console.log('loading'); await new Promise((resolve) => setTimeout(resolve, 300)); throw new Error('broken');`,
  );
  const host = await started(config, '127.0.0.1', models);
  const ended = once(host, 'exit');
  await once(host.stdout, 'data');
  host.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

it('says of an address that is none of this machine’s that it is the address', async () => {
  const config = join(folder, 'address.json');
  const models = [{ name: 'm', handler: '/nowhere', version: '1', timeout: 60 }];
  // https://www.rfc-editor.org/rfc/rfc5737: it is nobody's.
  const host = await started(config, '192.0.2.1', models);
  let told = '';
  host.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const [code] = await once(host, 'close');
  expect([code, JSON.parse(told).refused]).toEqual([
    1,
    expect.stringMatching(/address is "192\.0\.2\.1".*EADDRNOTAVAIL.*Write an address of this machine/),
  ]);
});

it('keeps of a log that nobody reads no more than some megabytes, and says how much it left out', async () => {
  const [config, handler] = [join(folder, 'long.json'), join(folder, 'long.mjs')];
  const models = [{ name: 'm', handler, version: '1', timeout: 60, workers: 1 }];
  const [lines, length] = [100, 400_000];
  await writeFile(handler, HANDLER.replace("'a line'", `'x'.repeat(${length})`));
  const host = await started(config, '127.0.0.1', models);
  const ended = once(host, 'exit');
  try {
    const [told] = await once(host.stdout, 'data');
    const { port } = JSON.parse(String(told)).listening;
    host.stdout.pause();
    const url = `http://127.0.0.1:${port}/v2/models/m/infer`;
    for (let count = 0; count < lines; count++)
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(200);
    let [bytes, rest] = [0, ''];
    const left = await new Promise<number>((resolve) => {
      host.stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        rest = (rest + chunk.toString('latin1')).slice(-200);
        const [, count] = /(\d+) entries of this log were left out/.exec(rest) ?? [];
        // All of it came where nothing is left out.
        if (count !== undefined || bytes > (lines - 1) * length) resolve(Number(count ?? 0));
      });
      host.stdout.resume();
    });
    expect(left).toBeGreaterThan(lines / 4);
    // The line of the last request may come after its answer.
    expect(Math.round(bytes / length) + left).toBeGreaterThanOrEqual(lines - 1);
  } finally {
    host.kill('SIGKILL');
    await ended;
  }
});
