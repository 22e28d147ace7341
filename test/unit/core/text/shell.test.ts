import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../../../../core/text/shell.ts';

it('a text is one word of a shell, the very same', () => {
  const texts = ['s3://in/a b/', "it's", '$(touch x) `y` "z" \\', 'a=b@c:d,e+f%g', '', '*', 'ä\n~'];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${texts.map(shellWord).join(' ')}`], {
    encoding: 'utf8',
  });
  expect(stdout.split('\0')).toEqual([...texts, '']);
  expect(shellWord('s3://in/2026-05/a.csv')).toBe('s3://in/2026-05/a.csv');
});
