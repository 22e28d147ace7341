/** The documentation as text, for the tests that hold it against the code. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = dirname(dirname(dirname(import.meta.dirname)));

/** Every page for users, by path from the root: README, CONTRIBUTING, CHANGELOG, SECURITY, docs/. */
export const pages: ReadonlyMap<string, string> = new Map(
  [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].map((page) => [page, readFileSync(join(root, page), 'utf8')]),
);

export type Block = { readonly page: string; readonly line: number; readonly text: string };

/** Every fenced block of a language, with the line of its first line. */
export function blocks(language: string): readonly Block[] {
  return [...pages].flatMap(([page, text]) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((found) => ({
      page,
      line: text.slice(0, found.index).split('\n').length + 1,
      text: found[1] ?? '',
    })),
  );
}

export const at = ({ page, line }: Block): string => `${page}:${line}`;

const update = process.env.UPDATE_DOCS === '1';

/**
 * What stands between `<!-- name: … -->` and `<!-- /name -->` of a page, and what should. `UPDATE_DOCS=1`
 * writes it. Compared without the formatter's padding of tables.
 */
export function generated(
  page: string,
  name: string,
  wanted: string,
): { readonly found: string; readonly wanted: string } {
  const text = readFileSync(join(root, page), 'utf8');
  const between = new RegExp(`(<!-- ${name}: [^>]*-->\\n)([\\s\\S]*?)(<!-- /${name} -->)`);
  const part = between.exec(text)?.[2];
  if (part === undefined) throw new Error(`${page} has no part called ${name}.`);
  if (!update) return { found: unpadded(part), wanted: unpadded(wanted) };
  writeFileSync(
    join(root, page),
    text.replace(between, (_, before, __, after) => `${before}\n${wanted.trim()}\n\n${after}`),
  );
  execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', join(root, page)], {
    stdio: 'ignore',
  });
  return { found: unpadded(wanted), wanted: unpadded(wanted) };
}

const unpadded = (text: string): string =>
  text
    .trim()
    .replace(/ +/g, ' ')
    .replace(/(:?)-{3,}(:?)/g, '$1---$2');

/** A Markdown table; cells must hold no line break. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
