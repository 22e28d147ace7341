/**
 * Which test files a change touches: those that import what has changed, directly or not, and those that
 * start it as a process or bundle it, which they name by its path. What nothing names (settings, fixtures,
 * the lock file) touches all of its folder, or everything.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Names as they are: git quotes some of them in lines. */
const git = (root: string, ...args: readonly string[]): readonly string[] =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    .split('\0')
    .filter(Boolean);

/**
 * What is renamed has changed by both names: a test may still lead to the old one.
 *
 * @param since a commit; without one what is not committed
 * @returns paths from the root
 * @throws Error where git knows no such commit
 */
export function changedFiles(root: string, since = 'HEAD'): readonly string[] {
  try {
    return [
      ...new Set([
        ...git(root, 'diff', '--name-only', '--no-renames', '-z', '--end-of-options', since, '--'),
        ...git(root, 'ls-files', '--others', '--exclude-standard', '-z'),
      ]),
    ];
  } catch (error) {
    const [why = ''] = String((error as { readonly stderr?: string }).stderr ?? error).split('\n');
    throw new Error(`What has changed since ${since} is not known: ${why.replace(/^fatal: /, '')}.`);
  }
}

/** All files of the repository that are kept, and those that are about to be. */
export const keptFiles = (root: string): readonly string[] =>
  git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '-z').filter((file) =>
    existsSync(join(root, file)),
  );

const IMPORT = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
/** Texts one after another, as `join` takes them; or a path in one text. */
const TEXTS = /(['"`])((?:(?!\1)[^\\\n])*)\1(?:\s*,\s*(['"`])((?:(?!\3)[^\\\n])*)\3)*/g;

/** What a file leads to: files, and folders with `/` at the end. */
export function leadsOf(root: string, file: string): ReadonlySet<string> {
  const text = readFileSync(join(root, file), 'utf8');
  const found = new Set<string>();
  for (const [, target = ''] of text.matchAll(IMPORT)) found.add(posix.join(posix.dirname(file), target));
  for (const [sequence] of text.matchAll(TEXTS)) {
    const parts = [...sequence.matchAll(/(['"`])(.*?)\1/g)].map(([, , part = '']) => part);
    // From any of them on: a variable may stand for the root, or for a folder that is not ours.
    // A source tells people of pages, but reads none; what it bundles it reads.
    for (const start of parts.keys())
      for (const path of pathsIn(root, parts.slice(start).join('/')))
        if (file.startsWith('test/') || path.startsWith('functions/')) found.add(path);
  }
  return found;
}

const ROOMS =
  /^(core|aws|functions|plugins|layers|bench|docs|examples|local-aws|test\/golden|test\/export)(\/|$)|^[A-Z]+\.md$|^serverless\.yml$/;

function pathsIn(root: string, path: string): readonly string[] {
  // As far as it is known: `functions/${room}/handler` is one of a folder.
  const [known = '', more] = path.split(/\$\{/, 2);
  const plain = posix.normalize(more === undefined ? known : known.replace(/[^/]*$/, ''));
  if (!ROOMS.test(plain)) return [];
  for (const one of [plain, `${plain}.ts`]) {
    const at = join(root, one);
    if (!existsSync(at)) continue;
    return [statSync(at).isDirectory() ? `${one.replace(/\/$/, '')}/` : one];
  }
  return [];
}

/** Files whose change touches every test: the settings of all, and what tests share without importing it. */
const EVERYTHING =
  /^(package(-lock)?\.json|tsconfig\.json|vitest\.config\.ts|biome\.json|\.npmrc|\.ci\/|test\/(fixtures|older)\/|layers\/)|^(test|local-aws)\/.*\.(py|txt|mjs)$/;

/**
 * @param leads what each file leads to
 * @param tests all test files
 * @returns those that the change touches; all of them where it touches everything
 */
export function touchedTests(
  changed: readonly string[],
  tests: readonly string[],
  leads: (file: string) => ReadonlySet<string>,
): readonly string[] {
  if (changed.some((file) => EVERYTHING.test(file))) return tests;
  const reached = new Map<string, ReadonlySet<string>>();
  const reach = (file: string): ReadonlySet<string> => {
    const known = reached.get(file);
    if (known !== undefined) return known;
    const found = new Set<string>([file]);
    const open = [file];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const lead of leads(next))
        if (!found.has(lead)) {
          found.add(lead);
          open.push(lead);
        }
    reached.set(file, found);
    return found;
  };
  const named = new Set(tests.flatMap((test) => [...reach(test)]));
  // A file of the tests that none names is started by its path: by which, nobody can tell.
  const started = (file: string): boolean =>
    file.startsWith('test/') && file.endsWith('.ts') && !named.has(file) && !file.includes('/soak');
  if (changed.some(started)) return tests;
  return tests.filter((test) => {
    // It reads every file.
    if (test === LAWS) return changed.length > 0;
    const all = reach(test);
    return changed.some(
      (file) =>
        all.has(file) ||
        [...all].some((lead) => lead.endsWith('/') && file.startsWith(lead)) ||
        // A golden's folder: nothing imports it.
        (!file.endsWith('.ts') && file.startsWith('test/') && projectOf(file) === projectOf(test)),
    );
  });
}

const LAWS = 'test/laws.test.ts';
const projectOf = (file: string): string | undefined => file.split('/')[1];

/** @returns the test files to run since a commit */
export function testsSince(root: string, since?: string): readonly string[] {
  const files = keptFiles(root);
  const sources = new Set(files.filter((file) => file.endsWith('.ts')));
  const none: ReadonlySet<string> = new Set();
  return touchedTests(
    changedFiles(root, since),
    files.filter((file) => /^test\/.*\.test\.ts$/.test(file)),
    (file) => {
      if (file.endsWith('/')) return new Set([...sources].filter((one) => one.startsWith(file)));
      return sources.has(file) ? leadsOf(root, file) : none;
    },
  );
}
