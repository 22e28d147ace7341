import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, once } from '../../../../../plugins/models/disk/cache.ts';
import { knownSha256 } from '../../../../../plugins/models/disk/known.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-'));
  process.env.SERVERLESS_MODELS_CACHE = folder;
});
afterEach(async () => {
  delete process.env.SERVERLESS_MODELS_CACHE;
  await rm(folder, { recursive: true, force: true });
});

it('the cache is one folder, wherever who reads a path of it stands', () => {
  process.env.SERVERLESS_MODELS_CACHE = 'cache';
  expect(cacheFolder('image-layers', 'a')).toBe(join(process.cwd(), 'cache', 'image-layers', 'a'));
});

describe('once', () => {
  it('makes a folder one time, also for callers at the same time', async () => {
    let made = 0;
    const target = join(folder, 'a', 'b');
    const build = async (draft: string): Promise<void> => {
      made += 1;
      await writeFile(join(draft, 'x'), 'x');
    };
    await Promise.all([once(target, build), once(target, build)]);
    await once(target, build);
    expect(made).toBe(1);
    expect(await readdir(join(folder, 'a'))).toEqual(['b']);
  });

  it('takes the digests that its work knows, for files that stay as they were made', async () => {
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
    const target = join(folder, 'a', 'b');
    const told = 'f'.repeat(64);
    await once(target, async (draft) => {
      await writeFile(join(draft, 'x'), 'x');
      await writeFile(join(draft, 'y'), 'y');
      return { x: told };
    });
    const known = async (name: string): Promise<string> => (await knownSha256(join(target, name))).sha256;
    // What was told is not read again; what was not is what it is.
    expect([await known('x'), await known('y')]).toEqual([told, digest('y')]);
    await writeFile(join(target, 'x'), 'other');
    expect(await known('x')).toBe(digest('other'));
    // And a digest that is none of the file's does not outlive a look at the whole entry.
    await once(target, async (draft) => writeFile(join(draft, 'x'), 'new'));
    expect(await known('x')).toBe(digest('new'));
  });

  it.each(['toString', 'constructor', '__proto__'])(
    'knows what is in a file that is called %s',
    async (name) => {
      const target = join(folder, 'a', 'b');
      const build = (draft: string): Promise<void> => writeFile(join(draft, name), 'content');
      await once(target, build);
      const sha256 = createHash('sha256').update('content').digest('hex');
      expect((await knownSha256(join(target, name))).sha256).toBe(sha256);
      await writeFile(join(target, name), 'CONTENT');
      expect(await readFile(join(await once(target, build), name), 'utf8')).toBe('content');
    },
  );

  it('leaves nothing behind when the work fails, and tries again', async () => {
    const target = join(folder, 'a', 'b');
    const failing = once(target, async (draft) => {
      await writeFile(join(draft, 'half'), '');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await readdir(join(folder, 'a'))).toEqual([]);
    await once(target, (draft) => writeFile(join(draft, 'whole'), ''));
    expect(await readdir(target)).toContain('whole');
  });

  it('gives several processes the same whole folder', async () => {
    const program = `import { once } from ${JSON.stringify(join(import.meta.dirname, '../../../../../plugins/models/disk/cache.ts'))};
      import { writeFileSync } from 'node:fs';
      const path = await once(${JSON.stringify(join(folder, 'shared'))}, async (draft) => {
        writeFileSync(draft + '/one', '1');
        await new Promise((resolve) => setTimeout(resolve, 200));
        writeFileSync(draft + '/two', '2');
      });
      const { readdirSync } = await import('node:fs');
      process.stdout.write(readdirSync(path).filter((name) => name[0] !== '.').join());`;
    const run = () =>
      new Promise<string>((resolve, reject) => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let out = '';
        child.stdout.on('data', (text) => {
          out += text;
        });
        child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`exit ${code}`))));
      });
    expect(await Promise.all([run(), run(), run()])).toEqual(['one,two', 'one,two', 'one,two']);
    expect(await readdir(folder)).toEqual(['shared']);
  });

  it('goes on where an entry that nobody has used for a month cannot be deleted', async () => {
    const parent = join(folder, 'shared');
    const old = join(parent, 'old');
    await mkdir(old, { recursive: true });
    await writeFile(join(old, 'x'), 'of another user');
    await writeFile(join(old, '.index.json'), '{}');
    await chmod(old, 0o555);
    await utimes(old, 0, 0);
    for (const path of [folder, parent]) await chmod(path, 0o777);
    // Root may delete anything.
    const nobody = process.getuid?.() === 0 ? 'process.setuid(65534);' : '';
    const program = `
      const { once } = await import(${JSON.stringify(import.meta.resolve('../../../../../plugins/models/disk/cache.ts'))});
      ${nobody}
      await once(${JSON.stringify(join(parent, 'new'))}, async () => {});`;
    try {
      const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(await readdir(parent)).toEqual(['new', 'old']);
    } finally {
      await chmod(old, 0o755);
    }
  });

  it('makes an entry again that is not whole any more', async () => {
    const target = join(folder, 'a', 'b');
    const build = async (draft: string): Promise<void> => {
      await mkdir(join(draft, 'below'));
      await writeFile(join(draft, 'below', 'x'), 'content');
    };
    const content = async () => readFile(join(await once(target, build), 'below', 'x'), 'utf8');
    await once(target, build);
    const breakages: (() => Promise<void>)[] = [
      () => truncate(join(target, 'below', 'x'), 0),
      () => truncate(join(target, 'below', 'x'), 3),
      () => rm(join(target, 'below'), { recursive: true }),
      () => truncate(join(target, '.index.json'), 4),
      () => rm(join(target, '.index.json')),
    ];
    for (const breakIt of breakages) {
      await breakIt();
      expect(await content()).toBe('content');
      expect(await readdir(join(folder, 'a'))).toEqual(['b']);
    }
  });

  it('makes an entry again that has other bytes of the same size, whatever its times say', async () => {
    const target = join(folder, 'a', 'b');
    const path = join(target, 'below', 'x');
    let made = 0;
    const build = async (draft: string): Promise<void> => {
      made += 1;
      await mkdir(join(draft, 'below'));
      await writeFile(join(draft, 'below', 'x'), 'content');
    };
    const past = new Date(1_000_000_000_000);
    const damage = async (): Promise<void> => {
      await writeFile(path, 'CONTENT');
      await utimes(path, past, past);
    };
    await once(target, build);
    await damage();
    expect(await readFile(join(await once(target, build), 'below', 'x'), 'utf8')).toBe('content');
    expect(made).toBe(2);

    // Settled and read, it is not read again; and what changes then is seen all the same.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await once(target, build);
    expect(await readdir(target)).toContain('.read');
    const read = await readFile(join(target, '.read'), 'utf8');
    await once(target, build);
    expect([made, await readFile(join(target, '.read'), 'utf8')]).toEqual([2, read]);
    await damage();
    expect(await readFile(join(await once(target, build), 'below', 'x'), 'utf8')).toBe('content');
    expect(made).toBe(3);
  });

  it('makes an entry of an earlier plugin again, which nobody looked into', async () => {
    const target = join(folder, 'b');
    await mkdir(target);
    await writeFile(join(target, 'x'), 'CONTENT');
    await writeFile(join(target, '.index.json'), JSON.stringify({ x: 7 }));
    const made = await once(target, (draft) => writeFile(join(draft, 'x'), 'content'));
    expect(await readFile(join(made, 'x'), 'utf8')).toBe('content');
    // That one goes by sizes alone, and finds its own.
    expect(JSON.parse(await readFile(join(made, '.index.json'), 'utf8'))).toEqual({ x: 7 });
  });

  it('says that there is no room, whoever writes', async () => {
    // Linux has a file that is always full.
    const target = join(folder, 'a', 'b');
    const full = async (): Promise<void> => writeFile('/dev/full', 'content');
    await expect(full()).rejects.toMatchObject({ code: 'ENOSPC' });
    const error: unknown = await once(target, full).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MODELS_CACHE' });
    expect(String(error)).toContain(`The cache folder ${folder} has no room left (ENOSPC).`);
    // What a quota's end looks like to Node: https://man7.org/linux/man-pages/man2/write.2.html
    const write = Object.assign(new Error('EDQUOT: disk quota exceeded, write'), {
      errno: -122,
      code: 'EDQUOT',
      syscall: 'write',
    });
    const quota = once(target, async () => {
      throw write;
    });
    await expect(quota).rejects.toMatchObject({ code: 'MODELS_CACHE' });
    const copied = {
      code: 'ENOSPC',
      path: '/models/churn.onnx',
      dest: join(folder, 'a', 'x'),
      syscall: 'copyfile',
    };
    const copying = once(target, async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, copyfile'), copied);
    });
    await expect(copying).rejects.toMatchObject({ code: 'MODELS_CACHE' });
    // Another disk's is another matter.
    const elsewhere = once(target, async () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: '/elsewhere/x' });
    });
    await expect(elsewhere).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('says what to do where nothing can be written', async () => {
    await writeFile(join(folder, 'full'), '');
    // A file where a folder should be is what also root cannot write into.
    process.env.SERVERLESS_MODELS_CACHE = join(folder, 'full');
    const making = once(cacheFolder('a', 'b'), async () => {});
    await expect(making).rejects.toMatchObject({ code: 'MODELS_CACHE' });
    // A disk that is not mounted: the system names the folder above that cannot be made.
    await symlink(join(folder, 'unmounted'), join(folder, 'disk'));
    process.env.SERVERLESS_MODELS_CACHE = join(folder, 'disk', 'cache');
    const above: unknown = await once(cacheFolder('a', 'b'), async () => {}).catch(
      (reason: unknown) => reason,
    );
    expect(above).toMatchObject({ code: 'MODELS_CACHE' });
    expect(String(above)).toContain(`The cache folder ${join(folder, 'disk', 'cache')} cannot be written`);
    process.env.SERVERLESS_MODELS_CACHE = join(folder, 'full');
    const path = join(folder, 'file');
    await writeFile(path, 'content');
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await knownSha256(path)).bytes).toBe(7);
  });

  it('removes what nobody used for a month, and drafts of dead processes', async () => {
    const long = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    for (const name of ['old', 'fresh']) await once(join(folder, name), async () => {});
    const draft = '.old.1234.0a1b2c3d';
    await mkdir(join(folder, draft));
    for (const name of ['old', draft]) await utimes(join(folder, name), long, long);
    await once(join(folder, 'new'), async () => {});
    expect((await readdir(folder)).sort()).toEqual(['fresh', 'new']);
  });

  it('removes nothing that it has not made: the cache may be in a folder of a person', async () => {
    const long = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    for (const name of ['.git', '.env', 'thesis']) {
      await mkdir(join(folder, 'code', name), { recursive: true });
      await writeFile(join(folder, 'code', name, 'HEAD'), 'work of years');
      await utimes(join(folder, 'code', name), long, long);
    }
    await once(cacheFolder('code', 'new'), async () => {});
    expect((await readdir(join(folder, 'code'))).sort()).toEqual(['.env', '.git', 'new', 'thesis']);
  });
});

describe('known digests', () => {
  it('are kept for a file that has settled, and never outlive a change', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'one');
    const first = await knownSha256(path);
    expect(first.bytes).toBe(3);
    // Young files are not remembered: they could change within one tick of the file system's clock.
    expect(await readdir(cacheFolder('known')).catch(() => [])).toEqual([]);
    await writeFile(path, 'two');
    expect((await knownSha256(path)).sha256).not.toBe(first.sha256);

    const past = new Date(1_000_000_000_000);
    await utimes(path, past, past);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const settled = await knownSha256(path);
    const [note = ''] = await readdir(cacheFolder('known'));
    const kept = JSON.parse(await readFile(cacheFolder('known', note), 'utf8'));
    await writeFile(cacheFolder('known', note), JSON.stringify({ ...kept, sha256: 'remembered' }));
    expect((await knownSha256(path)).sha256).toBe('remembered');
    // Same size, and the modification time set back: the change time tells.
    await writeFile(path, 'six');
    await utimes(path, past, past);
    expect((await knownSha256(path)).sha256).not.toBe('remembered');
    expect((await knownSha256(path)).sha256).not.toBe(settled.sha256);
  });
});
