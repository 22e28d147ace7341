import type { z } from 'zod';
import type { Entry } from '../../../core/batch/contract.ts';
import { isObject } from '../../../core/json/is-object.ts';
import { formatOfFile } from '../../../core/tabular/formats.ts';
import { artifactOf } from './artifact-words.ts';
import { batchProblems, cycleProblems } from './batch-rules.ts';
import { externalProblems, ruleProblems } from './endpoint-rules.ts';
import type { Problem } from './errors.ts';
import { at, problemsOf } from './issues.ts';
import type { Batch, Concurrency, Model, ReleaseRules, ServiceOptions } from './model.ts';
import { batchKey, normalized } from './naming.ts';
import { releaseProblems } from './release-rules.ts';
import { type Declaration, declaration, serviceOptions } from './schema.ts';
import { stepsOf } from './steps.ts';
import { daysOf, minuteOf, objectsOf, percentOf, perSecond, seconds } from './units.ts';

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
  /** All that stand under `models:`, however faulty. */
  readonly names: readonly string[];
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
  problems.push(...nameProblems(entries, around.functions ?? []));
  for (const [name, value] of entries) {
    const key = `models.${name}`;
    const given = withoutNulls(value ?? {});
    const parsed = declaration.safeParse(given);
    const issues = parsed.success ? [] : parsed.error.issues;
    const broken = issues.flatMap((issue) => problemsOf(issue, key, value));
    const rest = parsed.success ? parsed.data : salvaged(given, issues);
    const draft = rest && freeze(modelOf(name, rest, around));
    if (rest !== undefined && draft !== undefined) {
      broken.push(
        ...ruleProblems(key, rest),
        ...releaseProblems(
          key,
          draft,
          rest,
          broken.map(({ key: wrong }) => wrong),
        ),
        ...batchProblems(key, draft, rest),
        ...externalProblems(key, value, around.externalApi === true),
      );
      drafts.push(draft);
    }
    problems.push(...broken);
    if (draft !== undefined && broken.length === 0) models.push(draft);
  }
  problems.push(...cycleProblems(drafts));
  return {
    names: entries.map(([name]) => name),
    models,
    drafts,
    options: freeze(options.success ? dropUndefined(options.data) : {}),
    problems,
  };
}

/**
 * The declaration without what is wrong with it, so that rules between the other keys are checked in the same
 * run. Of a faulty item the whole list goes, and where a key is missing, what should hold it.
 */
function salvaged(given: unknown, issues: readonly z.core.$ZodIssue[]): Declaration | undefined {
  if (!isObject(given)) return undefined;
  const rest = structuredClone(given);
  let left = issues;
  for (let pass = 0; pass < DEPTH && left.length > 0; pass += 1) {
    for (const { path, ...issue } of left) {
      const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((name) => [...path, name]) : [path];
      for (const wrong of paths) drop(rest, wrong);
    }
    const parsed = declaration.safeParse({ artifact: 'missing.onnx', ...rest });
    if (parsed.success) return parsed.data;
    left = parsed.error.issues;
  }
  return undefined;
}

/** Maps inside one another in a declaration, at most. */
const DEPTH = 4;

function drop(from: unknown, path: readonly PropertyKey[]): void {
  const item = path.findIndex((part) => typeof part === 'number');
  const shown = item === -1 ? path : path.slice(0, item);
  const there = at(from, shown) === undefined ? shown.slice(0, -1) : shown;
  const holder = at(from, there.slice(0, -1));
  const name = there.at(-1);
  if (isObject(holder) && name !== undefined) delete (holder as Record<PropertyKey, unknown>)[name];
}

function modelOf(name: string, given: Declaration, around: Surroundings): Model {
  // A copy: the framework writes into its own configuration, and a model is frozen.
  const {
    http,
    traffic,
    architecture,
    columns,
    missing,
    finite,
    concurrency,
    gate,
    release,
    latency,
    drift,
    batch,
    audit,
    ...rest
  } = structuredClone(given);
  const instances = concurrency && concurrencyOf(concurrency);
  return {
    ...rest,
    name,
    artifact: artifactOf(given.artifact),
    architecture: architecture ?? (around.architecture === 'arm64' ? 'arm64' : 'x86_64'),
    ...(columns && { columns }),
    ...(missing === 'nan' && { missing }),
    ...(finite && { finite }),
    ...(http && { http: { ...http, path: http.path.replace(/(?<=.)\/$/, '') } }),
    ...(traffic !== undefined && { traffic: perSecond(traffic) }),
    ...(instances && { concurrency: instances }),
    ...(latency && { latency }),
    ...(gate && {
      gate: {
        tolerance: gate.tolerance,
        ...(gate.cases !== undefined && { cases: gate.cases }),
        ...(gate.reference !== undefined && { reference: gate.reference.replace(/^sagemaker:/, '') }),
        ...(gate.load && { load: { rate: gate.load.rate, duration: seconds(gate.load.duration) } }),
      },
    }),
    release: rulesOf(release),
    ...(drift && {
      drift: {
        baseline: drift.baseline,
        window: seconds(drift.window),
        budget: drift.budget,
        effect: drift.effect,
        sample: percentOf(drift.sample) / 100,
        outputs: drift.outputs,
      },
    }),
    ...(batch && { batch: batchOf(batch, concurrency?.batch ?? AT_ONCE, missing) }),
    ...(audit && {
      audit: {
        predictions: audit.predictions,
        ...(audit.retention !== undefined && { retention: audit.retention }),
        ...(audit.kmsKey !== undefined && { kmsKey: audit.kmsKey }),
      },
    }),
  };
}

/** Objects at once, where nothing is said: what Lambda begins to read a queue with. */
const AT_ONCE = 5;

function batchOf(
  given: NonNullable<Declaration['batch']>,
  concurrency: number,
  missing: Declaration['missing'],
): Batch {
  const entries = given.map((entry) => entryOf({ ...entry, missing: entry.missing ?? missing }));
  const made = given.flatMap(({ create }, index) => {
    const { input, output } = entries[index] as Entry;
    return [
      ...(create === true || create === 'input' ? [input.bucket] : []),
      ...(create === true || create === 'output' ? [output.bucket] : []),
    ];
  });
  return { entries, create: [...new Set(made)], concurrency };
}

function entryOf(given: NonNullable<Declaration['batch']>[number]): Entry {
  const input = objectsOf(given.input);
  const { bucket, prefix } = objectsOf(given.output);
  const format = given.format ?? formatOfFile((input.suffix || input.prefix).replace(/\.gz$/, '')) ?? 'csv';
  return {
    input,
    output: { bucket, prefix: prefix.replace(/(?<=[^/])$/, '/') },
    format,
    outputFormat: given.outputFormat ?? format,
    tolerate: percentOf(given.tolerate) / 100,
    ids: given.ids ?? [],
    join: given.join === 'input',
    emit: given.emit ?? [],
    ...(given.missing === 'nan' && { missing: given.missing }),
    ...(given.drift === false && { drift: given.drift }),
  };
}

/** Of the endpoint; undefined where only batch is spoken of. */
function concurrencyOf(given: NonNullable<Declaration['concurrency']>): Concurrency | undefined {
  const { provisioned, reserved, batch, schedule = [] } = given;
  if (batch !== undefined && provisioned === undefined && reserved === undefined && schedule.length === 0)
    return undefined;
  return {
    ...(provisioned !== undefined && {
      provisioned:
        typeof provisioned === 'number'
          ? { min: provisioned, max: provisioned, target: TARGET }
          : provisioned,
    }),
    ...(reserved !== undefined && { reserved }),
    schedule: schedule.map(({ days, from, to, ...window }) => ({
      ...window,
      days: daysOf(days),
      from: minuteOf(from),
      to: minuteOf(to),
    })),
  };
}

/** Of a plain number, which does not scale by itself: it matters where a schedule makes it a range. */
const TARGET = 0.7;

function rulesOf({
  steps,
  increase,
  maxWait,
  rollbackWindow,
  ...rest
}: Declaration['release']): ReleaseRules {
  const given = steps?.map(({ weight, bake }) => ({ weight: percentOf(weight), bake: seconds(bake) }));
  return {
    ...rest,
    steps: stepsOf(rest.strategy, given),
    increase: percentOf(increase) / 100,
    maxWait: seconds(maxWait),
    rollbackWindow: seconds(rollbackWindow),
  };
}

const NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,39}$/;

/** @param entries names and what is declared under them */
function nameProblems(
  entries: readonly (readonly [string, unknown])[],
  functions: readonly string[],
): readonly Problem[] {
  // Logical ids of routes lose case and dashes, so names that differ by these alone would overwrite each
  // other.
  const folded = (name: string) => normalized(name).toLowerCase();
  const taken = new Map<string, string>(functions.map((name) => [folded(name), `the function ${name}`]));
  const batches = entries.filter(([, value]) => at(value, ['batch']) !== undefined).map(([name]) => name);
  const isFunction = (name: string): boolean => taken.has(folded(batchKey(name)));
  const problems = batches.filter(isFunction).map(
    (name): Problem => ({
      code: 'MODELS_NAME_TAKEN',
      key: `models.${name}.batch`,
      message: `makes a function ${batchKey(name)}, and the service has one of that name.`,
      fix: 'Rename one of them.',
    }),
  );
  for (const name of batches) taken.set(folded(batchKey(name)), `the batch function of ${name}`);
  return problems.concat(
    modelNameProblems(
      entries.map(([name]) => name),
      folded,
      taken,
    ),
  );
}

function modelNameProblems(
  names: readonly string[],
  folded: (name: string) => string,
  taken: Map<string, string>,
): readonly Problem[] {
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
  const { registry, alerts, dashboard } = options;
  return {
    ...(registry !== undefined && { registry }),
    ...(alerts !== undefined && {
      alerts: { kind: alerts.startsWith('arn:') ? 'topic' : 'email', to: alerts },
    }),
    ...(dashboard && { dashboard }),
  };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const entry of Object.values(value)) freeze(entry);
  }
  return value;
}
