/** Error codes that our code knows by name are each in the list that AWS's models are asked about. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CAUGHT } from '../../local-aws/caught-codes.ts';
import { root } from '../docs/pages.ts';

/** Names of the SDK's own errors and of Node's, which no AWS answers, of a member, and of one's value. */
const NOT_OF_AWS = [
  ...['AbortError', 'TimeoutError', 'CredentialsProviderError', 'LambdaServiceException', 'UnknownError'],
  ...['ErrnoException', 'FunctionError', 'ImageNotFound'],
];

/** Names of errors that a file has in its code, where it looks at names of errors at all. */
function namesIn(file: string): readonly string[] {
  const code = readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/^import[\s\S]*?;$/gm, '');
  if (!/errorName\(|\berror\.name\b/.test(code)) return [];
  const names = code.match(
    /\b(?:NoSuch[A-Z]\w*|[A-Z]\w*(?:Exception|Error|Exists?|NotFound|AccessDenied|Malformed|Redirect|TokenId|DoesNotMatch|ObjectState)|AccessDenied|ExpiredToken)\b(?![(<])/g,
  );
  return [...new Set(names ?? [])].filter((name) => !NOT_OF_AWS.includes(name)).sort();
}

const files = globSync('{aws,core,functions,plugins}/**/*.ts', { cwd: root }).map((file) =>
  file.replaceAll('\\', '/'),
);

test('every name is in the list, with where it is caught', () => {
  const found = Object.fromEntries(
    files
      .map((file) => [file, namesIn(file)] as const)
      .filter(([, names]) => names.length > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const listed = Object.fromEntries(
    Object.entries(CAUGHT).map(([file, codes]) => [file, Object.keys(codes).sort()]),
  );
  expect(found).toEqual(listed);
});
