import { isObject } from '../../../../core/json/is-object.ts';
import { preloadsIn } from '../../../../core/node/node-options.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { functionLogicalId } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';

/**
 * Names that are Lambda's own: it refuses a function that sets one, in the middle of a deploy.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
const RESERVED: ReadonlySet<string> = new Set([
  ...['_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_EXECUTION_ENV'],
  ...['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_VERSION'],
  ...['AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME'],
  ...['AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  ...['AWS_LAMBDA_RUNTIME_API', 'LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR'],
]);

/**
 * Any other name is refused by Lambda, in the middle of a deploy; the framework lets `_A` and `B` pass.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
 */
const NAME = /^[a-zA-Z]\w+$/;

/** What models' functions would get of the service, and may not have. Never a value: it may be a secret. */
export const variableProblems = (models: readonly Model[], { provider }: Host): readonly Problem[] =>
  models.length === 0
    ? []
    : [
        ...refused('provider.environment', provider.environment),
        ...models.flatMap((model) =>
          refused(`models.${model.name}.function.environment`, model.function.environment),
        ),
      ];

/** Lambda starts it in place of the runtime, and nothing where it is not there. */
const WRAPPER = 'AWS_LAMBDA_EXEC_WRAPPER';

/** By it Node loads files before all else, and ends where one is not there. */
const OPTIONS = 'NODE_OPTIONS';

/**
 * Variables that name files of a layer which the function has not, by the compiled template: other plugins
 * bring layers late. That of ONNX Runtime has none of them, and an image is started by what is in it.
 */
export const wrapperProblems = (
  resources: Readonly<Record<string, Json>>,
  models: readonly Model[],
): readonly Problem[] =>
  models.flatMap((model): Problem[] => {
    const properties = resources[functionLogicalId(model.name)]?.Properties;
    const { Environment: environment, Layers: layers } = isObject(properties) ? properties : {};
    const variables = isObject(environment) && isObject(environment.Variables) ? environment.Variables : {};
    if (Array.isArray(layers) && layers.length > 1) return [];
    return [
      ...[variables[WRAPPER]]
        .filter((file) => model.package === 'zip' && isInLayer(file))
        .map((file) => layerProblem(model, WRAPPER, file, `is ${file}`, 'Lambda starts nothing')),
      ...missingPreloads(variables)
        .filter(() => model.image?.base === undefined)
        .map((file) =>
          layerProblem(model, OPTIONS, file, `has Node load ${file} first`, 'Node ends at each start'),
        ),
    ];
  });

const isInLayer = (file: unknown): boolean => typeof file === 'string' && /^(file:\/\/)?\/opt\//.test(file);

/** A package may lie in folders of somebody’s own; Lambda’s runtime has AWS’s alone. */
function missingPreloads(variables: Json): readonly string[] {
  const { [OPTIONS]: options, NODE_PATH: folders } = variables;
  if (typeof options !== 'string') return [];
  const isMissing = (file: string): boolean =>
    isInLayer(file) || (folders === undefined && PACKAGE.test(file) && !OF_RUNTIME.test(file));
  return preloadsIn(options).filter(isMissing).slice(0, 1);
}
/** No path, and no address: `data:…`, `node:…`. */
const PACKAGE = /^@?[\w-][\w.-]*(\/[\w./-]+)?$/;
const OF_RUNTIME = /^@(aws-sdk|smithy)\//;

function layerProblem(
  { name, package: kind }: Model,
  variable: string,
  value: unknown,
  what: string,
  then: string,
): Problem {
  const none = kind === 'image' ? 'an image has no layers' : 'the function has none but that of ONNX Runtime';
  const layer = kind === 'image' ? '' : 'its layer as `function.layers`, or ';
  return {
    code: 'MODELS_INVALID_VALUE',
    key: `models.${name}.function.environment.${variable}`,
    value,
    message: `${what}, a file of a layer, and ${none}: without the file ${then}.`,
    fix: `Write ${layer}\`${variable}: ''\` in the model’s \`function.environment\` where the provider’s says it.`,
  };
}

const refused = (key: string, environment: unknown): readonly Problem[] =>
  Object.keys(isObject(environment) ? environment : {}).flatMap((name) => {
    const isOfLambda = RESERVED.has(name);
    if (!isOfLambda && NAME.test(name)) return [];
    return {
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.${name}`,
      message: isOfLambda
        ? 'is a variable of Lambda’s own, which no function may set.'
        : 'is no name that Lambda takes: a letter, then at least one more letter, digit or underscore.',
      fix: 'Leave it out, or give it another name; plugins that read `.env` files may have brought it.',
    };
  });
