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
