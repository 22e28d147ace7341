import { expect, it } from 'vitest';
import { functionLogicalId, RELEASE } from '../../../../../plugins/models/declaration/naming.ts';
import { ownEnvironments } from '../../../../../plugins/models/plan/own-environment.ts';
import { hostOf } from '../../../../local-aws/release-stack.ts';

const id = functionLogicalId(RELEASE);
const after = (shared: object, planned: object | undefined, compiled: object): unknown => {
  const host = { ...hostOf('shop'), provider: { environment: shared } };
  const functions = { [RELEASE]: { versionFunction: false, ...(planned && { environment: planned }) } };
  const resources = {
    [id]: { Type: 'AWS::Lambda::Function', Properties: { A: 1, Environment: compiled, Z: 2 } },
  };
  return ownEnvironments(resources, functions, host)[id]?.Properties;
};

it('keeps its own variables, those that somebody added to it, and those of the SDK', () => {
  const own = { MODELS_X: 'x', BOTH: 'ours' };
  const shared = { PASSWORD: 'p', BOTH: 'theirs', AWS_USE_FIPS_ENDPOINT: 'true' };
  const kept = { AWS_USE_FIPS_ENDPOINT: 'true', ...own, ADDED: 'by a plugin' };
  const found = after(shared, own, { Variables: { ...shared, ...own, ADDED: 'by a plugin' } });
  expect(found).toEqual({ A: 1, Environment: { Variables: kept }, Z: 2 });
  expect(Object.keys(found as object)).toEqual(['A', 'Environment', 'Z']);
});

it('has no profile of a machine: with one the SDK looks for no credentials of Lambda’s', () => {
  const shared = { AWS_PROFILE: 'ann', AWS_DEFAULT_PROFILE: 'ann', AWS_MAX_ATTEMPTS: '5' };
  expect(after(shared, undefined, { Variables: shared })).toEqual({
    A: 1,
    Environment: { Variables: { AWS_MAX_ATTEMPTS: '5' } },
    Z: 2,
  });
});

it('has no environment where nothing is left of it', () => {
  expect(after({ PASSWORD: 'p' }, undefined, { Variables: { PASSWORD: 'p' } })).toEqual({ A: 1, Z: 2 });
});

it('has no wrapper of the provider’s layers, which it does not have: Lambda starts nothing without that file', () => {
  const shared = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/otel-handler', AWS_MAX_ATTEMPTS: '5' };
  expect(after(shared, undefined, { Variables: shared })).toEqual({
    A: 1,
    Environment: { Variables: { AWS_MAX_ATTEMPTS: '5' } },
    Z: 2,
  });
  // One that is for it alone stays.
  const own = { AWS_LAMBDA_EXEC_WRAPPER: '/var/task/wrapper' };
  expect(after({}, own, { Variables: own })).toBeUndefined();
});
