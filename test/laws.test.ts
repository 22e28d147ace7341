import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tracked = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter(Boolean);
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = tracked.filter((file) => /^(plugins|functions|layers)\/.*\.ts$/.test(file));

type Import = { readonly file: string; readonly target: string; readonly typeOnly: boolean };

/** Every import of a file: packages by name, our own files by path from the root. */
function importsOf(file: string): Import[] {
  const found: Import[] = [];
  const text = read(file).replace(/\/\*[\s\S]*?\*\//g, '');
  const statement =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  for (const [, type, from, dynamic] of text.matchAll(statement)) {
    const target = from ?? dynamic ?? '';
    found.push({
      file,
      target: target.startsWith('.') ? posix.join(posix.dirname(file), target) : target,
      typeOnly: type !== undefined,
    });
  }
  return found;
}
const imports = sources.flatMap(importsOf);

const contract = /^functions\/([^/]+\/)+contract\.ts$/;
const node = /^node:/;
const sdk = /^(@aws-sdk|@smithy|@aws-crypto)\//;
const words = /^plugins\/models\/(model|naming|errors|units)\.ts$/;

/** The table of rooms: who (a path) may import what. Types cost nothing at run time, but they tie rooms all the same. */
const ROOMS: { room: RegExp; may: RegExp[] }[] = [
  { room: /^plugins\/models\/plugin\.ts$/, may: [/./] },
  {
    room: /^plugins\/models\/(schema|options|parse|rules|release-rules|issues|units|model|errors|naming)\.ts$/,
    may: [/^zod$/, words, /^plugins\/models\/(schema|issues|rules|release-rules)\.ts$/, contract],
  },
  {
    room: /^plugins\/models\/serverless\.ts$/,
    may: [node, sdk, words, /^functions\/shared\/aws\//, /^plugins\/models\/commands\/command\.ts$/],
  },
  { room: /^plugins\/models\/plan\//, may: [words, contract, /^plugins\/models\/plan\//] },
  {
    room: /^plugins\/models\/ship\//,
    may: [
      words,
      contract,
      node,
      sdk,
      /^(esbuild|yazl|onnxruntime-common)$/,
      /^plugins\/models\/(plan|ship)\//,
      /^functions\/shared\/(aws\/|http\.ts$)/,
      // A gate's cases are held against the signature by what will read them.
      /^functions\/(infer\/request|release\/gate\/cases)\.ts$/,
      /^layers\/onnxruntime\/layer\.json$/,
    ],
  },
  {
    room: /^plugins\/models\/commands\//,
    may: [
      words,
      node,
      sdk,
      /^plugins\/models\/(plan|release|ship|serve)\//,
      /^plugins\/models\/commands\/command\.ts$/,
      /^functions\/(?!.*\/handler\.ts$)/,
    ],
  },
  {
    room: /^plugins\/models\/serve\//,
    may: [
      words,
      node,
      sdk,
      /^plugins\/models\/(plan|ship|serve)\//,
      /^plugins\/models\/commands\/command\.ts$/,
      /^functions\/(?!.*\/handler\.ts$)/,
    ],
  },
  {
    room: /^plugins\/models\/release\//,
    may: [
      words,
      node,
      sdk,
      /^plugins\/models\/(plan|release)\//,
      /^plugins\/models\/ship\/context\.ts$/,
      /^plugins\/models\/commands\/command\.ts$/,
      /^functions\/(release|shared)\/(?!.*\/?handler\.ts$)/,
    ],
  },
];
const roomOfFunction = (file: string): string | undefined => /^functions\/([^/]+)\//.exec(file)?.[1];

describe('the house', () => {
  it('finds its rooms', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(50);
  });

  for (const { room, may } of ROOMS) {
    it(`${room.source} imports only what its room may`, () => {
      const broken = imports.filter(
        ({ file, target }) => room.test(file) && !may.some((allowed) => allowed.test(target)),
      );
      expect(broken.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
    });
  }

  it('every source file is in a room', () => {
    const homeless = sources.filter(
      (file) => !file.startsWith('functions/') && !ROOMS.some(({ room }) => room.test(file)),
    );
    expect(homeless).toEqual([]);
  });

  it('what runs in the user’s account imports itself, functions/shared and the runtime’s packages, nothing of the build side', () => {
    const runtime =
      /^(node:.*|@aws-sdk\/.*|@smithy\/.*|@middy\/core|@aws-lambda-powertools\/logger|onnxruntime-common|aws-lambda)$/;
    const broken = imports.filter(({ file, target }) => {
      const own = roomOfFunction(file);
      if (own === undefined || runtime.test(target)) return false;
      const other = roomOfFunction(target);
      return other === undefined || (other !== own && other !== 'shared' && !contract.test(target));
    });
    expect(broken.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it('a contract has constants and shapes, no behaviour and no imports but types of other contracts', () => {
    for (const file of sources.filter((source) => contract.test(source))) {
      expect(
        importsOf(file).filter(({ target, typeOnly }) => !typeOnly || !contract.test(target)),
        file,
      ).toEqual([]);
      expect(read(file), file).not.toMatch(/=>\s*[^'"]*;|\bfunction\b.*\{|\bclass\b/);
    }
  });

  it('nobody imports plugin.ts, and it is the only class', () => {
    expect(imports.filter(({ target }) => target === 'plugins/models/plugin.ts')).toEqual([]);
    const classes = sources.filter((file) =>
      /^\s*(export\s+)?(default\s+)?(abstract\s+)?class\s/m.test(read(file)),
    );
    expect(classes).toEqual(['plugins/models/plugin.ts']);
  });

  it('no command imports another', () => {
    const broken = imports.filter(
      ({ file, target }) =>
        /^plugins\/models\/commands\//.test(file) &&
        /^plugins\/models\/commands\/(?!command\.ts)/.test(target),
    );
    expect(broken).toEqual([]);
  });

  it('no file only re-exports others', () => {
    const barrels = sources.filter((file) => {
      const code = read(file)
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .trim();
      return (
        code !== '' && code.replace(/export\s+(type\s+)?(\*|\{[^}]*\})\s+from\s+'[^']+';/g, '').trim() === ''
      );
    });
    expect(barrels).toEqual([]);
  });

  it('files hold one concept: none over 400 lines', () => {
    const long = sources.filter((file) => read(file).split('\n').length > 400);
    expect(long).toEqual([]);
  });
});

describe('the repository', () => {
  const texts = tracked.filter((file) =>
    /\.(ts|mjs|js|json|yml|yaml|md|py|txt|html|csv)$|^\.(npmrc|ci\/)/.test(file),
  );

  it('names no package registry and no path of a machine', () => {
    // Put together from parts, so that this file does not name them itself.
    const hosts = [
      ['registry', 'npmjs'],
      ['registry', 'yarnpkg'],
      ['files', 'pythonhosted'],
      ['pypi', 'org'],
    ].map((parts) => parts.join('.'));
    const paths = ['work', 'root', 'home/[a-z]+'].map(
      (folder) => `(?<![\\w.~*})-])/${folder}/(?!node_modules)`,
    );
    const forbidden = new RegExp([...hosts, ...paths].join('|'));
    const broken = texts.filter((file) => forbidden.test(read(file)));
    expect(broken.map((file) => relative('.', file))).toEqual([]);
  });

  it('has no skipped, focused or empty test', () => {
    const marks = new RegExp(`\\b(it|test|describe)\\.(${['skip', 'only', 'todo'].join('|')})\\b`);
    expect(tracked.filter((file) => /\.test\.ts$/.test(file) && marks.test(read(file)))).toEqual([]);
  });
});
