import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Every source file that `entry` reaches at run time by relative imports, itself included. */
export function sourcesOf(entry: string): readonly string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, target = ''] of text.matchAll(/^import (?!type )[^;]*? from '(\.[^']+)'/gm))
      visit(join(dirname(file), target));
  };
  visit(entry);
  return [...found];
}
