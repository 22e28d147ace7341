import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { batchKey, CATALOG, DRIFT, folded, lambdaName, RELEASE } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';
import { batching, batchName } from '../batch/functions.ts';

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
const NAME_LENGTH = 64;

/**
 * What is wrong with the names that Lambda gets: it takes each once an account and region, and only so many
 * characters.
 */
export function nameProblems(models: readonly Model[], host: Host): readonly Problem[] {
  return [
    ...lengthProblems(models, host),
    ...signProblems(models),
    ...ownLengthProblems(models, host),
    ...takenProblems(models, host),
    ...ofServiceProblems(models, host),
  ];
}

function lengthProblems(models: readonly Model[], host: Host): readonly Problem[] {
  return models.flatMap((model): Problem[] => {
    const [name = ''] = [...batching([model]).map((one) => batchName(one, host)), nameOf(model, host)];
    if (name.length <= NAME_LENGTH) return [];
    return [
      {
        code: 'MODELS_INVALID_NAME',
        key: `models.${model.name}`,
        message: `makes a function called ${name}, ${name.length} characters; Lambda takes ${NAME_LENGTH}.`,
        fix: 'Rename the model, or write a shorter `function.name`.',
      },
    ];
  });
}

/** What the framework takes for a name, and Lambda refuses in the middle of a deploy. */
const signProblems = (models: readonly Model[]): readonly Problem[] =>
  models.flatMap(({ name: model, function: { name } }): Problem[] =>
    typeof name !== 'string' || /^[\w-]+$/.test(name)
      ? []
      : [
          {
            code: 'MODELS_INVALID_NAME',
            key: `models.${model}.function.name`,
            value: name,
            message: 'is no name of a function.',
            fix: 'Write letters, digits, - and _ only, or leave it out.',
          },
        ],
  );

/** Each service with models has a release worker: none of the plugin's own functions has a longer name. */
function ownLengthProblems(models: readonly Model[], { service, stage }: Host): readonly Problem[] {
  const name = lambdaName(service, stage, RELEASE);
  if (models.length === 0 || name.length <= NAME_LENGTH) return [];
  return [
    {
      code: 'MODELS_INVALID_NAME',
      key: 'service',
      value: service,
      message: `makes a function called ${name}, ${name.length} characters; Lambda takes ${NAME_LENGTH}.`,
      fix: `Shorten the service’s name, or the stage’s: both together have at most ${NAME_LENGTH - (name.length - service.length - stage.length)} characters.`,
    },
  ];
}

/** Lambda would refuse the second of two functions with one name, in the middle of a deploy. */
function takenProblems(models: readonly Model[], host: Host): readonly Problem[] {
  const { service, stage, functions } = host;
  const owners = new Map<string, string>();
  for (const [key, { name }] of Object.entries(functions))
    owners.set(name ?? lambdaName(service, stage, key), `functions.${key}`);
  for (const key of [CATALOG, RELEASE, DRIFT])
    owners.set(lambdaName(service, stage, key), `the plugin’s own ${key}`);
  return models.flatMap((model): Problem[] => {
    const key = `models.${model.name}`;
    const made = [
      { name: nameOf(model, host), owner: key },
      ...batching([model]).map((one) => ({ name: batchName(one, host), owner: `${key}.batch` })),
    ];
    // A function of the same key is told already: their ids are the same, too.
    const told = [model.name, batchKey(model.name)].map((same) => `functions.${same}`);
    const clashes = made.flatMap(({ name }) => {
      const owner = owners.get(name);
      return owner === undefined || told.includes(owner) ? [] : [{ name, owner }];
    });
    for (const { name, owner } of made) if (!owners.has(name)) owners.set(name, owner);
    return clashes.map(({ name, owner }) => ({
      code: 'MODELS_NAME_TAKEN',
      key: typeof model.function.name === 'string' ? `${key}.function.name` : key,
      value: name,
      message: `makes a function called ${name}, and so does ${owner}; Lambda takes a name once in an account and region.`,
      fix: 'Write another `function.name` for one of them, or leave it out.',
    }));
  });
}

/** The plugin’s own functions of a service with these models, by key. */
const ownKeys = (models: readonly Model[]): readonly string[] =>
  models.length === 0
    ? []
    : [
        RELEASE,
        ...(models.some(({ http }) => http !== undefined) ? [CATALOG] : []),
        ...(models.some(({ drift }) => drift !== undefined) ? [DRIFT] : []),
      ];

/** A function of the service that the plugin’s own would take the place of, or that has its name. */
function ofServiceProblems(
  models: readonly Model[],
  { service, stage, functions }: Host,
): readonly Problem[] {
  const own = ownKeys(models);
  return Object.entries(functions).flatMap(([key, definition]): Problem[] => {
    const same = own.find((one) => folded(one) === folded(key));
    if (same !== undefined)
      return [
        {
          code: 'MODELS_NAME_TAKEN',
          key: `functions.${key}`,
          message: `cannot be told from the plugin’s own function ${same} in the ids of CloudFormation.`,
          fix: 'Rename it.',
        },
      ];
    const name = definition?.name;
    const other = own.find((one) => lambdaName(service, stage, one) === name);
    if (other === undefined) return [];
    return [
      {
        code: 'MODELS_NAME_TAKEN',
        key: `functions.${key}`,
        value: name,
        message: `makes a function called ${name}, and so does the plugin’s own ${other}; Lambda takes a name once in an account and region.`,
        fix: 'Write another `name` for it, or leave it out.',
      },
    ];
  });
}
