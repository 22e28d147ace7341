/** `npm run aws`: what a person did wrong is told, without a stack. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const command = fileURLToPath(new URL('../../../local-aws/aws.ts', import.meta.url));

it('an option that does not exist is told with those that do', () => {
  const { status, stderr } = spawnSync(process.execPath, [command, 'start', '--bogus'], { encoding: 'utf8' });
  expect(status, stderr).toBe(2);
  expect(stderr).toMatch(/^Unknown option '--bogus'.*\n\nnpm run aws -- start /);
  expect(stderr).not.toMatch(/^ +at /m);
});
