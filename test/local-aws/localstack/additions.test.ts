import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { localAws } from '../../../local-aws/start.ts';

const folder = join(localAws, 'localstack', 'additions');
const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
const list = /MODULES = \(([^)]*)\)/.exec(text('everything.py'))?.[1] ?? '';
const modules = [...list.matchAll(/"(\w+)"/g)].map(([, name = '']) => name);

it('each addition is a module with an install() that is on the list, and is in the documentation', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.py'));
  const installed = files.filter((name) => /^def install\(/m.test(text(name)) && name !== 'everything.py');
  expect(installed.map((name) => name.slice(0, -3)).sort()).toEqual([...modules].sort());
  const page = readFileSync(join(localAws, '..', 'docs', 'local-testing.md'), 'utf8');
  const section = page.slice(page.indexOf('## What is added to LocalStack'));
  // What is no semantic of AWS: how it is asked from outside.
  const shown = modules.filter((name) => name !== 'front');
  expect(shown.filter((name) => !section.includes(`| \`${name}\``))).toEqual([]);
});

it('each links the page of AWS that it follows', () => {
  const without = modules.filter(
    (name) => !/^"""[^"]*https:\/\/docs\.aws\.amazon\.com\//.test(text(`${name}.py`)),
  );
  expect(without).toEqual(['front']);
});

it('what is shared with MiniStack imports nothing of it', () => {
  const shared = new Set(
    readdirSync(folder)
      .filter((name) => name.endsWith('.py'))
      .flatMap((name) =>
        [...text(name).matchAll(/^from semantics((?:\.\w+)*) import ([\w, ]+)$/gm)].flatMap(
          ([, path = '', names = '']) =>
            names.split(', ').map((one) => `${path.slice(1).replaceAll('.', '/')}/${one}`.replace(/^\//, '')),
        ),
      )
      // A class of a module: the module is what is imported.
      .map((path) => (/\/[A-Z]/.test(path) ? path.slice(0, path.lastIndexOf('/')) : path)),
  );
  expect(shared.size).toBeGreaterThan(6);
  for (const path of shared) {
    const source = readFileSync(join(localAws, 'semantics', `${path}.py`), 'utf8');
    expect(source, path).not.toMatch(/^(?:from|import) ministack/m);
  }
});
