import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const module = pathToFileURL(join(process.cwd(), 'plugins/models/disk/folder.ts')).href;

/**
 * A command that works in a folder when a signal comes, and the framework, which ends what nobody listens in.
 */
async function ended(signal: NodeJS.Signals, work: string) {
  const code = `
    import { inFolder } from ${JSON.stringify(module)};
    process.once('${signal}', () => process.listenerCount('${signal}') > 0 || process.kill(process.pid, '${signal}'));
    setTimeout(() => {}, 60_000);
    ${work}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  const [chunk] = await once(child.stdout, 'data');
  const made = String(chunk).trim();
  expect(existsSync(made)).toBe(true);
  child.kill(signal);
  const [status, by] = await once(child, 'exit');
  return { status, by, left: await readdir(folder) };
}

const endless = 'inFolder((folder) => { console.log(folder); return new Promise(() => {}); });';

it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a folder is gone where %s ends its work',
  async (signal) => {
    expect(await ended(signal, endless)).toEqual({ status: 130, by: null, left: [] });
  },
);

it.skipIf(process.platform === 'win32')('whoever hears signals by itself goes on to its end', async () => {
  const work = `
    const heard = new Promise((resolve) => process.once('SIGINT', resolve));
    await inFolder(async (folder) => { console.log(folder); await heard; }, { isHeard: true });
    process.exit(7);`;
  expect(await ended('SIGINT', work)).toEqual({ status: 7, by: null, left: [] });
});

it.skipIf(process.platform === 'win32')('a signal after the work ends the process as ever', async () => {
  const work = `
    await inFolder(async () => {});
    console.log(${JSON.stringify(folder)});`;
  expect(await ended('SIGTERM', work)).toEqual({ status: null, by: 'SIGTERM', left: [] });
});
