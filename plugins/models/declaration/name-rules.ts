import type { Problem } from '../problems/errors.ts';
import { at } from './issues.ts';
import { batchKey, CATALOG, DRIFT, folded, RELEASE } from './naming.ts';

const NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,39}$/;

/**
 * Rules of the names of models, and of the functions that they become.
 *
 * @param entries names and what is declared under them
 */
export function namingProblems(
  entries: readonly (readonly [string, unknown])[],
  functions: readonly string[],
): readonly Problem[] {
  // `Models-release` becomes what our own `models-release` does: ids begin with a capital.
  const taken = new Map<string, string>([
    ...[CATALOG, RELEASE, DRIFT].map((key) => [folded(key), `the plugin’s own function ${key}`] as const),
    ...functions.map((name) => [folded(name), `the function ${name}`] as const),
  ]);
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
      taken,
    ),
  );
}

function modelNameProblems(names: readonly string[], taken: Map<string, string>): readonly Problem[] {
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
