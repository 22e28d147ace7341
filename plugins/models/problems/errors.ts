/**
 * Everything that can be wrong with a declaration or an artifact is a `Problem`: plain data with a stable
 * code, the key it concerns, the value found, what is wrong and how to fix it. Checks return problems (all
 * of them at once); only the edge throws.
 */
export type Problem = {
  /** Stable, documented in docs/errors.md. */
  readonly code: ProblemCode;
  /** YAML path, for example `models.churn.http.auth`. */
  readonly key: string;
  /** The value found, as JSON would show it; absent when it was missing or must not be echoed. */
  readonly value?: unknown;
  /** One sentence: what is wrong, with the limit that it breaks. */
  readonly message: string;
  /** One sentence: what to write or do instead. */
  readonly fix: string;
};

/** code → what it means. The table in docs/errors.md is generated from this. */
export const PROBLEMS = {
  MODELS_UNKNOWN_KEY: 'A key that does not exist, usually a misspelling.',
  MODELS_INVALID_VALUE: 'A value of the wrong type or outside its limits.',
  MODELS_INVALID_NAME: 'A model name that AWS or the framework could not carry.',
  MODELS_NAME_TAKEN: 'Two functions of the service would have one name.',
  MODELS_LIMIT: 'More than AWS allows in one stack, API, function or role.',
  MODELS_CAPACITY: 'More instances at once than the function may have.',
  MODELS_GATE_CASES: 'The gate’s case file is not there, or a case does not fit the model.',
  MODELS_GATE_METRIC: 'The gate’s labelled rows are not there, do not fit the model, or could never decide.',
  MODELS_REFERENCE: 'Reference data that cannot be read, or do not fit the model.',
  MODELS_BATCH: 'An entry of batch does not fit the model, or another entry.',
  MODELS_BATCH_OWNER: 'An output of batch belongs to another service or stage.',
  MODELS_BATCH_LOOP: 'What batch writes would be scored again, without end.',
  MODELS_ROUTE_TAKEN: 'Two HTTP routes of the service would be the same, or a prefix lies on others’ routes.',
  MODELS_AUTHORIZER_UNKNOWN: 'An authorizer that provider.httpApi does not define.',
  MODELS_PROTECTED:
    'A stack that is to be removed is protected against that, an update of it goes on, or another stack imports what it exports.',
  MODELS_FRAMEWORK: 'Something that this version of the framework does not do.',
  MODELS_NOT_DEPLOYED: 'What the command needs is not deployed.',
  MODELS_RELEASE: 'What a deploy offered is neither live nor on its way to it.',
  MODELS_RELEASE_REFUSED: 'A release does not allow what is asked of it.',
  MODELS_ALIAS_PERMISSIONS: 'An alias was deleted and made again, and its permissions are missing.',
  MODELS_ALIAS_ABSENT: 'The stack is complete, but its custom resource was not called: there is no alias.',
  MODELS_PROMOTION:
    'Another stage has not validated what is to be taken from it, or this would be something else.',
  MODELS_GATE: 'A version does not answer its gate’s cases as it should, or not fast enough.',
  MODELS_BENCH: 'A target of bench does not answer, answers wrongly, or cannot be measured so.',
  MODELS_TUNE: 'A model cannot be tuned now, or what tune made could not be removed.',
  MODELS_AWS: 'AWS refused a call.',
  MODELS_USAGE: 'A command got options or input that it cannot use.',
  MODELS_CACHE: 'The folder for what can be made again cannot be written, or was damaged.',
  MODELS_RUNTIME_UNAVAILABLE: 'ONNX Runtime could not be downloaded with npm.',
  MODELS_RUNTIME_TAMPERED: 'A package, file or layer of ONNX Runtime is not the pinned one.',
  MODELS_ARTIFACT_MISSING: 'The artifact is not there, or cannot be read.',
  MODELS_ARTIFACT_CHANGED: 'A file was written to while it was read.',
  MODELS_ARTIFACT_INVALID: 'ONNX Runtime, or a check of ours, refuses the artifact.',
  MODELS_ARTIFACT_HANGS: 'Loading or running the artifact took longer than the deadline.',
  MODELS_ARTIFACT_MEMORY: 'Loading or running the artifact took more memory than it may.',
  MODELS_SIGNATURE: 'The artifact is not, as it is, what somebody signed who should have.',
  MODELS_CARD_CONFLICT: 'The card says something else than the registry of the artifact, or the artifact.',
  MODELS_CARD_DATASET: 'The dataset file of a card is not there, or is not the one that the card names.',
  MODELS_CARD_METRIC: 'A metric is below the `min` of the card, or nobody knows it.',
  MODELS_ARTIFACT_UNSUPPORTED: 'The artifact is valid, but cannot be served.',
  MODELS_ARTIFACT_SIZE: 'The artifact is too large for its function.',
  MODELS_IMAGE_BASE: 'The image that others are laid over cannot be had, or cannot be one.',
  MODELS_IMAGE_PUSH: 'An image could not be brought into a registry, or written.',
  MODELS_PACKAGE_CHANGED: 'A deployed model would be another kind of package, which AWS does not change.',
  MODELS_COLUMNS: 'The names of columns, declared or in the artifact, do not fit the model.',
  MODELS_TRANSFORM_INVALID: 'transform.ts cannot be bundled, does not load, or exports something wrong.',
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** An Error that carries its problems; `plugin.ts` hands it to the framework as a user error. */
export type ProblemError = Error & { readonly code: ProblemCode; readonly problems: readonly Problem[] };

/** @returns an Error to throw, its message one block a problem. `problems` must not be empty. */
export function problemError(problems: readonly [Problem, ...Problem[]], cause?: unknown): ProblemError {
  const error = new Error(problems.map(formatProblem).join('\n'), { cause });
  return Object.assign(error, { code: problems[0].code, problems });
}

/** @throws ProblemError when there are any; what each of several models says in the same words, once */
export function throwProblems(problems: readonly Problem[]): void {
  const [first, ...others] = new Map(problems.map((problem) => [formatProblem(problem), problem])).values();
  if (first !== undefined) throw problemError([first, ...others]);
}

/**
 * Work that may be refused, beside other work that may be, so that all of it is told at once.
 *
 * @param into what was refused goes there @returns undefined where it was
 */
export async function orProblems<T>(into: Problem[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isProblemError(error)) throw error;
    into.push(...error.problems);
    return undefined;
  }
}

export function isProblemError(error: unknown): error is ProblemError {
  return error instanceof Error && 'problems' in error && Array.isArray(error.problems);
}

/**
 * @returns `models.churn.memory: 64 is below 128 MB, Lambda's least. Write 128 or more.
 * [MODELS_INVALID_VALUE]`
 */
export function formatProblem({ code, key, message, fix }: Problem): string {
  return visible(`${key}: ${message} ${fix} [${code}]`);
}

/**
 * A text as a terminal may show it, in JSON the same value: files, exporters and registries write anything
 * into names, and a terminal would obey it, or show another order of letters, or nothing.
 */
export const visible = (text: string): string => text.replace(UNSEEN, escaped);

const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, unit) => character.charCodeAt(unit))
    .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
    .join('');
