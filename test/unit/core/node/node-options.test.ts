import { expect, it } from 'vitest';
import { preloadsIn, withoutPreloads } from '../../../../core/node/node-options.ts';

it('what Node would load of a layer is left out, where no layer is', () => {
  const left = (options: string) => withoutPreloads({ A: '1', NODE_OPTIONS: options });
  expect(left('-r @sentry/aws-serverless/awslambda-auto')).toEqual({ A: '1' });
  expect(left('--import=/opt/init.mjs')).toEqual({ A: '1' });
  for (const [options, rest] of [
    ['--require "/opt/my files/a.js" --enable-source-maps --import /opt/b.mjs', '--enable-source-maps'],
    ['--max-old-space-size=900 --experimental-loader=/opt/c.mjs', '--max-old-space-size=900'],
  ] as const)
    expect(left(options)).toEqual({ A: '1', NODE_OPTIONS: rest });
  for (const kept of ['--enable-source-maps', '--import-nothing', '--stack-trace-limit=50 --no-warnings'])
    expect(left(kept)).toEqual({ A: '1', NODE_OPTIONS: kept });
  expect(withoutPreloads({ A: '1' })).toEqual({ A: '1' });
});

it('and it is told by what is written, without quotes', () => {
  expect(preloadsIn('-r a/b --import="/opt/a b.mjs" --stack-trace-limit=50')).toEqual([
    'a/b',
    '/opt/a b.mjs',
  ]);
  expect(preloadsIn('--enable-source-maps')).toEqual([]);
});
