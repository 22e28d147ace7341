import { type Context, modelOf, mustName } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { throwProblems } from '../problems/errors.ts';

/**
 * For commands that go on where a declaration is wrong: they tell of what is deployed, and need of a model
 * only what its own declaration says.
 */

type Given = Pick<Context, 'models' | 'declared' | 'problems' | 'flags'>;

/**
 * @returns the model that `--model` names, or the only one
 * @throws ProblemError where its own declaration is wrong, too
 */
export function wellDeclaredModel(given: Given): Model {
  const { models, declared, problems, flags } = given;
  mustName(given);
  const [only] = declared;
  const name = flags.model ?? only;
  if (declared.some((one) => one === name) && !models.some((model) => model.name === name))
    throwProblems(problems);
  return modelOf(given);
}

/**
 * @returns the model that `--model` names, else all that are declared well: those left out are told, and the
 * command fails in the end, since it was asked for all
 * @throws ProblemError where none is left
 */
export function wellDeclaredModels(given: Given & Pick<Context, 'warning'>): readonly Model[] {
  const { models, declared, problems, flags, warning } = given;
  if (typeof flags.model === 'string') return [wellDeclaredModel(given)];
  if (models.length === 0) throwProblems(problems);
  const left = declared.filter((name) => !models.some((model) => model.name === name));
  if (left.length > 0) {
    warning(`Left out, since serverless.yml is wrong there: ${left.join(', ')}.`);
    process.exitCode = 1;
  }
  return models;
}
