import { z } from 'zod';
import { key } from './key.ts';
import { flag, map } from './kinds.ts';

/** `custom.models`. */

/** Beside the alerts topic of the service. */
export const alertsKey = key(
  z
    .union([
      z.string().regex(/^[^\s@:]+@[^\s@:]+\.[^\s@:]+$/),
      z.string().regex(/^arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/),
    ])
    .transform((to) => ({ kind: to.startsWith('arn:') ? ('topic' as const) : ('email' as const), to })),
  {
    description: 'Who is told of alarms and releases: an e-mail address, or the ARN of an SNS topic.',
    example: 'ops@example.com',
    fix: 'Write an e-mail address, or the ARN of a topic (not a FIFO one).',
  },
);

export const registryKey = key(
  map({
    bucket: key(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/), {
      required: true,
      description: 'An existing bucket that keeps files and history beyond `sls remove`.',
      example: 'my-models',
      fix: 'Write the name of an existing S3 bucket.',
    }),
  }),
  { description: 'Where files and version records are; default: the deployment bucket.' },
);

export const dashboardKey = key(
  flag.transform((made) => (made ? made : undefined)),
  {
    default: false,
    description: 'A dashboard of all models in CloudWatch; beyond three an account, AWS bills each.',
  },
);
