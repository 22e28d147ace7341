import type { AwsConfig } from '../../../core/ports/config.ts';
import type { PlanInput } from '../contracts/input.ts';
import { seconds } from '../declaration/keys/units.ts';
import type { Facts, Model, ServiceOptions } from '../declaration/model.ts';
import {
  formatProblem,
  isProblemError,
  type Problem,
  problemError,
  throwProblems,
} from '../problems/errors.ts';

/** What a command says that has nothing to tell, so that nobody takes its silence for a fault. */
export const NO_MODELS = 'There are no models.';

/** Where the service stands: what commands, plan and ship need to know of it, resolved. */
export type Service = {
  readonly name: string;
  readonly stage: string;
  readonly region: string;
  /** Absolute folder of the serverless.yml. */
  readonly dir: string;
  /** CloudFormation stack. */
  readonly stack: string;
};

/**
 * What a command is given. It gathers, decides with pure functions, prints; it never touches the template.
 */
export type Context = {
  readonly models: readonly Model[];
  /** Names of all that are declared, also of those with a problem. */
  readonly declared: readonly string[];
  readonly options: ServiceOptions;
  readonly service: Service;
  readonly aws: AwsConfig;
  /** Name of the bucket that the registry is in. @throws Error where the service is not deployed */
  readonly bucket: () => Promise<string>;
  /** Command-line options by name, `json` included. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** The command's result, to stdout. */
  readonly print: (text: string) => void;
  /** Anything else for a person, to stderr. */
  readonly notice: (text: string) => void;
  /** What is wrong and stops nobody, to stderr. */
  readonly warning: (text: string) => void;
  /** A running line for work over two seconds; call with undefined when done. */
  readonly progress: (text: string | undefined) => void;
  /** What the plan follows from; nothing is built yet. */
  readonly plan: PlanInput;
  /** What is wrong with the declarations: empty except in a command that goes on all the same. */
  readonly problems: readonly Problem[];
  /** Inspects (cached) the artifacts of these models; throws a ProblemError. */
  readonly facts: (models: readonly Model[]) => Promise<ReadonlyMap<string, Facts>>;
};

/** One verb of `sls models`. */
export type Command = {
  readonly usage: string;
  readonly options: Readonly<
    Record<
      string,
      {
        readonly usage: string;
        readonly type: 'string' | 'boolean';
        readonly shortcut?: string;
        readonly required?: boolean;
      }
    >
  >;
  /**
   * Without it, wrong declarations stop the command. `listed`: it runs and says itself what is wrong.
   * `warned`: it acts on what is deployed, and an incident does not wait for the YAML; each problem is a
   * warning.
   */
  readonly onProblems?: 'listed' | 'warned';
  readonly run: (context: Context) => Promise<void>;
};

/**
 * Runs a command. With `--json` its problems are JSON, too, and not thrown: the framework would print its own
 * text of them.
 * @throws ProblemError without `--json`
 */
export async function runCommand(command: Command, context: Context): Promise<void> {
  const { flags, print, problems, progress, warning } = context;
  try {
    if (command.onProblems === undefined) throwProblems(problems);
    if (command.onProblems === 'warned') for (const problem of problems) warning(formatProblem(problem));
    await command.run(context);
  } catch (error) {
    if (!flags.json || !isProblemError(error)) throw error;
    progress(undefined);
    // `--watch` prints a line a change.
    print(JSON.stringify({ problems: error.problems.map(problemJson) }, null, flags.watch ? 0 : 2));
    process.exitCode = 1;
  }
}

/** A problem as `--json` prints it: `text` is what a person would read. */
export const problemJson = (problem: Problem) => ({ ...problem, text: formatProblem(problem) });

/** @returns the model that `--model` names, or the only one; @throws ProblemError */
export function modelOf({ models, flags }: Pick<Context, 'models' | 'flags'>): Model {
  const [only, second] = models;
  const names = models.map(({ name }) => name);
  if (typeof flags.model !== 'string') {
    if (only !== undefined && second === undefined) return only;
    throw missingName(names);
  }
  const found = models.find(({ name }) => name === flags.model);
  if (found === undefined)
    throw usage('--model', `${flags.model} is not a model of this service.`, nameOneOf(names));
  return found;
}

/** @throws ProblemError where `--model` is missing and the declarations already tell that it must not be */
export function mustName({ declared, flags }: Pick<Context, 'declared' | 'flags'>): void {
  if (typeof flags.model !== 'string' && declared.length > 1) throw missingName(declared);
}

/** `--model` is missing, to throw. */
export const missingName = (names: readonly string[]): Error =>
  usage('--model', 'is missing.', nameOneOf(names));

export const nameOneOf = (names: readonly string[]): string =>
  names.length > 0 ? `Name one of ${names.join(', ')}.` : 'Declare a model first.';

/** The default of `--since`. */
export const SINCE = '24h';

/**
 * @param most days that CloudWatch keeps, where it is asked
 * @returns seconds that `--since` names
 * @throws ProblemError
 */
export function sinceOf({ since = SINCE }: Context['flags'], most = Number.POSITIVE_INFINITY): number {
  if (typeof since === 'string' && /^\d+(\.\d+)?[smhd]$/.test(since)) {
    const length = seconds(since);
    if (length === 0) throw usage('--since', `${since} is no time at all.`, 'Write for example 2h or 7d.');
    if (length <= most * 86_400) return length;
    throw usage(
      '--since',
      `${since} is further back than CloudWatch keeps metrics.`,
      `Write at most ${most}d.`,
    );
  }
  throw usage('--since', `${since} is not a length of time.`, 'Write for example 2h or 7d.');
}

/** An option that cannot be used, to throw. */
export const usage = (key: string, message: string, fix: string): Error =>
  problemError([{ code: 'MODELS_USAGE', key, message, fix }]);
