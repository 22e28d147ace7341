import { z } from 'zod';
import { isIntrinsic } from './intrinsic.ts';
import { key } from './key.ts';
import { flag, map, object, text } from './kinds.ts';

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

export const REGISTRY_FIX = 'Write the name of an existing S3 bucket.';

export const registryKey = key(
  map({
    bucket: key(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/), {
      required: true,
      description:
        'An existing bucket, in the service’s region, that keeps files and history beyond `sls remove`.',
      example: 'my-models',
      fix: REGISTRY_FIX,
    }),
  }),
  { description: 'Where files and version records are; default: the deployment bucket.' },
);

export const dashboardKey = key(
  flag.transform((made) => (made ? made : undefined)),
  {
    default: false,
    description:
      'A dashboard of all models in CloudWatch; beyond three an account, and beyond 50 metrics, AWS bills it.',
  },
);

/** Who is told what is live. What is wrong with an address: mlflow-rules.ts. */
export const mlflowKey = key(
  map({
    uri: key(text, {
      required: true,
      description: 'Address of a tracking server that the release worker reaches; by `https`.',
      example: 'https://mlflow.example.com',
      fix: 'Write its address, for example https://mlflow.example.com.',
    }),
    // MLflow keeps `latest`, and `v` with a number, for itself.
    alias: key(z.string().regex(/^(?!latest$|v\d+$)[\w-]{1,255}$/i), {
      required: true,
      description: 'The alias that is moved to the version that is live.',
      example: 'production',
      fix: 'Write a name of letters, digits, _ and -, for example production; MLflow keeps latest and v with a number for itself.',
    }),
    secret: key(
      // mlflow-rules.ts tells what is wrong with a text, and does not repeat it.
      z.union([text, object.refine(isIntrinsic)]),
      {
        type: 'string \\| object',
        description:
          'ARN of a secret of Secrets Manager that says who asks, or a CloudFormation function: JSON with `username` and `password`, or with `token`, or a token.',
        fix: 'Write the whole ARN of a secret, arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>, or a CloudFormation function that gives one.',
      },
    ),
  }),
  { description: 'MLflow is told which version is live: [docs/mlflow.md](mlflow.md).' },
);
