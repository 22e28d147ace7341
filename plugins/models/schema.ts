import { z } from 'zod';

/**
 * What a user may say, once: the types, the defaults, the framework's JSON Schema and the README's table all come
 * from here. Rules between keys are in model.ts.
 */

// Variables such as ${env:MEMORY} arrive as strings; the framework's own schemas coerce them too.
const numeric = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
const flag = (value: unknown): unknown => (value === 'true' ? true : value === 'false' ? false : value);
const listed = (value: unknown): unknown =>
  value === undefined || value === null || Array.isArray(value) ? value : [value];

const integer = (least: number, most: number) => z.preprocess(numeric, z.int().min(least).max(most));
const object = z.record(z.string(), z.unknown());

/** `models.<name>.http`. */
const http = z.strictObject({
  auth: z
    .union([z.enum(['iam', 'none']), z.strictObject({ authorizer: z.string().min(1) })])
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
        .preprocess(numeric, z.number().positive().max(10_000))
        .default(100)
        .meta({ description: 'Requests a second, of each of the model’s routes.', type: 'number' }),
      burst: integer(1, 5_000).default(200).meta({ description: 'Requests at once.', type: 'integer' }),
    })
    .prefault({})
    .meta({ description: 'What the gateway lets through; beyond it callers get 429.' }),
});

/** `models.<name>`. */
export const declaration = z.strictObject({
  artifact: z.string().min(1).meta({
    description: 'An `.onnx` file, a folder with `model.onnx` and its external data, or `s3://bucket/key`.',
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
      description: 'Expected requests, for `sls models plan`: `5/s`, `40/h`, `1000/day`.',
      example: '5/s',
      type: 'string',
    }),
});

/** `custom.models`. */
export const serviceOptions = z.strictObject({
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
});

export const declarations = z.record(z.string(), declaration);

export type Declaration = z.output<typeof declaration>;

/** One line of the option table. */
export type Option = {
  /** Such as `http.throttle.rate`. */
  readonly key: string;
  readonly type: string;
  /** As written in YAML; absent when there is none. */
  readonly default?: string;
  readonly required: boolean;
  readonly description: string;
  readonly example?: string;
};

/** Every key below `models.<name>`, in the order of the schema. */
export const options = (): readonly Option[] => optionsOf(declaration, '');

/** Every key below `custom.models`. */
export const optionsOfService = (): readonly Option[] => optionsOf(serviceOptions, '');

/** @returns the options as a Markdown table, for the README. */
export function optionTable(): string {
  const row = (prefix: string) => (option: Option) => {
    const standard =
      option.default ??
      (option.required ? '**required**' : option.example ? `e.g. \`${option.example}\`` : '');
    return `| \`${prefix}${option.key}\` | ${option.type} | ${standard} | ${option.description} |`;
  };
  return [
    '| key | type | default | |',
    '| --- | --- | --- | --- |',
    ...options().map(row('models.<name>.')),
    ...optionsOfService().map(row('custom.models.')),
  ].join('\n');
}

/**
 * The JSON Schema (draft 7) that the framework gets, for `models` or for `custom.models`. It says what there is, what
 * it means, and the way to `function:`, and no more: the framework stops at its own complaints and knows no nearest
 * names, while `parseModels` reports everything at once. (And AJV in strict mode refuses unions of plain types.)
 *
 * @param functionSchema the framework's own one for functions: `function:` is checked and coerced as any function is
 */
export function frameworkSchema(
  of: 'models' | 'custom',
  functionSchema: object = { type: 'object' },
): Record<string, unknown> {
  const strict = z.toJSONSchema(of === 'models' ? declarations : serviceOptions, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  });
  return structureOf(strict as JsonSchema, functionSchema);
}

type JsonSchema = { readonly [key: string]: unknown };

function structureOf(schema: JsonSchema, functionSchema: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (typeof schema.description === 'string') out.description = schema.description;
  if (!leadsToFunction(schema)) return out;
  out.type = 'object';
  if (isSchema(schema.properties)) {
    out.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, value]) => [
        key,
        key === 'function' ? functionSchema : isSchema(value) ? structureOf(value, functionSchema) : {},
      ]),
    );
  }
  if (isSchema(schema.additionalProperties))
    out.additionalProperties = structureOf(schema.additionalProperties, functionSchema);
  return out;
}

/** A type here means one complaint of the framework's instead of all of ours. */
function leadsToFunction({ properties, additionalProperties }: JsonSchema): boolean {
  if (isSchema(properties) && 'function' in properties) return true;
  return isSchema(additionalProperties) && leadsToFunction(additionalProperties);
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function optionsOf(schema: z.ZodObject, prefix: string): readonly Option[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const { inner, standard, optional } = unwrap(field);
    const meta = z.globalRegistry.get(field) ?? {};
    const key = `${prefix}${name}`;
    const own: Option = {
      key,
      type: typeof meta.type === 'string' ? meta.type : typeName(inner),
      required: standard === undefined && !optional,
      description: meta.description ?? '',
      ...(typeof meta.example === 'string' && { example: meta.example }),
      ...(standard !== undefined && !(inner instanceof z.ZodObject) && { default: `\`${yaml(standard)}\`` }),
    };
    return inner instanceof z.ZodObject ? [own, ...optionsOf(inner, `${key}.`)] : [own];
  });
}

function unwrap(field: unknown): { inner: unknown; standard?: unknown; optional: boolean } {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault) {
    return { inner: unwrap(field.unwrap()).inner, standard: field.def.defaultValue, optional: false };
  }
  if (field instanceof z.ZodOptional) return { inner: unwrap(field.unwrap()).inner, optional: true };
  return { inner: field, optional: false };
}

function typeName(field: unknown): string {
  if (field instanceof z.ZodEnum) return field.options.map((option) => `\`${option}\``).join(' \\| ');
  if (field instanceof z.ZodObject || field instanceof z.ZodRecord) return 'object';
  return 'string';
}

const yaml = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
