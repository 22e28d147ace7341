import type { z } from 'zod';
import type { Problem } from './errors.ts';
import { at, isObject, problemsOf } from './issues.ts';
import type { Artifact, Model, ServiceOptions } from './model.ts';
import { normalized } from './naming.ts';
import { type Declaration, declaration, serviceOptions } from './schema.ts';

/** What the service says beside `models:`, as far as a model's defaults and rules depend on it. */
export type Surroundings = {
  /** `custom.models`, as written. */
  readonly options?: unknown;
  /** `provider.architecture`. */
  readonly architecture?: unknown;
  /** Keys of the service's own functions. */
  readonly functions?: readonly string[];
  /** Is the HTTP API one of another stack (`provider.httpApi.id`)? */
  readonly externalApi?: boolean;
};

/** Whatever is valid, and everything that is not: a caller that goes on must find `problems` empty. */
export type Parsed = {
  readonly models: readonly Model[];
  /** The models, and what can be made of the faulty ones: to be checked further, and never used. */
  readonly drafts: readonly Model[];
  readonly options: ServiceOptions;
  readonly problems: readonly Problem[];
};

/**
 * Reads `models:` and `custom.models` as they stand in serverless.yml, variables resolved.
 *
 * @param raw the value of `models:`; absent or null: no models
 */
export function parseModels(raw: unknown, around: Surroundings = {}): Parsed {
  const problems: Problem[] = [];
  const models: Model[] = [];
  const drafts: Model[] = [];
  const options = serviceOptions.safeParse(withoutNulls(around.options ?? {}));
  if (!options.success)
    problems.push(
      ...options.error.issues.flatMap((issue) => problemsOf(issue, 'custom.models', around.options)),
    );
  if (raw !== undefined && raw !== null && !isObject(raw)) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: 'models',
      value: raw,
      message: 'is not a map of names to models.',
      fix: 'Write `models: {<name>: {artifact: <file>}}`.',
    });
  }
  const entries = isObject(raw) ? Object.entries(raw) : [];
  problems.push(
    ...nameProblems(
      entries.map(([name]) => name),
      around.functions ?? [],
    ),
  );
  for (const [name, value] of entries) {
    const key = `models.${name}`;
    const given = withoutNulls(value ?? {});
    const parsed = declaration.safeParse(given);
    const issues = parsed.success ? [] : parsed.error.issues;
    const broken = issues.flatMap((issue) => problemsOf(issue, key, value));
    const rest = parsed.success ? parsed.data : salvaged(given, issues);
    if (rest !== undefined) {
      broken.push(...ruleProblems(key, rest), ...externalProblems(key, value, around));
      drafts.push(freeze(modelOf(name, rest, around)));
    }
    problems.push(...broken);
    if (rest !== undefined && broken.length === 0) models.push(freeze(modelOf(name, rest, around)));
  }
  return {
    models,
    drafts,
    options: freeze(options.success ? dropUndefined(options.data) : {}),
    problems,
  };
}

/** The declaration without what is wrong with it, so that rules between the other keys are checked in the same run. */
function salvaged(given: unknown, issues: readonly z.core.$ZodIssue[]): Declaration | undefined {
  const rest = structuredClone(given);
  for (const issue of issues) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path.at(-1))];
    const holder = at(rest, issue.code === 'unrecognized_keys' ? issue.path : issue.path.slice(0, -1));
    if (isObject(holder)) for (const name of names) delete (holder as Record<string, unknown>)[name];
  }
  const parsed = declaration.safeParse(isObject(rest) ? { artifact: 'missing.onnx', ...rest } : undefined);
  return parsed.success ? parsed.data : undefined;
}

function modelOf(name: string, given: Declaration, around: Surroundings): Model {
  // A copy: the framework writes into its own configuration, and a model is frozen.
  const { http, traffic, architecture, ...rest } = structuredClone(given);
  return {
    ...rest,
    name,
    artifact: artifactOf(given.artifact),
    architecture: architecture ?? (around.architecture === 'arm64' ? 'arm64' : 'x86_64'),
    ...(http && { http: { ...http, path: http.path.replace(/(?<=.)\/$/, '') } }),
    ...(traffic !== undefined && { traffic: perSecond(traffic) }),
  };
}

/** `s3://bucket/key` or a path. */
function artifactOf(text: string): Artifact {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(text) ?? [];
  return bucket === undefined || key === undefined
    ? { kind: 'path', path: text }
    : { kind: 's3', bucket, key };
}

/** A month is 30 days, as on AWS's price pages. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, day: 86_400, month: 30 * 86_400 };

/** `5/s`, `40/h` → requests per second. */
function perSecond(text: string): number {
  const [count = '', unit = ''] = text.split('/').map((part) => part.trim());
  return Number(count) / (SECONDS[unit] ?? 1);
}

const NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,39}$/;

function nameProblems(names: readonly string[], functions: readonly string[]): readonly Problem[] {
  // Logical ids of routes lose case and dashes, so names that differ by these alone would overwrite each other.
  const folded = (name: string) => normalized(name).toLowerCase();
  const taken = new Map<string, string>(functions.map((name) => [folded(name), `the function ${name}`]));
  return names.flatMap((name): Problem[] => {
    const key = `models.${name}`;
    if (!NAME.test(name) || name.startsWith('models-')) {
      return [
        {
          code: 'MODELS_INVALID_NAME',
          key,
          message: name.startsWith('models-')
            ? 'starts with `models-`, which the plugin keeps for its own functions.'
            : 'is not a name of at most 40 letters, digits and dashes that starts with a letter.',
          fix: 'Rename the model.',
        },
      ];
    }
    const other = taken.get(folded(name));
    taken.set(folded(name), `the model ${name}`);
    if (other === undefined) return [];
    return [
      {
        code: 'MODELS_NAME_TAKEN',
        key,
        message: `cannot be told from ${other} in the ids of CloudFormation.`,
        fix: 'Rename one of them.',
      },
    ];
  });
}

/** Properties of a framework function that are ours: where to say it instead. */
const OURS: Readonly<Record<string, string>> = {
  memorySize: 'Write `memory` beside `function`.',
  memory: 'Write `memory` beside `function`.',
  timeout: 'Write `timeout` beside `function`.',
  architecture: 'Write `architecture` beside `function`.',
  handler: 'Leave it out: the plugin brings the handler.',
  image: 'Leave it out: a model runs from a zip with the ONNX Runtime layer.',
  runtime: 'Leave it out: the handler runs on the Node.js that the plugin chooses.',
  package: 'Leave it out: the plugin makes the package.',
  versionFunction: 'Leave it out: every model is versioned.',
  provisionedConcurrency: 'Leave it out: the framework would put it on an alias of its own.',
  snapStart: 'Leave it out: Lambda has no SnapStart for Node.js.',
  durableConfig: 'Leave it out: a model has no durable executions.',
  condition:
    'Leave it out: a model that exists in some stacks only belongs into `models:` through a variable.',
  targetAlias: 'Leave it out: every event points at the alias `live`.',
};

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAYERS = 5;

/** Rules that need more than one key. */
function ruleProblems(key: string, given: Declaration): readonly Problem[] {
  const problems: Problem[] = [];
  if (given.http && given.timeout > 29) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.timeout`,
      value: given.timeout,
      message: `is ${given.timeout} s, but the HTTP API hangs up after 30 s.`,
      fix: 'Write 29 or less, or leave out `http`.',
    });
  }
  if (/^s3:/.test(given.artifact) && artifactOf(given.artifact).kind === 'path') {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.artifact`,
      value: given.artifact,
      message: 'names no object.',
      fix: 'Write `s3://bucket/key`.',
    });
  }
  for (const name of Object.keys(given.function)) {
    const fix = OURS[name];
    if (fix !== undefined)
      problems.push({
        code: 'MODELS_INVALID_VALUE',
        key: `${key}.function.${name}`,
        message: 'is set by the plugin.',
        fix,
      });
  }
  const { layers } = given.function;
  if (Array.isArray(layers) && layers.length > LAYERS - 1) {
    problems.push({
      code: 'MODELS_LIMIT',
      key: `${key}.function.layers`,
      message: `has ${layers.length} layers beside the one of ONNX Runtime; Lambda takes ${LAYERS}.`,
      fix: `Leave ${layers.length - LAYERS + 1} out.`,
    });
  }
  const { events } = given.function;
  if (events !== undefined && !Array.isArray(events)) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.function.events`,
      message: 'is not a list.',
      fix: 'Write a list of events, as for any function.',
    });
  } else if (events?.some((event: unknown) => isObject(event) && 'cloudFront' in event)) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.function.events`,
      message: 'has a cloudFront event, but Lambda@Edge takes no layers.',
      fix: 'Put the model behind `http`, and CloudFront before that.',
    });
  }
  return problems;
}

/** Asked of what was written: the default limits are simply not applied there. */
function externalProblems(key: string, raw: unknown, { externalApi }: Surroundings): readonly Problem[] {
  if (externalApi !== true || at(raw, ['http', 'throttle']) === undefined) return [];
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.http.throttle`,
      message: 'cannot be set: the stage of the HTTP API belongs to another stack (provider.httpApi.id).',
      fix: 'Leave it out here, and set RouteSettings where that API is.',
    },
  ];
}

/** The framework treats null as absent, and so do we. */
function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([key, entry]) => [key, key === 'function' || key === 'iam' ? entry : withoutNulls(entry)]),
  );
}

function dropUndefined(options: z.output<typeof serviceOptions>): ServiceOptions {
  return options.registry === undefined ? {} : { registry: options.registry };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const entry of Object.values(value)) freeze(entry);
  }
  return value;
}
