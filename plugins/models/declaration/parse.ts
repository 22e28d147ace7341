import type { z } from 'zod';
import { isObject } from '../../../core/json/is-object.ts';
import type { Problem } from '../problems/errors.ts';
import { cycleProblems } from './batch-loop-rules.ts';
import { batchProblems } from './batch-rules.ts';
import { cardProblems } from './card-rules.ts';
import { AS_WRITTEN, dateProblems } from './dates.ts';
import { externalProblems, ruleProblems } from './endpoint-rules.ts';
import { frozen } from './frozen.ts';
import { iamProblems } from './iam-rules.ts';
import { problemsOf } from './issues.ts';
import { mlflowProblems } from './mlflow-rules.ts';
import { type Model, modelNamed, type ServiceOptions } from './model.ts';
import { namingProblems } from './name-rules.ts';
import { registryProblems } from './registry-rules.ts';
import { releaseProblems } from './release-rules.ts';
import { salvaged } from './salvage.ts';
import { declaration, serviceOptions } from './schema.ts';

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
  /** Keys that guard or watch a model and have no value. */
  readonly empty: readonly string[];
  readonly problems: readonly Problem[];
};

/** Whoever wrote one of these without a value believes that it holds. */
const GUARDS = ['signed', 'http', 'gate', 'drift', 'batch', 'audit'];

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
  problems.push(...withDates('custom.models', around.options, options.success ? [] : options.error.issues));
  if (options.success) problems.push(...mlflowProblems(options.data), ...registryProblems(options.data));
  if (raw !== undefined && raw !== null && !isObject(raw)) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: 'models',
      value: raw,
      message: 'is not a map of names to models.',
      fix: 'Write `models: {<name>: {artifact: <file>}}`.',
    });
  }
  const architecture = around.architecture === 'arm64' ? 'arm64' : undefined;
  const entries = isObject(raw) ? Object.entries(raw) : [];
  problems.push(...namingProblems(entries, around.functions ?? []));
  for (const [name, value] of entries) {
    const key = `models.${name}`;
    const given = withoutNulls(value ?? {});
    const parsed = declaration.safeParse(given);
    const issues = parsed.success ? [] : parsed.error.issues;
    const broken = [...withDates(key, value, issues)];
    const rest = parsed.success ? parsed.data : salvaged(given, issues);
    // A copy: the framework writes into its own configuration, and a model is frozen.
    const draft = rest && frozen(modelNamed(name, structuredClone(rest), architecture));
    if (rest !== undefined && draft !== undefined) {
      const wrong = broken.map((problem) => `${problem.key}.`);
      const isBroken = (name: string): boolean => wrong.some((one) => one.startsWith(`${key}.${name}.`));
      broken.push(
        ...ruleProblems(key, rest, value, isBroken),
        ...releaseProblems(key, draft, rest, isBroken),
        ...batchProblems(key, draft, rest, isBroken),
        ...cardProblems(key, rest, value),
        ...iamProblems(key, rest),
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
    options: frozen(options.success ? options.data : {}),
    empty: entries.flatMap(([name, value]) =>
      GUARDS.filter((key) => isObject(value) && value[key] === null).map((key) => `models.${name}.${key}`),
    ),
    problems,
  };
}

/** What is wrong with each key by itself. Where a date stands nothing else is missing. */
function withDates(key: string, raw: unknown, issues: readonly z.core.$ZodIssue[]): readonly Problem[] {
  const dates = dateProblems(key, raw);
  const told = new Set(dates.map((date) => date.key));
  const others = issues.flatMap((issue) => problemsOf(issue, key, raw));
  return [...dates, ...others.filter((problem) => !told.has(problem.key))];
}

/** The framework treats null as absent, and so do we; a date has its own problem. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null && !(entry instanceof Date))
      .map(([key, entry]) => [key, AS_WRITTEN.includes(key) ? entry : withoutNulls(entry)]),
  );
}
