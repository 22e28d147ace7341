/**
 * Error codes that our code knows by name are those that AWS answers to the operations they are caught at.
 */
import { spawnSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { awsPython } from '../../local-aws/aws-python.ts';
import { localAws } from '../../local-aws/start.ts';
import { CAUGHT } from './caught-codes.ts';

let python = '';
beforeAll(async () => {
  python = await awsPython(console.error);
});

/** Those that AWS does not answer. */
function unknown(cases: readonly (readonly [string, string, string])[]): unknown {
  const asked = spawnSync(python, ['-m', 'semantics.calls.errors'], {
    cwd: localAws,
    input: JSON.stringify(cases),
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect(asked.stderr).toBe('');
  return JSON.parse(asked.stdout);
}

test('AWS’s models or pages declare each for its operation', () => {
  const cases = Object.values(CAUGHT).flatMap((codes) =>
    Object.entries(codes).flatMap(([code, operations]) =>
      operations.map((one) => {
        const at = one.lastIndexOf(' ');
        return [one.slice(0, at), one.slice(at + 1), code] as const;
      }),
    ),
  );
  expect(cases.length).toBeGreaterThan(40);
  expect(unknown(cases)).toEqual([]);
});

test('a code that is made up, or of another operation, is found', () => {
  const made = [
    ['Lambda', 'GetAlias', 'AliasNotFoundException'],
    ['Lambda', 'CreateAlias', 'PreconditionFailedException'],
    ['SFN', 'StartExecution', 'ExecutionDoesNotExist'],
  ] as const;
  expect(unknown([...made, ['Lambda', 'GetAlias', 'ResourceNotFoundException']])).toEqual(made);
});
