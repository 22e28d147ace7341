import { z } from 'zod';
import { key } from './key.ts';
import { integer, map, positive, text } from './kinds.ts';

/** `models.<name>.http`. */
export const httpKey = key(
  map({
    auth: key(
      z.union([
        z.enum(['iam', 'none']),
        z.strictObject({ authorizer: key(text, { required: true, description: 'Its name there.' }) }),
      ]),
      {
        type: '`iam` \\| `none` \\| `{authorizer: name}`',
        default: 'iam',
        description:
          'Who may call: signed requests (`iam`), everybody (`none`), or an authorizer of `provider.httpApi.authorizers`.',
        fix: 'Write iam, none or {authorizer: <name>}.',
      },
    ),
    /** Starts with `/` and has no `/` at its end, except the bare `/`. */
    path: key(
      z
        .string()
        .regex(/^\/$|^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+\/?$/)
        .transform((path) => path.replace(/(?<=.)\/$/, '')),
      {
        default: '/',
        description:
          'Prefix of the model’s routes; models with the same prefix look like one inference server.',
        // Clients take `.` and `..` out of an address before they ask.
        fix: 'Write a prefix, for example /v1/models: letters, digits and . _ ~ - between slashes, and neither . nor .. alone.',
      },
    ),
    throttle: key(
      map({
        rate: key(positive(10_000), {
          unit: 'requests a second',
          default: 100,
          description: 'Requests a second, of each of the model’s routes.',
        }),
        burst: key(integer(1, 5_000), {
          unit: 'requests',
          default: 200,
          description: 'Requests at once.',
        }),
      }),
      { default: {}, description: 'What the gateway lets through; beyond it callers get 429.' },
    ),
  }),
  {
    description: 'Routes of the HTTP API; without it the model is invoked only.',
    fix: 'Write {} for signed requests, or {auth: none}, or {auth: {authorizer: <name>}}.',
  },
);
