import fc from 'fast-check';
import { expect, it } from 'vitest';
import { variablesOf } from '../../../../../plugins/models/sandbox/environment.ts';

const resolved = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const unresolved = fc.oneof(fc.constant({ Ref: 'Table' }), fc.constant(null));
const environment = fc.option(
  fc.dictionary(fc.constantFrom('A', 'B', 'C', 'D', '__proto__'), fc.oneof(resolved, unresolved)),
  { nil: undefined },
);

it('merges variables as the framework does, and leaves out what only CloudFormation can resolve', () => {
  fc.assert(
    fc.property(environment, environment, (provider, own) => {
      const found = variablesOf(provider, own);
      for (const name of ['A', 'B', 'C', 'D']) {
        const from = own !== undefined && Object.hasOwn(own, name) ? own : provider;
        const value = from !== undefined && Object.hasOwn(from, name) ? from[name] : undefined;
        expect(found[name]).toBe(typeof value === 'object' ? undefined : value?.toString());
      }
    }),
  );
});

it('leaves out what NODE_OPTIONS preloads: on Lambda a layer has it, and here Node would end for want of it', () => {
  const left = (options: string) => variablesOf({ NODE_OPTIONS: options }, undefined).NODE_OPTIONS;
  expect(left('-r @sentry/aws-serverless/awslambda-auto')).toBeUndefined();
  expect(left('--import=/opt/init.mjs')).toBeUndefined();
  expect(left('--require "/opt/my files/a.js" --enable-source-maps --import /opt/b.mjs')).toBe(
    '--enable-source-maps',
  );
  expect(left('--max-old-space-size=900 --experimental-loader=/opt/c.mjs')).toBe('--max-old-space-size=900');
  for (const kept of ['--enable-source-maps', '--import-nothing', '--stack-trace-limit=50 --no-warnings'])
    expect(left(kept)).toBe(kept);
});
