import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { watchModels } from '../../../../../plugins/models/serve/watch.ts';

const ends: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(ends.map((end) => end())));

/** Longer than it takes until what was written is told. */
const QUIET = 600;

/** A service with one model whose folder is watched. */
async function watched(artifact: string, below = '') {
  const folder = await mkdtemp(join(tmpdir(), 'watch-'));
  const at = (path: string): string => join(folder, path);
  let heard = 0;
  // Without a pause: a writer that the machine holds up within a file, or between two, may be told of twice.
  const write = (...paths: readonly string[]): void => {
    for (const path of paths) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), 'written');
    }
  };
  write('models/churn/model.onnx', 'runs/1/model.onnx');
  await mkdir(at(below), { recursive: true });
  const failed: string[] = [];
  const unwatch = watchModels(
    parseModels({ churn: { artifact } }).models,
    join(folder, below),
    () => {
      heard += 1;
    },
    (_, { message }) => failed.push(message),
  );
  ends.push(async () => {
    unwatch();
    expect(failed).toEqual([]);
    await rm(folder, { recursive: true });
  });
  /** How often it was heard of, once nothing more of it is. */
  const told = async (): Promise<number> => {
    await vi.waitFor(() => expect(heard).toBeGreaterThan(0), { timeout: 60_000 });
    return toldByNow();
  };
  const toldByNow = async (): Promise<number> => {
    await sleep(QUIET);
    const times = heard;
    heard = 0;
    return times;
  };
  /** Removes a folder, and makes the model again. */
  const again = async (path: string): Promise<void> => {
    await rm(at(path), { recursive: true });
    write('models/churn/model.onnx');
  };
  return { at, write, told, toldByNow, again, unwatch };
}

// Each waits most of its time.
describe.concurrent.each(['models/churn', 'models/churn/model.onnx'])('%s', (path) => {
  it('is heard of once, however many of its files are written', async () => {
    const { write, told, toldByNow } = await watched(path);
    write('models/churn/model.onnx', 'models/churn/w.bin');
    expect(await told()).toBe(1);
    write('models/churn/.hidden', 'models/other.txt');
    expect(await toldByNow()).toBe(0);
  });

  it.each(['models/churn', 'models'])('is heard of after %s was removed and made again', async (folder) => {
    const { write, told, again } = await watched(path);
    for (let time = 0; time < 2; time += 1) {
      await again(folder);
      await told();
      write('models/churn/model.onnx');
      await told();
    }
  });

  it('is heard of where it was gone for a while', async () => {
    const { at, write, told } = await watched(path);
    await rm(at('models'), { recursive: true });
    await told();
    write('models/churn/model.onnx');
    await told();
    write('models/churn/model.onnx');
    await told();
  });

  it('is heard of where another folder, or a link to one, has its name now', async () => {
    const { at, write, told } = await watched(path);
    await rename(at('models/churn'), at('models/before'));
    await rename(at('runs/1'), at('models/churn'));
    await told();
    write('models/churn/model.onnx');
    await told();
    write('runs/2/model.onnx');
    await rm(at('models/churn'), { recursive: true });
    await symlink(at('runs/2'), at('models/churn'));
    await told();
    write('runs/2/model.onnx');
    await told();
  });

  it('is not heard of once that has ended', async () => {
    const { told, toldByNow, again, unwatch } = await watched(path);
    await again('models/churn');
    await told();
    unwatch();
    await again('models/churn');
    expect(await toldByNow()).toBe(0);
  });
});

it('a model beside the service is heard of, too', async () => {
  const { write, told, again } = await watched('../models/churn/model.onnx', 'shop');
  await again('models/churn');
  await told();
  write('models/churn/model.onnx');
  await told();
});

/** With every descriptor taken: as with a system's limit of watches, which a test cannot reach. */
const AT_THE_LIMIT = `
import { openSync } from 'node:fs';
import { watchModels } from '${pathToFileURL(resolve('plugins/models/serve/watch.ts'))}';
const models = [{ name: 'churn', artifact: { path: 'model.onnx' } }];
try { for (;;) openSync('/dev/null'); } catch {}
const lost = [];
const unwatch = watchModels(models, process.cwd(), () => {}, ({ name }, { code }) => lost.push(name + ' ' + code));
unwatch();
process.stdout.write(lost.join());
`;

it('a model whose changes the system does not tell is told of, and ends nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watch-'));
  ends.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'model.onnx'), 'a');
  await writeFile(join(folder, 'program.ts'), AT_THE_LIMIT);
  const limited = `ulimit -n 64 && exec "$0" program.ts`;
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath], { cwd: folder });
  expect(stdout).toBe('churn EMFILE');
});
