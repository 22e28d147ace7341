/**
 * Files share a process: each begins with the environment that the process began with, whatever ran before.
 */
const FIRST = Symbol.for('models.first-environment');
const kept = globalThis as { [FIRST]?: NodeJS.ProcessEnv };

/** Vitest tells a file of its process by variables. */
const isOurs = (name: string): boolean => !name.startsWith('VITEST');

kept[FIRST] ??= { ...process.env };
for (const name of Object.keys(process.env))
  if (isOurs(name) && !(name in kept[FIRST])) delete process.env[name];
for (const [name, value] of Object.entries(kept[FIRST])) if (isOurs(name)) process.env[name] = value;
