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
/** Without comments. */
const code = (file: string): string =>
  read(file)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(?<=^|\s)\/\/.*$/gm, '');
/** Cells of CONTRIBUTING’s table of rooms. */
const rows = read('CONTRIBUTING.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const contract = /^functions\/([^/]+\/)+contract\.ts$/;
const node = /^node:/;
const sdk = /^(@aws-sdk|@smithy|@aws-crypto)\//;

/** What may be imported, by the words of CONTRIBUTING’s table. */
const NAMES: Readonly<Record<string, RegExp>> = {
  everything: /./,
  Node: node,
  'the SDK': sdk,
  zod: /^zod$/,
  'esbuild, yazl, hyparquet, `onnxruntime-common`':
    /^(esbuild|yazl|hyparquet(\/src\/\w+\.js)?|onnxruntime-common)$/,
  words: /^plugins\/models\/(model|naming|errors|units)\.ts$/,
  contracts: contract,
  '`schema`, `batch-schema`, `fields`, `issues`, `rules`, `release-rules`, `batch-rules`':
    /^plugins\/models\/(schema|batch-schema|fields|issues|rules|release-rules|batch-rules)\.ts$/,
  '`plan/`': /^plugins\/models\/plan\//,
  '`ship/`': /^plugins\/models\/ship\//,
  '`ship/context.ts`': /^plugins\/models\/ship\/context\.ts$/,
  '`serve/`': /^plugins\/models\/serve\//,
  '`release/`': /^plugins\/models\/release\//,
  '`watch/`': /^plugins\/models\/watch\//,
  '`batch/`': /^plugins\/models\/batch\//,
  '`commands/command.ts`': /^plugins\/models\/commands\/command\.ts$/,
  '`functions/` but handlers': /^functions\/(?!.*\/handler\.ts$)/,
  '`functions/release` but its handler': /^functions\/release\/(?!handler\.ts$)/,
  '`functions/shared`': /^functions\/shared\//,
  '`functions/shared/aws`': /^functions\/shared\/aws\//,
  '`functions/shared/http.ts`': /^functions\/shared\/http\.ts$/,
  // A gate's cases are held against the signature by what will read them.
  '`functions/infer/request.ts`, `functions/release/gate/cases.ts`':
    /^functions\/(infer\/request|release\/gate\/cases)\.ts$/,
  // What native alarms are set to and what monitor and reports ask is one threshold; commands to copy are written by one line.
  '`functions/shared/commands.ts`, `functions/shared/normal.ts`, `functions/shared/threshold.ts`':
    /^functions\/shared\/(commands|normal|threshold)\.ts$/,
  // Reference data become what the endpoint would make of them.
  '`functions/infer/datatypes.ts`, `functions/infer/half.ts`': /^functions\/infer\/(datatypes|half)\.ts$/,
  // A baseline is built with the very lines that score against it.
  '`functions/shared/score.ts`, `functions/shared/residual.ts`': /^functions\/shared\/(score|residual)\.ts$/,
  // Reference data and what batch scores are read by the same lines.
  '`cells`, `columns`, `compressors`, `decimal`, `layout` and `text` of `functions/shared`':
    /^functions\/shared\/(cells|columns|compressors|decimal|layout|text)\.ts$/,
  '`layer.json`': /^layers\/onnxruntime\/layer\.json$/,
};

type Room = {
  /** As in CONTRIBUTING’s table. */
  readonly name: string;
  readonly files: RegExp;
  readonly may: readonly string[];
  /** Knows neither time nor environment, nor chance. */
  readonly blind?: true;
};

/** The table of rooms: who (a path) may import what. Types cost nothing at run time, but they tie rooms all the same. */
const ROOMS: readonly Room[] = [
  { name: '`plugin.ts`', files: /^plugins\/models\/plugin\.ts$/, may: ['everything'] },
  {
    name: '`schema`, `batch-schema`, `fields`, `options`, `parse`, `rules`, `release-rules`, `batch-rules`, `issues`, `units`, `model`, `errors`, `naming`',
    files:
      /^plugins\/models\/(schema|batch-schema|fields|options|parse|rules|release-rules|batch-rules|issues|units|model|errors|naming)\.ts$/,
    may: [
      'words',
      'contracts',
      'zod',
      '`schema`, `batch-schema`, `fields`, `issues`, `rules`, `release-rules`, `batch-rules`',
    ],
    blind: true,
  },
  {
    name: '`serverless.ts`',
    files: /^plugins\/models\/serverless\.ts$/,
    may: ['words', 'Node', 'the SDK', '`functions/shared/aws`', '`commands/command.ts`'],
  },
  {
    name: '`plan/`',
    files: NAMES['`plan/`'] ?? /^$/,
    may: [
      'words',
      'contracts',
      '`plan/`',
      '`functions/shared/commands.ts`, `functions/shared/normal.ts`, `functions/shared/threshold.ts`',
    ],
    blind: true,
  },
  {
    name: '`ship/`',
    files: NAMES['`ship/`'] ?? /^$/,
    may: [
      ...[
        'words',
        'contracts',
        'Node',
        'the SDK',
        'esbuild, yazl, hyparquet, `onnxruntime-common`',
        '`plan/`',
        '`ship/`',
      ],
      ...['`functions/shared/aws`', '`functions/shared/http.ts`'],
      ...[
        '`functions/infer/request.ts`, `functions/release/gate/cases.ts`',
        '`functions/infer/datatypes.ts`, `functions/infer/half.ts`',
        '`functions/shared/score.ts`, `functions/shared/residual.ts`',
        '`cells`, `columns`, `compressors`, `decimal`, `layout` and `text` of `functions/shared`',
        '`layer.json`',
      ],
    ],
  },
  {
    name: '`serve/`',
    files: NAMES['`serve/`'] ?? /^$/,
    may: [
      ...['words', 'Node', 'the SDK', '`plan/`', '`ship/`', '`serve/`', '`commands/command.ts`'],
      '`functions/` but handlers',
    ],
  },
  {
    name: '`commands/`',
    files: /^plugins\/models\/commands\//,
    may: [
      ...[
        'words',
        'Node',
        'the SDK',
        '`plan/`',
        '`ship/`',
        '`serve/`',
        '`release/`',
        '`watch/`',
        '`batch/`',
        '`commands/command.ts`',
      ],
      '`functions/` but handlers',
    ],
  },
  {
    name: '`release/`',
    files: NAMES['`release/`'] ?? /^$/,
    may: [
      ...['words', 'Node', 'the SDK', '`plan/`', '`release/`', '`ship/context.ts`', '`commands/command.ts`'],
      ...['`functions/release` but its handler', '`functions/shared`'],
    ],
  },
  {
    name: '`watch/`',
    files: NAMES['`watch/`'] ?? /^$/,
    may: [
      ...['words', 'the SDK', '`plan/`', '`release/`', '`watch/`', '`commands/command.ts`'],
      '`functions/` but handlers',
    ],
  },
  {
    name: '`batch/`',
    files: NAMES['`batch/`'] ?? /^$/,
    may: [
      ...['words', 'the SDK', '`plan/`', '`release/`', '`batch/`', '`ship/context.ts`'],
      '`functions/` but handlers',
    ],
  },
];
const roomOfFunction = (file: string): string | undefined => /^functions\/([^/]+)\//.exec(file)?.[1];

describe('the house', () => {
  it('finds its rooms', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(50);
  });

  it.each(ROOMS)('$name imports only what its room may', ({ files, may }) => {
    const broken = imports.filter(
      ({ file, target }) => files.test(file) && !may.some((name) => NAMES[name]?.test(target)),
    );
    expect(sources.some((file) => files.test(file))).toBe(true);
    expect(broken.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it.each(ROOMS)('CONTRIBUTING says what $name may import', ({ name, may, blind }) => {
    const row = rows.find(([room]) => room === name);
    expect(row?.[1]).toBe(may.join(', '));
    expect(/clock, environment, chance/.test(row?.[2] ?? '')).toBe(blind === true);
  });

  it.each(ROOMS.filter(({ blind }) => blind))(
    '$name knows neither time, environment nor chance',
    ({ files }) => {
      const sees =
        /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\b|\bprocess\b|\bimport\.meta\b|\bMath\.random\b|\bcrypto\b/;
      const broken = sources.filter((file) => files.test(file) && sees.test(code(file)));
      expect(broken).toEqual([]);
    },
  );

  it('every source file is in a room', () => {
    const homeless = sources.filter(
      (file) => !file.startsWith('functions/') && !ROOMS.some(({ files }) => files.test(file)),
    );
    expect(homeless).toEqual([]);
  });

  it('what runs in the user’s account imports itself, functions/shared and the runtime’s packages, nothing of the build side', () => {
    const runtime =
      /^(node:.*|@aws-sdk\/.*|@smithy\/.*|@middy\/core|@aws-lambda-powertools\/logger|onnxruntime-common|aws-lambda)$/;
    expect(rows.find(([room]) => room === '`functions/*`')?.[1]).toBe(
      'itself, `functions/shared`, contracts, Node, the SDK, `@middy/core`, `@aws-lambda-powertools/logger`, `onnxruntime-common`, types of `aws-lambda`',
    );
    // Batch scores with the very lines of the endpoint, and is in the same zip.
    expect(rows.find(([room]) => room === '`functions/batch`')?.[1]).toBe(
      'as `functions/*`, and `functions/infer` but its handler, hyparquet, hyparquet-writer',
    );
    const batch = /^functions\/infer\/(?!handler\.ts$)|^hyparquet(-writer)?(\/src\/\w+\.js)?$/;
    const broken = imports.filter(({ file, target }) => {
      const own = roomOfFunction(file);
      if (own === undefined || runtime.test(target)) return false;
      if (own === 'batch' && batch.test(target)) return false;
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
