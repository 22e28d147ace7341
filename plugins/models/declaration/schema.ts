import { z } from 'zod';
import { ARTIFACT_FORMS } from './artifact-words.ts';
import { batch } from './batch-schema.ts';
import {
  durationField,
  flag,
  inSeconds,
  integer,
  listed,
  names,
  numericField,
  object,
  percentField,
  positive,
} from './schema-fields.ts';
import { anyOf, SUFFIXES } from './tabular-words.ts';

/**
 * What a user may say, once: the types, the defaults, the framework's JSON Schema and the table of options
 * all come from here. Rules between keys are in rules.ts.
 */

/**
 * PutProvisionedConcurrencyConfig takes any count from 1; this is more than any account has: a slip of the
 * finger.
 */
const instances = integer(1, 100_000);

/** `models.<name>.http`. */
const http = z.strictObject({
  auth: z
    .union([
      z.enum(['iam', 'none']),
      z.strictObject({
        authorizer: z.string().min(1).meta({ description: 'Its name there.' }),
      }),
    ])
    .default('iam')
    .meta({
      description:
        'Who may call: signed requests (`iam`), everybody (`none`), or an authorizer of `provider.httpApi.authorizers`.',
      type: '`iam` \\| `none` \\| `{authorizer: name}`',
    }),
  path: z
    .string()
    .regex(/^\/$|^(\/[A-Za-z0-9._~-]+)+\/?$/)
    .default('/')
    .meta({
      description:
        'Prefix of the model’s routes; models with the same prefix look like one inference server.',
    }),
  throttle: z
    .strictObject({
      rate: z
        .preprocess(numericField, z.number().positive().max(10_000))
        .default(100)
        .meta({ description: 'Requests a second, of each of the model’s routes.', type: 'number' }),
      burst: integer(1, 5_000).default(200).meta({ description: 'Requests at once.', type: 'integer' }),
    })
    .prefault({})
    .meta({ description: 'What the gateway lets through; beyond it callers get 429.' }),
});

const day = '(mon|tue|wed|thu|fri|sat|sun)';
const days = new RegExp(`^(daily|${day}(-${day})?(,\\s*${day}(-${day})?)*)$`, 'i');
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);

/** `models.<name>.concurrency`. */
const concurrency = z.strictObject({
  provisioned: z
    .union([
      instances,
      z.strictObject({
        min: instances.meta({ description: 'Instances that are always warm.', type: 'integer' }),
        max: instances.meta({ description: 'Most that use may scale it to.', type: 'integer' }),
        target: z
          .preprocess(numericField, z.number().min(0.1).max(0.9))
          .default(0.7)
          .meta({ description: 'Share of the warm instances in use that scaling aims at.', type: 'number' }),
      }),
    ])
    .optional()
    .meta({
      description: 'Instances that are warm before traffic comes; a number, or a range that follows use.',
      type: 'integer \\| `{min, max}`',
    }),
  reserved: instances.optional().meta({
    description: 'Most instances at once, kept for this model; at least twice what is provisioned.',
    type: 'integer',
  }),
  batch: integer(2, 1000).optional().meta({
    description: 'Most objects that `batch` scores at once, and most parts of each large one. Default: 5.',
    type: 'integer',
  }),
  schedule: z
    .preprocess(
      listed,
      z.array(
        z.strictObject({
          days: z.string().regex(days).meta({ description: '`mon-fri`, `sat`, `mon,wed,fri` or `daily`.' }),
          from: clock.meta({ description: 'When the range below begins to hold, `HH:MM`.' }),
          to: clock.meta({ description: 'When it ends; later on the same day.' }),
          timezone: z.string().min(1).meta({ description: 'IANA name, for example `Europe/Berlin`.' }),
          min: instances.meta({ description: 'As in `provisioned`, meanwhile.', type: 'integer' }),
          max: instances.meta({ description: 'As in `provisioned`, meanwhile.', type: 'integer' }),
        }),
      ),
    )
    .optional()
    .meta({ description: 'Other ranges at certain hours.', type: 'list' }),
});

/** `models.<name>.gate`. */
const gate = z.strictObject({
  cases: z.string().min(1).optional().meta({
    description: 'JSON lines of `{inputs, outputs}` as the protocol writes them, answered as expected.',
    example: 'tests/churn.jsonl',
  }),
  reference: z
    .string()
    .regex(/^sagemaker:[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/)
    .optional()
    .meta({
      description: 'A running endpoint that answers the cases, instead of `outputs`.',
      example: 'sagemaker:churn-prod',
    }),
  tolerance: z.preprocess(numericField, z.number().min(0).max(1)).default(1e-4).meta({
    description: 'Largest difference, of values beyond 1 relative to the value.',
    type: 'number',
  }),
  load: z
    .strictObject({
      // The worker has a third of a vCPU: beyond this it would measure itself.
      rate: positive(100).meta({ description: 'Requests a second.', type: 'number' }),
      duration: durationField.default('30s').meta({ description: inSeconds('How long.'), type: 'duration' }),
    })
    .optional()
    .meta({ description: 'Synthetic requests; their p95 must keep to `latency`.' }),
});

/** `models.<name>.release`. */
const release = z.strictObject({
  strategy: z.enum(['auto', 'canary', 'linear', 'blueGreen', 'allAtOnce']).default('auto').meta({
    description: '`auto`: by `steps` if the traffic can fill them, else all at once.',
  }),
  steps: z
    .preprocess(
      listed,
      z
        .array(
          z.strictObject({
            weight: percentField.meta({ description: 'The candidate’s share of traffic.', type: 'percent' }),
            bake: durationField.meta({ description: inSeconds('How long at least.'), type: 'duration' }),
          }),
        )
        .min(1),
    )
    .optional()
    .meta({
      description: 'Default: 5, 25 and 50 %, `10m` each; of `linear`, which repeats its one step: 10 %.',
      type: 'list',
    }),
  minRequests: integer(1, 1_000_000)
    .default(100)
    .meta({ description: 'Of each version, a step; less is no verdict.', type: 'integer' }),
  increase: percentField.default('1%').meta({
    description: 'Share of all requests that the next step may waste if the candidate is worse.',
    type: 'percent',
  }),
  maxWait: durationField.default('2h').meta({
    description: inSeconds('A step may wait so long for a verdict, beyond its bake.'),
    type: 'duration',
  }),
  onNoData: z.enum(['hold', 'pass', 'rollback']).default('hold').meta({ description: 'And then?' }),
  rollbackWindow: durationField.default('24h').meta({
    description: inSeconds('After promotion, an alarm may bring the last good version back; `0` never does.'),
    type: 'duration',
  }),
  dryRun: z
    .preprocess(flag, z.boolean())
    .default(false)
    .meta({ description: 'Judge and log, do not act.', type: 'boolean' }),
});

/** `models.<name>.drift`. */
const drift = z.strictObject({
  baseline: z
    .string()
    .regex(new RegExp(`^(?!s3:).+(${SUFFIXES.map((suffix) => suffix.replace('.', '\\.')).join('|')})$`, 'i'))
    .meta({
      description: `Reference data that the model was not trained on, a row a case: ${anyOf(SUFFIXES.map((suffix) => `\`${suffix}\``))}. Quantiles of it are shipped, never a row.`,
      example: 'data/churn-reference.csv',
    }),
  // What CloudWatch takes for a window by the clock, two of which fit into an alarm:
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-cloudwatch-alarm-wallclockwindow.html
  window: z.enum(['5m', '1h', '1d']).default('1h').meta({
    description: 'Traffic that is compared at a time; two in a row make an alarm.',
  }),
  budget: positive(1000).default(1).meta({
    description: 'False alarms a month that you put up with; how sensitive the alarms are follows from it.',
    type: 'number',
  }),
  effect: z.preprocess(numericField, z.number().min(0).max(3)).default(0.1).meta({
    description: 'In σ of the reference: a smaller shift is not worth an alarm.',
    type: 'number',
  }),
  sample: percentField.default('100%').meta({
    description: 'Share of the requests that are scored, chosen by chance; less where traffic is very high.',
    type: 'percent',
  }),
  outputs: z
    .strictObject({
      expectedShift: z.preprocess(numericField, z.number().min(0).max(3)).default(0.2).meta({
        description: 'In σ: a new version may answer this much otherwise than the one before.',
        type: 'number',
      }),
    })
    .prefault({})
    .meta({ description: 'What a release allows.' }),
});

/** `models.<name>.audit`. */
const audit = z.strictObject({
  predictions: z
    .preprocess(flag, z.boolean())
    .default(false)
    .meta({ description: 'The outputs that were answered are in the line, too.', type: 'boolean' }),
  // Which of them CloudWatch takes: rules.ts.
  retention: integer(1, Number.MAX_SAFE_INTEGER).optional().meta({
    description: 'Days that the endpoint’s log is kept, beyond `sls remove`, too; `2192` are six years.',
    type: 'integer',
  }),
  kmsKey: z
    .union([
      z.string().regex(/^arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/),
      object.refine((value) => /^(Ref|Fn::\w+)$/.test(Object.keys(value).join())),
    ])
    .optional()
    .meta({
      description:
        'ARN of the KMS key that the endpoint’s log is encrypted with, or a CloudFormation function.',
      type: 'string \\| object',
    }),
});

/** `models.<name>`. */
export const declaration = z.strictObject({
  artifact: z.string().min(1).meta({
    description: ARTIFACT_FORMS,
    example: 'models/churn.onnx',
  }),
  memory: integer(128, 10_240).default(1769).meta({ description: 'MB; 1769 is one vCPU.', type: 'integer' }),
  timeout: integer(1, 900)
    .default(10)
    .meta({ description: 'Seconds; at most 29 with `http`.', type: 'integer' }),
  architecture: z
    .enum(['x86_64', 'arm64'])
    .optional()
    .meta({ description: 'Of processor and layer; default: `provider.architecture`, else `x86_64`.' }),
  optimize: z.preprocess(flag, z.boolean()).default(true).meta({
    description: 'Optimise the graph when packaging; shipped only if its outputs are the same.',
    type: 'boolean',
  }),
  columns: names.optional().meta({
    description:
      'Names of the columns of a model with one input, in its order, by which csv, jsonl and parquet are matched; default: the model’s metadata property `columns`, else the header of `drift.baseline`.',
    type: 'list',
    example: '[age, income]',
  }),
  missing: z.enum(['refuse', 'nan']).optional().meta({
    description:
      '`nan`: empty cells, null and NaN of float inputs are NaN for the model, in csv, `/invocations` and batch. Default: `refuse`.',
  }),
  finite: z.preprocess(flag, z.boolean()).optional().meta({
    description: 'NaN and infinities are refused in binary, too. Default: `false`.',
    type: 'boolean',
  }),
  http: http
    .optional()
    .meta({ description: 'Routes of the HTTP API; without it the model is invoked only.' }),
  function: object.default({}).meta({
    description:
      'Any property of a framework function: `vpc`, `environment`, `kmsKeyArn`, `tags`, `tracing`, `logRetentionInDays`, `events`, `onError`, …',
  }),
  iam: z
    .strictObject({
      statements: z
        .preprocess(listed, z.array(object))
        .default([])
        .meta({ description: 'More statements of the model’s role.', type: 'list' }),
      managedPolicies: z
        .preprocess(listed, z.array(z.unknown()))
        .default([])
        .meta({ description: 'Managed policies of the model’s role.', type: 'list' }),
    })
    .prefault({})
    .meta({ description: 'What the model’s own role may do beside what it needs.' }),
  traffic: z
    .string()
    .regex(/^\d+(\.\d+)?\s*\/\s*(s|min|h|day|month)$/)
    .optional()
    .meta({
      description:
        'Expected requests: what they cost, and what a release can see in them; `5/s`, `40/h`, `1000/day`.',
      example: '5/s',
      type: 'string',
    }),
  concurrency: concurrency
    .optional()
    .meta({ description: 'Instances that are kept warm, or kept for this model.' }),
  latency: z
    .strictObject({
      p95: positive(900_000).meta({
        description: 'Milliseconds that 95 % of the warm requests keep to: gate, judge and alarm read it.',
        type: 'number',
      }),
    })
    .optional()
    .meta({ description: 'Service level objective.' }),
  gate: gate.optional().meta({ description: 'What a version must pass before any traffic.' }),
  release: release.prefault({}).meta({ description: 'How a new version gets its traffic.' }),
  drift: drift
    .optional()
    .meta({ description: 'Reference data that the live traffic is held against, and who is told.' }),
  batch: z
    .preprocess(listed, z.array(batch).min(1))
    .optional()
    .meta({ description: 'Objects in S3 that are scored when they appear there.', type: 'list' }),
  audit: audit.optional().meta({
    description: 'A log line a decision: who asked, which version answered, how it ended; never the inputs.',
  }),
});

/** `custom.models`. */
export const serviceOptions = z.strictObject({
  alerts: z
    .union([
      z.string().regex(/^[^\s@:]+@[^\s@:]+\.[^\s@:]+$/),
      z.string().regex(/^arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/),
    ])
    .optional()
    .meta({
      description: 'Who is told of alarms and releases: an e-mail address, or the ARN of an SNS topic.',
      example: 'ops@example.com',
      type: 'string',
    }),
  registry: z
    .strictObject({
      bucket: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
        .meta({
          description: 'An existing bucket that keeps files and history beyond `sls remove`.',
          example: 'my-models',
        }),
    })
    .optional()
    .meta({ description: 'Where files and version records are; default: the deployment bucket.' }),
  dashboard: z.preprocess(flag, z.boolean()).default(false).meta({
    description: 'A dashboard of all models in CloudWatch; beyond three an account, AWS bills each.',
    type: 'boolean',
  }),
});

export const declarations = z.record(z.string(), declaration);

export type Declaration = z.output<typeof declaration>;

/** The field inside of defaults, options and coercions. */
export function innermost(field: unknown): unknown {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional)
    return innermost(field.unwrap());
  return field instanceof z.ZodPipe ? innermost(field.out) : field;
}

/** The map that a field is, may be, or is a list of; undefined for a plain value. */
export function mapIn(field: unknown): z.ZodObject | undefined {
  const inner = innermost(field);
  if (inner instanceof z.ZodObject) return inner;
  if (inner instanceof z.ZodArray) return mapIn(inner.element);
  return inner instanceof z.ZodUnion ? inner.options.map(mapIn).find((map) => map !== undefined) : undefined;
}
