import { z } from 'zod';
import { key } from './key.ts';
import { integer, list, map, object } from './kinds.ts';

/** What Lambda runs a model with. */

export const memoryKey = key(integer(128, 10_240), {
  unit: 'MB',
  default: 1769,
  description: 'MB; 1769 is one vCPU.',
  fix: 'Write a whole number of MB from 128 to 10,240.',
});

export const timeoutKey = key(integer(1, 900), {
  unit: 'seconds',
  default: 10,
  description: 'Seconds; at most 29 with `http`.',
  fix: 'Write a whole number of seconds from 1 to 900.',
});

export const architectureKey = key(z.enum(['x86_64', 'arm64']), {
  description: 'Architecture of processor and layer; default: `provider.architecture`, else `x86_64`.',
});

/** `function`, as the user wrote it. */
export const functionKey = key(object, {
  default: {},
  description:
    'Any property of a framework function: `vpc`, `environment`, `kmsKeyArn`, `tags`, `tracing`, `logRetentionInDays`, `events`, `onError`, …',
});

export const iamKey = key(
  map({
    statements: key(list(object), {
      default: [],
      description: 'More statements of the model’s role.',
    }),
    managedPolicies: key(list(z.unknown()), {
      default: [],
      description: 'Managed policies of the model’s role.',
    }),
  }),
  { default: {}, description: 'What the model’s own role may do beside what it needs.' },
);
