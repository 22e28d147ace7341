import { afterEach, expect, it, vi } from 'vitest';

const NAMES = ['MODELS_OF_ONE_FILE', 'PATH', 'HOME'] as const;
const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));
afterEach(() => {
  for (const name of NAMES) if (before[name] === undefined) delete process.env[name];
  Object.assign(process.env, Object.fromEntries(Object.entries(before).filter(([, value]) => value)));
});

it('gives each file the environment that the process began with', async () => {
  await import('../../anew.ts');
  process.env.MODELS_OF_ONE_FILE = 'x';
  process.env.PATH = '/nowhere';
  delete process.env.HOME;
  vi.resetModules();
  await import('../../anew.ts');
  expect(NAMES.map((name) => process.env[name])).toEqual(NAMES.map((name) => before[name]));
});
