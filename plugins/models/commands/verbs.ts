import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../context/context.ts';
import { PROMOTE_FROM, PROMOTE_FROM_OPTION } from '../stages/option.ts';

/** What the framework is told of the commands. */

const VERBS = [
  ...[
    'list',
    'card',
    'image',
    'validate',
    'plan',
    'invoke',
    'gate',
    'serve',
    'proxy',
    'bench',
    'tune',
    'advise',
    'export',
  ],
  ...['status', 'history', 'promote', 'rollback', 'hold', 'resume', 'drift', 'report', 'batch'],
] as const;

/** Options of `sls deploy`. The frameworks read `--no-<name>` as the negation of a boolean option. */
export const DEPLOY_OPTIONS = {
  wait: { usage: 'Follow the releases until they are promoted or rolled back', type: 'boolean' },
  supersede: {
    usage:
      'Take the place of a release that runs (default); --no-supersede refuses before anything is uploaded',
    type: 'boolean',
  },
  [PROMOTE_FROM]: PROMOTE_FROM_OPTION,
} as const;

/** Options of `sls package`. */
export const PACKAGE_OPTIONS = { [PROMOTE_FROM]: PROMOTE_FROM_OPTION } as const;

/**
 * `sls models <verb>`: loaded only when one of them is meant, or help. The framework wants its commands at
 * once, so by `require`.
 */
export function verbs({
  commands,
  options,
}: {
  readonly commands: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}): ReadonlyMap<string, Command> {
  if (commands.length > 0 && commands[0] !== 'models' && options.help !== true) return new Map();
  const require = createRequire(import.meta.url);
  const own = extname(fileURLToPath(import.meta.url));
  return new Map(VERBS.map((verb) => [verb, require(`./${verb}${own}`).command]));
}
