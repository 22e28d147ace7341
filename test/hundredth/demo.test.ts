/**
 * The demo with an image, with a hundredth of its questions: by the programs of others that are here, and by
 * what stands in for the rest. `npm test` says at its end which are not.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isThere } from '../../examples/demo/container.ts';
import { lackingTools, type Tool } from '../image-tools.ts';
import { pythonBin } from '../python.ts';
import { commandWith, PATIENCE_MS, type Ran } from './command.ts';

const DEMO = 'examples/demo.ts';
const WITH_IMAGE = ['--with', 'image', '--short'];

const place = mkdtempSync(join(tmpdir(), 'demo-test-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const env = { TMPDIR: place };
const text = ({ lines, progress }: Ran): string => `${lines.join('\n')}\n${progress}`;

const lacks = lackingTools(isThere);
const by = (tool: Tool, otherwise: string): string => (lacks.includes(tool) ? otherwise : tool);
const isRoot = process.getuid?.() === 0;
/** How an image is run here at the strictest. */
const way = isRoot ? by('runc', by('bwrap', 'no container')) : by('bwrap', 'no container');

// The image is a program for Linux, over this machine’s own Node.
describe.skipIf(process.platform !== 'linux')('npm run demo -- --with image', () => {
  beforeAll(pythonBin);

  it('makes, pushes, runs, asks, compares, ends and exports, and leaves nothing', {
    timeout: PATIENCE_MS,
  }, async () => {
    const ran = await commandWith(env, DEMO, WITH_IMAGE);
    expect([ran.code, ran.lines.at(-1)], text(ran)).toEqual([0, 'demo: ok']);
    const said = text(ran);
    expect(said).toMatch(/^pushed +127\.0\.0\.1:\d+\/models\/employment:v1@sha256:/m);
    expect(said).toMatch(new RegExp(`^registry: ${by('docker-registry', 'the one of our own tests')} `, 'm'));
    expect(said).toMatch(new RegExp(`^unpacked by ${by('umoci', 'tar')}`, 'm'));
    expect(said).toMatch(new RegExp(`^run by ${way}`, 'm'));
    expect(said).toMatch(/^40 people in one request to each: .+ not one of them different$/m);
    expect(said).toMatch(/requests answered, none lost: .+ it ended with 0 /);
    expect(said).toMatch(/^kubernetes-validate --strict takes .+ deployment\.yaml, /m);
    expect(said).toMatch(/^cfn-lint finds nothing in template\.yaml$/m);
    expect(readdirSync(place)).toEqual([]);
  });

  it('is not green where there is nothing to lay the image over, and says what to write', async () => {
    // Node alone is there: no `ldd`, which tells its libraries.
    const ran = await commandWith({ ...env, PATH: dirname(process.execPath) }, DEMO, WITH_IMAGE);
    expect([ran.code, ran.lines.at(-1)], text(ran)).toEqual([1, 'demo: failed']);
    expect(ran.progress).toMatch(/cannot become a base: .+ --with image --base host\/repository@sha256:…/);
    expect(readdirSync(place)).toEqual([]);
  });

  it('leaves nothing where it is interrupted', async () => {
    let address = '';
    const ran = await commandWith(env, DEMO, WITH_IMAGE, (child, piece) => {
      const [, found] = /^registry: .+?(127\.0\.0\.1:\d+)/m.exec(piece) ?? [];
      if (found === undefined || address !== '') return;
      address = found;
      child.kill('SIGTERM');
    });
    expect(ran.code, text(ran)).toBe(130);
    await expect(fetch(`http://${address}/v2/`)).rejects.toThrow('fetch failed');
    expect(readdirSync(place)).toEqual([]);
  });
});

it('says what there is, and refuses what there is not', async () => {
  const [help, unknown] = await Promise.all([
    commandWith({}, DEMO, ['--help']),
    commandWith({}, DEMO, ['--with', 'nothing']),
  ]);
  expect([help.code, unknown.code]).toEqual([0, 2]);
  expect(help.lines.join('\n')).toMatch(/--with mlflow [\s\S]+ --with image /);
  expect(unknown.progress).toContain('There is no --with nothing; there are mlflow and image.');
});

it('looks at files with the very packages that the tests look with', () => {
  const lines = (path: string): readonly string[] =>
    readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8')
      .split('\n')
      .filter((line) => /^\w/.test(line));
  const own = lines('examples/demo/requirements.txt');
  expect(own.length).toBeGreaterThan(10);
  expect(lines('test/requirements.txt')).toEqual(expect.arrayContaining([...own]));
});
