import { execFileSync, spawnSync } from 'node:child_process';
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
const sources = tracked.filter((file) => /^(core|aws|functions|plugins|layers)\/.*\.ts$/.test(file));

type Import = {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
  /** Only once its line is run. */
  readonly lazy: boolean;
};

/** Without comments. */
const uncommented = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<=^|\s)\/\/.*$/gm, '');

/** Every import of a file: packages by name, our own files by path from the root. */
const importsOf = (file: string): Import[] => importsIn(file, read(file));

function importsIn(file: string, text: string): Import[] {
  const found: Import[] = [];
  const statement =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*['`]([^'`]+)['`]\s*[,)]/gm;
  for (const [, type, from, dynamic] of uncommented(text).matchAll(statement)) {
    const target = from ?? dynamic ?? '';
    found.push({
      file,
      target: target.startsWith('.') ? posix.join(posix.dirname(file), target) : target,
      typeOnly: type !== undefined,
      lazy: from === undefined,
    });
  }
  return found;
}
const imports = sources.flatMap(importsOf);
const code = (file: string): string => uncommented(read(file));
/** What is not the same each time. */
const SEES = new RegExp(
  [
    /\bDate\.now\b|\bnew Date(\(\s*\)|\b(?!\())|(?<![\w.] *|new )Date\(\)|\bTemporal\.Now\b|\bperformance\b/,
    /\bprocess\b|\bimport\.meta\b/,
    /\bMath\.random\b|\b(web)?crypto\.\b|\brandom(UUID|Bytes|Int|Fill|FillSync)\b|\bgetRandomValues\b/,
  ]
    .map(({ source }) => source)
    .join('|'),
);
/** A test that does not run, or lets others not run. */
const MARKS = ((words: string) =>
  new RegExp(`\\b(it|test|describe)\\b(\\.\\w+)*\\.(${words})\\b|\\bskip\\(\\)|\\b(${words}): true\\b`))(
  ['skip', 'only', 'todo'].join('|'),
);
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

const contract = /^core\/([^/]+\/)*(\w+-)?contract\.ts$/;

/** What may be imported, by the words of CONTRIBUTING’s table. */
const NAMES: Readonly<Record<string, RegExp>> = {
  everything: /./,
  Node: /^node:/,
  '`node:buffer`, `node:crypto`, `node:stream`, `node:zlib`': /^node:(buffer|crypto|stream|zlib)$/,
  '`node:stream`': /^node:stream$/,
  'the SDK': /^(@aws-sdk|@smithy|@aws-crypto)\//,
  zod: /^zod$/,
  yazl: /^yazl$/,
  tar: /^tar$/,
  yaml: /^yaml$/,
  'hyparquet, hyparquet-writer': /^hyparquet(-writer)?(\/src\/\w+\.js)?$/,
  'types of `onnxruntime-common`': /^onnxruntime-common$/,
  esbuild: /^esbuild$/,
  '`@middy/core`, `@aws-lambda-powertools/logger`, `onnxruntime-common`, types of `aws-lambda`':
    /^(@middy\/core|@aws-lambda-powertools\/logger|onnxruntime-common|aws-lambda)$/,
  '`core/`': /^core\//,
  '`core/` but `core/node/`': /^core\/(?!node\/)/,
  '`aws/`': /^aws\//,
  '`functions/runtime/`': /^functions\/runtime\//,

  '`declaration/`': /^plugins\/models\/declaration\//,
  '`artifact/sources/`': /^plugins\/models\/artifact\/sources\//,
  '`artifact/fetch/` by `import()`': /^plugins\/models\/artifact\/fetch\//,
  '`disk/`, `network/`, `sandbox/`': /^plugins\/models\/(disk|network|sandbox)\//,
  'agent-base, https-proxy-agent, proxy-from-env': /^(agent-base|https-proxy-agent|proxy-from-env)$/,
  '`problems/`': /^plugins\/models\/problems\//,
  '`contracts/`': /^plugins\/models\/contracts\//,
  '`plan/`': /^plugins\/models\/plan\//,
  'plans of `targets/`': /^plugins\/models\/targets\/(targets|[\w-]+\/plan)\.ts$/,
  '`ship/oci/reference.ts`': /^plugins\/models\/ship\/oci\/reference\.ts$/,
  '`plugins/models/` but commands': /^plugins\/models\/(?!commands\/)/,
  '`layer.json`': /^layers\/onnxruntime\/layer\.json$/,
  '`base.json`': /^layers\/base\/base\.json$/,
};

type Room = {
  /** As in CONTRIBUTING’s table. */
  readonly name: string;
  readonly files: RegExp;
  readonly may: readonly string[];
  /** Knows neither time nor environment, nor chance. */
  readonly blind?: true;
};

/**
 * The table of rooms: who (a path) may import what. Types cost nothing at run time, but they tie rooms all
 * the same.
 */
const ROOMS: readonly Room[] = [
  {
    name: '`core/`',
    files: /^core\//,
    may: [
      '`core/`',
      '`node:buffer`, `node:crypto`, `node:stream`, `node:zlib`',
      'hyparquet, hyparquet-writer',
      'types of `onnxruntime-common`',
    ],
    blind: true,
  },
  // In a browser, too: what it imports in turn is bundled for one by test/unit/protocol/in-a-browser.test.ts.
  {
    name: '`core/tensor/`, `core/protocol/`',
    files: /^core\/(tensor|protocol)\//,
    may: ['`core/` but `core/node/`'],
    blind: true,
  },
  { name: '`aws/`', files: /^aws\//, may: ['`core/`', '`aws/`', 'the SDK', '`node:stream`'] },
  ...['batch', 'catalog', 'drift', 'host', 'infer', 'release', 'runtime'].map(
    (name): Room => ({
      name: `\`functions/${name}/\``,
      files: new RegExp(`^functions/${name}/`),
      may: [
        'itself',
        ...['`functions/runtime/`', '`core/`', '`aws/`', 'Node'],
        '`@middy/core`, `@aws-lambda-powertools/logger`, `onnxruntime-common`, types of `aws-lambda`',
      ],
    }),
  ),
  // Types of a browser’s, by a tsconfig.json of its own.
  { name: '`functions/catalog/browser/`', files: /^functions\/catalog\/browser\//, may: ['itself'] },
  {
    name: '`problems/`',
    files: /^plugins\/models\/problems\//,
    may: ['itself'],
    blind: true,
  },
  {
    name: '`declaration/`',
    files: /^plugins\/models\/declaration\//,
    may: ['itself', '`artifact/sources/`', '`problems/`', '`core/`', 'zod'],
    blind: true,
  },
  // What may be declared is read from the list of sources, so a source’s own file is as pure; what it does is
  // loaded when asked for.
  {
    name: '`artifact/sources/`',
    files: /^plugins\/models\/artifact\/sources\//,
    may: ['itself', '`artifact/fetch/` by `import()`', '`contracts/`', '`core/`'],
    blind: true,
  },
  {
    name: '`contracts/`',
    files: /^plugins\/models\/contracts\//,
    may: ['itself', '`declaration/`', '`problems/`', '`core/`'],
    blind: true,
  },
  {
    name: '`plan/`, plans of `targets/`',
    files: /^plugins\/models\/(plan\/|targets\/(targets|[\w-]+\/plan)\.ts$)/,
    may: [...['`plan/`', 'plans of `targets/`', '`contracts/`', '`declaration/`', '`problems/`'], '`core/`'],
    blind: true,
  },
  {
    name: '`artifact/`',
    files: /^plugins\/models\/artifact\/(?!sources\/)/,
    may: [
      'itself',
      ...['`artifact/sources/`', '`disk/`, `network/`, `sandbox/`', '`contracts/`', '`problems/`'],
      ...['`core/`', '`aws/`', 'Node', 'types of `onnxruntime-common`', '`layer.json`', 'yaml'],
    ],
  },
  {
    name: '`disk/`, `network/`, `sandbox/`',
    files: /^plugins\/models\/(disk|network|sandbox)\//,
    may: ['itself', '`problems/`', 'Node', 'tar', 'yazl', 'agent-base, https-proxy-agent, proxy-from-env'],
  },
  {
    name: '`export/`',
    files: /^plugins\/models\/export\//,
    may: [
      'itself',
      ...['`contracts/`', '`declaration/`', '`problems/`', '`core/`', '`ship/oci/reference.ts`', 'yaml'],
    ],
    blind: true,
  },
  { name: '`plugin.ts`', files: /^plugins\/models\/plugin\.ts$/, may: ['everything'] },
  {
    name: '`plugins/models/`, the rest',
    files:
      /^plugins\/models\/(?!plugin\.ts$|artifact\/|contracts\/|declaration\/|disk\/|network\/|export\/|problems\/|sandbox\/|plan\/|targets\/(targets|[\w-]+\/plan)\.ts$)/,
    may: ['`plugins/models/` but commands', ...['`core/`', '`aws/`', 'Node'], '`base.json`', 'esbuild'],
  },
];
const nameOfRow = (name: string): string => name.replace(/^`functions\/\w+\/`$/, '`functions/*`');

/** What lies on a way back to itself: of each such knot one way round. */
function cyclesOf(edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (at: string, path: readonly string[]): void => {
    const known = path.indexOf(at);
    if (known >= 0) {
      found.push([...path.slice(known), at].join(' → '));
      return;
    }
    if (done.has(at)) return;
    for (const next of edges.get(at) ?? []) walk(next, [...path, at]);
    done.add(at);
  };
  for (const start of edges.keys()) walk(start, []);
  return found;
}

/** A folder, and those that it lies in. */
const withParents = (folder: string): readonly string[] =>
  folder === '.' ? [] : [folder, ...withParents(posix.dirname(folder))];

describe('the house', () => {
  it('finds its rooms', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(50);
  });

  it('sees what is there, however it is written', () => {
    const asked = [
      "await import(\n  '../aws/one.ts'\n);",
      "await import('../aws/one.ts', { with: { type: 'json' } });",
      'await import(`../aws/one.ts`);',
      "import {\n  a, // it’s all there's\n} from '../aws/one.ts';",
    ];
    for (const text of asked)
      expect(importsIn('core/two.ts', text), text).toMatchObject([{ target: 'aws/one.ts' }]);
    const chance = ['new Date;', 'Date()', 'Temporal.Now.instant()', 'randomInt(9)', 'getRandomValues(a)'];
    expect(chance.filter((text) => !SEES.test(text))).toEqual([]);
    expect(['new Date(at)', 'lastDate()', 'a.Date()'].filter((text) => SEES.test(text))).toEqual([]);
    const word = 'skip';
    const idle = [
      `it.concurrent.${word}(`,
      `describe.each([])\n;test.${word}.each(`,
      `context.${word}()`,
      `{ ${word}: true }`,
    ];
    expect(idle.filter((text) => !MARKS.test(text))).toEqual([]);
    expect(MARKS.test(`it.${word}If(`)).toBe(false);
  });

  it.each(ROOMS)('$name imports only what its room may', ({ files, may }) => {
    const allows = (name: string, { target, lazy }: Import): boolean =>
      (lazy || !name.endsWith(' by `import()`')) &&
      (name === 'itself' ? files.test(target) : NAMES[name]?.test(target) === true);
    const broken = imports.filter((one) => files.test(one.file) && !may.some((name) => allows(name, one)));
    expect(sources.some((file) => files.test(file))).toBe(true);
    expect(broken.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it.each(ROOMS)('CONTRIBUTING says what $name may import', ({ name, may, blind }) => {
    const row = rows.find(([room]) => room === nameOfRow(name));
    expect(row?.[1]).toBe(may.join(', '));
    expect(/clock, environment, chance/.test(row?.[2] ?? '')).toBe(blind === true);
  });

  it.each(ROOMS.filter(({ blind }) => blind))(
    '$name knows neither time, environment nor chance',
    ({ files }) => {
      const broken = sources.filter((file) => files.test(file) && SEES.test(code(file)));
      expect(broken).toEqual([]);
    },
  );

  it('every source file is in a room', () => {
    const homeless = sources.filter(
      (file) => !file.startsWith('layers/') && !ROOMS.some(({ files }) => files.test(file)),
    );
    expect(homeless).toEqual([]);
  });

  it('the local AWS knows nothing of the product, nor of its tests', () => {
    const files = tracked.filter((file) => /^local-aws\/.*\.ts$/.test(file));
    const others = files
      .flatMap(importsOf)
      .map(({ target }) => target)
      .filter((target) => !/^(node:|local-aws\/|@aws-sdk\/client-cloudformation$)/.test(target));
    expect(files.length).toBeGreaterThan(3);
    expect(others).toEqual([]);
  });

  it('unit tests lie as their sources do', () => {
    const folders = new Set(sources.map((file) => posix.dirname(file)).flatMap(withParents));
    // What is held of the pages, of the bench and of what tests share.
    const others = /^(docs|bench|test)$/;
    const lost = tracked
      .filter((file) => /^test\/unit\/.*\.test\.ts$/.test(file))
      .filter((file) => {
        const folder = posix.dirname(file.replace(/^test\/unit\//, ''));
        return !folders.has(folder) && !others.test(folder);
      });
    expect(lost).toEqual([]);
  });

  it('programs of processes of their own import no package: with Yarn’s Plug’n’Play Node alone finds none', () => {
    const programs = sources.flatMap((file) =>
      [...code(file).matchAll(/\brunChild(?:<[^>]*>)?\(\s*'([^']+)'/g)].map(([, name]) => `${name}.ts`),
    );
    expect(programs.length).toBeGreaterThan(2);
    const reached = new Set(programs);
    for (const file of reached)
      for (const { target, typeOnly, lazy } of imports.filter((one) => one.file === file))
        if (!typeOnly && !lazy && sources.includes(target)) reached.add(target);
    const packages = [...reached]
      .flatMap(importsOf)
      .filter(({ target, typeOnly }) => !typeOnly && !/^node:/.test(target) && !sources.includes(target));
    expect(packages).toEqual([]);
    // And they are files, not entries of Yarn's zip.
    expect(JSON.parse(read('package.json'))).toMatchObject({ preferUnplugged: true });
  });

  it('hyparquet and its writer stand behind one file', () => {
    const readers = imports.filter(({ target }) => /^hyparquet/.test(target)).map(({ file }) => file);
    expect([...new Set(readers)]).toEqual(['core/tabular/parquet/library.ts']);
  });

  it('what loads ONNX Runtime has turned its telemetry off before', () => {
    const loads = sources.filter((file) => /['"]onnxruntime-node['"]\)/.test(code(file)));
    const off = (file: string): boolean =>
      /withoutTelemetry\(process\.env\);[\s\S]*?['"]onnxruntime-node['"]\)/.test(code(file));
    expect(loads.length).toBeGreaterThan(2);
    expect(loads.filter((file) => !off(file))).toEqual([]);
  });

  it('files form no cycle, types included', () => {
    const edges = new Map(sources.map((file) => [file, new Set<string>()]));
    for (const { file, target } of imports) if (edges.has(target)) edges.get(file)?.add(target);
    expect(cyclesOf(edges)).toEqual([]);
  });

  it('folders form no cycle', () => {
    const folders = new Map<string, Set<string>>();
    for (const { file, target } of imports) {
      const [from, to] = [posix.dirname(file), posix.dirname(target)];
      if (from === to || !sources.includes(target)) continue;
      folders.set(from, (folders.get(from) ?? new Set()).add(to));
    }
    expect(folders.size).toBeGreaterThan(50);
    expect(cyclesOf(folders)).toEqual([]);
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

  it('no file and no export is without a reader', () => {
    const knip = join(root, 'node_modules', 'knip', 'bin', 'knip.js');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [knip, '--include', 'files,exports,types', '--no-progress', '--no-config-hints'],
      { cwd: root, encoding: 'utf8' },
    );
    expect(`${stdout}${stderr}`.trim()).toBe('');
    expect(status).toBe(0);
  });

  it('comments are no wider than the formatter makes code', () => {
    const { lineWidth } = JSON.parse(read('biome.json')).formatter as { readonly lineWidth: number };
    const wide = tracked
      .filter((file) => /^(core|aws|functions|plugins|layers|test|bench)\/.*\.ts$/.test(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .map((line, index) => ({ line, at: `${file}:${index + 1}` })),
      )
      // An address has no place to break.
      .filter(({ line }) => line.length > lineWidth && /^\s*(\/\*\*|\*|\/\/)\s+\S+\s+(?!\*\/$)/.test(line))
      .map(({ at }) => at);
    expect(wide).toEqual([]);
  });

  it('comments begin with their subject, and have the words of everybody’s English', () => {
    /** Each comment in one line. */
    const commentsOf = (file: string): readonly string[] => {
      const found = file.endsWith('.py')
        ? read(file).matchAll(/^\s*(?:#.*$|"""[\s\S]*?""")/gm)
        : read(file).matchAll(/^\s*\/\*[\s\S]*?\*\/|(?:^|\s)\/\/\s.*$/gm);
      return [...found].map(([text]) =>
        text
          .trim()
          .replace(/^(\/\*\*?|\/\/|#|""")\s*/, '')
          .replace(/\s*\n\s*(\*(?!\/))?\s*/g, ' '),
      );
    };
    // "Of the model": what is it of the model?
    const riddle = /(^|[.:;?!] )Of /;
    const words = /\b(said|(is|are|was|were) due|mend|such as|by hand)\b/i;
    const files = tracked.filter((file) => /\.(ts|py)$/.test(file));
    const comments = files.flatMap((file) => commentsOf(file).map((text) => ({ file, text })));
    expect(comments.length).toBeGreaterThan(5000);
    const broken = comments.filter(({ text }) => riddle.test(text) || words.test(text));
    expect(broken).toEqual([]);
  });

  it('a path that is only a text names a file: bundler and child processes find it so', () => {
    const files = new Set(tracked);
    const named = tracked
      .filter((file) => /\.ts$/.test(file))
      .flatMap((file) =>
        [...code(file).matchAll(/\bownFile\('([^']+)'\)/g)].map(([, name]) => ({ file, name })),
      );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ name }) => !files.has(`${name}.ts`))).toEqual([]);
  });

  it('no name is exported by two files, but that of each command and handler', () => {
    const files = new Map<string, string[]>();
    for (const file of sources)
      for (const [, name = ''] of code(file).matchAll(
        /^export (?:async )?(?:type|const|let|function\*?)\s+(\w+)/gm,
      ))
        files.set(name, [...(files.get(name) ?? []), file]);
    const twice = [...files].filter(([name, all]) => all.length > 1 && !/^(command|handler)$/.test(name));
    expect(twice).toEqual([]);
  });

  it('nobody imports plugin.ts, and it is the only class', () => {
    expect(imports.filter(({ target }) => target === 'plugins/models/plugin.ts')).toEqual([]);
    const classes = sources.filter((file) =>
      /^\s*(export\s+)?(default\s+)?(abstract\s+)?class\s/m.test(read(file)),
    );
    expect(classes).toEqual(['plugins/models/plugin.ts']);
  });

  it.each([
    [
      'format of artifacts',
      /^plugins\/models\/artifact\/(?!sources\/|fetch\/|signature\/)[\w-]+\//,
      /^plugins\/models\/artifact\/formats\.ts$/,
    ],
    ['target', /^plugins\/models\/targets\/[\w-]+\//, /^plugins\/models\/targets\/(targets|builders)\.ts$/],
  ])('nobody knows a %s by name but the lists of them', (_, folder, list) => {
    expect(sources.some((file) => folder.test(file)) && sources.some((file) => list.test(file))).toBe(true);
    const broken = imports.filter(
      ({ file, target }) => folder.test(target) && !folder.test(file) && !list.test(file),
    );
    expect(broken.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
  });

  it('no command imports another', () => {
    const broken = imports.filter(
      ({ file, target }) =>
        /^plugins\/models\/commands\//.test(file) && /^plugins\/models\/commands\//.test(target),
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

  it('no code compares the numbers that Lambda gives to versions: a version’s ordinal is its place in the document', () => {
    const compares = [
      /\b(Number|BigInt|parseInt|parseFloat)\([^()]*[vV]ersion[^()]*\)/,
      /\+[\w.]*\b[vV]ersion\b/,
      /\b[\w.?]*[vV]ersion\)? (<|>)=? /,
      /[vV]ersions?\)?\??\.(sort|toSorted)\(/,
      /\.(sort|toSorted)\([^;]*(Number|BigInt|parseInt)\(|localeCompare|numeric: true/,
    ];
    const found = sources.flatMap((file) =>
      code(file)
        .split('\n')
        .filter((line) => compares.some((pattern) => pattern.test(line)))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(found).toEqual([
      // Written for older workers, which compared it, and read by nobody but where a document has no order.
      'core/release/state/noted.ts: highest: Math.max(base.highest, Number(asked.version)),',
    ]);
  });

  it('no folder has more than 24 files side by side', () => {
    const counts = new Map<string, number>();
    for (const file of sources) {
      const folder = posix.dirname(file);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > 24)).toEqual([]);
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
    expect(tracked.filter((file) => /\.test\.ts$/.test(file) && MARKS.test(read(file)))).toEqual([]);
  });
});
