/** What package.json says of the project. https://docs.npmjs.com/cli/v11/configuring-npm/package-json */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { pages, root } from './pages.ts';

const { name, repository, homepage, bugs, files } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

test('repository, homepage and bugs are of one project, which is called like the package', () => {
  const project = /^git\+(https:\/\/github\.com\/[\w-]+\/([\w-]+))\.git$/.exec(repository.url);
  expect(project?.[2]).toBe(name);
  expect({ repository, homepage, bugs }).toEqual({
    repository: { type: 'git', url: `git+${project?.[1]}.git` },
    homepage: `${project?.[1]}#readme`,
    bugs: { url: `${project?.[1]}/issues` },
  });
});

test('SECURITY.md sends reports to the same project', () => {
  const project = homepage.replace('#readme', '');
  expect(pages.get('SECURITY.md')).toContain(`(${project}/security/advisories/new)`);
});

const shipped = (file: string): boolean =>
  files.some((entry: string) => file === entry || file.startsWith(`${entry}/`));

test('every page is in the package, and every file that the package names is there', () => {
  expect([...pages.keys()].filter((page) => !shipped(page))).toEqual([]);
  // `dist` is made by `npm run build`, which npm runs before it packs.
  expect(files.filter((entry: string) => entry !== 'dist' && !existsSync(join(root, entry)))).toEqual([]);
});

test('what a page tells its reader to open is in the package; tests and the local AWS are of the repository', () => {
  const lost = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, link = '']) => join(dirname(page), link))
      .filter((file) => !/^(test|local-aws)\//.test(file) && !shipped(file))
      .map((file) => `${page}: ${file}`),
  );
  expect(lost).toEqual([]);
});
