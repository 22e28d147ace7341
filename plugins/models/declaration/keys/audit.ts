import { z } from 'zod';
import { isIntrinsic } from './intrinsic.ts';
import { key } from './key.ts';
import { flag, integer, map, object } from './kinds.ts';

/** `models.<name>.audit`. */
export const auditKey = key(
  map({
    predictions: key(flag, {
      default: false,
      description: 'The outputs that were answered are in the line, too.',
    }),
    // Which of them CloudWatch takes: endpoint-rules.ts.
    retention: key(integer(1, Number.MAX_SAFE_INTEGER), {
      unit: 'days',
      description: 'Days that the endpoint’s log is kept, beyond `sls remove`, too; `2192` are six years.',
      fix: 'Write a number of days, for example 2192 for six years.',
    }),
    kmsKey: key(
      z.union([
        z.string().regex(/^arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/),
        object.refine(isIntrinsic),
      ]),
      {
        type: 'string \\| object',
        description:
          'ARN of the KMS key that the endpoint’s log is encrypted with, or a CloudFormation function.',
        fix: 'Write the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>, or a CloudFormation function that gives one.',
      },
    ),
  }),
  {
    description: 'A log line a decision: who asked, which version answered, how it ended; never the inputs.',
    fix: 'Write {}, or {predictions: true} with the outputs.',
  },
);
