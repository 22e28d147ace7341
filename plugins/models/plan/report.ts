import { isObject } from '../../../core/json/is-object.ts';
import { plainText } from '../../../core/text/plain.ts';
import { type Host, hasNamedRole, nameOf } from '../contracts/host.ts';
import type { PlanInput } from '../contracts/input.ts';
import { placeOf } from '../declaration/keys/units.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS, batchKey, CATALOG, DRIFT, functionLogicalId, RELEASE } from '../declaration/naming.ts';
import type { Problem } from '../problems/errors.ts';
import { type BatchModel, batching } from './batch/functions.ts';
import { driftLines } from './drift/functions.ts';
import { drifting } from './drift/monitor.ts';
import { sampleAdvice } from './drift/sample.ts';
import { isDomainAlone, isExternalApi } from './endpoint/routes.ts';
import { logGroupOf } from './iam/permissions.ts';
import { openedLines } from './opened.ts';
import { neededPolicy, neededTrust, planFunctions } from './plan.ts';
import { UNJUDGED } from './release/unjudged.ts';

/**
 * A line a model, for the end of `sls deploy` and `sls info`.
 *
 * @param base URL of the HTTP API, a slash at its end or none; undefined where it is another stack's, or not
 * deployed
 */
export function endpointLines(
  models: readonly Model[],
  host: Host,
  base: string | undefined,
): readonly string[] {
  return [...models.map((model) => endpointLine(model, host, base)), ...batching(models).flatMap(batchLines)];
}

const batchLines = ({ name, batch }: BatchModel): readonly string[] =>
  batch.entries.map(
    ({ input, output }) => `${name}: ${placeOf(input)} → s3://${output.bucket}/${output.prefix}`,
  );

function endpointLine(model: Model, host: Host, base: string | undefined): string {
  const { http, name } = model;
  if (http === undefined)
    return `${name}: \`sls models invoke --model ${name} --stage ${host.stage}\` (function ${nameOf(model, host)}:live)`;
  const auth = typeof http.auth === 'string' ? http.auth : `authorizer ${http.auth.authorizer}`;
  const prefix = http.path === '/' ? '' : http.path;
  const before = isDomainAlone(host) ? undefined : base?.replace(/\/$/, '');
  return `${name}: POST ${before ?? ''}${prefix}/v2/models/${name}/infer (auth: ${auth})`;
}

/** What counts as not written, since it may be a variable’s: YAML reads `audit:` alone so, too. */
export const emptyLines = ({ empty = [] }: Pick<PlanInput, 'empty'>): readonly string[] =>
  empty.map((key) => {
    const word = key.slice(key.lastIndexOf('.') + 1);
    const is = `${key}: has no value, so it counts as not written.`;
    return word === 'audit' || word === 'http'
      ? `${is} Write \`${word}: {}\` for what it does by default.`
      : is;
  });

/** What a person should know when packaging is done. */
export function packagingNotices(input: PlanInput): readonly string[] {
  const { models, host, built } = input;
  const lines = [
    ...emptyLines(input),
    ...models.flatMap(({ name }) =>
      (built.get(name)?.facts.notices ?? []).map((notice) => `models.${name}: ${plainText(notice)}`),
    ),
  ];
  for (const model of drifting(models)) {
    const found = built.get(model.name)?.facts.drift;
    if (found === undefined) continue;
    const advice = sampleAdvice(model, found);
    lines.push(
      ...[...driftLines(model, found), ...(advice === undefined ? [] : [advice])].map(
        (line) => `models.${model.name}.drift: ${plainText(line)}`,
      ),
    );
  }
  if (isExternalApi(host) && models.some(({ http }) => http !== undefined)) {
    lines.push(
      'models: throttle is not applied: the stage of the HTTP API belongs to another stack (provider.httpApi.id).',
    );
  }
  lines.push(...openedLines(models, host));
  for (const { name, function: given, release } of models) {
    if (given.disableLogs !== true) continue;
    lines.push(
      `models.${name}.function.disableLogs: what counts the model’s requests is its log. Without one a release in steps gets no verdict and ${UNJUDGED[release.onNoData]}, and alarms see nothing but crashes and throttles.`,
    );
  }
  const made = madeGroups(input);
  lines.push(...models.flatMap((model) => unmade(model, host, made)));
  for (const model of models) {
    if (model.iam.managedPolicies.length === 0 || !hasNamedRole(model, host)) continue;
    lines.push(
      `models.${model.name}.iam.managedPolicies: is attached to no role: the service names the one that the model has; attach them to that.`,
    );
  }
  lines.push(...profiled(input), ...models.flatMap((model) => unversioned(model, host)));
  lines.push(...pruned(host), ...models.flatMap(unread));
  const policy = policyText(input);
  if (policy !== undefined) lines.push(`models: ${policy}`);
  return lines;
}

/** What a person gives to a role that the service names; undefined where it names none. */
export function policyText(input: PlanInput): string | undefined {
  const policy = neededPolicy(input);
  if (policy === undefined) return undefined;
  const services = neededTrust(input);
  // A role of a function alone trusts Lambda as it is.
  const trust =
    services.length === 1
      ? ''
      : `; its trust policy must name ${services.slice(0, -1).join(', ')} and ${services.at(-1)}`;
  // As for a role in this very template; one from elsewhere is written in IAM's words alone.
  const words = 'docs/deploy-policy.md says what stands for Ref and Fn in IAM';
  return `the service names a role; it needs this policy (${words})${trust}:\n${JSON.stringify(policy, null, 2)}`;
}

/** Events that are no request of inference, whatever is written beside them. */
const UNREAD = [
  ...['sqs', 'stream', 'msk', 'kafka', 'activemq', 'rabbitmq'],
  ...['sns', 's3', 'cloudwatchLog', 'cognitoUserPool', 'websocket', 'alexaSkill', 'alexaSmartHome'],
];

/** Log groups that the service makes: the framework's of each function that logs, and its own. */
function madeGroups(input: PlanInput): ReadonlySet<string> {
  const { functions, logGroups = {} } = input.host;
  const ours = planFunctions({ ...input, built: new Map() });
  const logged = Object.values({ ...functions, ...ours }).filter(({ disableLogs }) => disableLogs !== true);
  return new Set([...logged.map(({ name }) => `/aws/lambda/${name}`), ...Object.keys(logGroups)]);
}

/**
 * The framework makes the group of a function's own name alone, and a model's own role may make none:
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
 */
function unmade(model: Model, host: Host, made: ReadonlySet<string>): readonly string[] {
  const group = logGroupOf(model.function, host.provider, nameOf(model, host));
  if (made.has(group) || model.function.disableLogs === true) return [];
  return [
    `models.${model.name}: its log goes to ${group}, which must be there: the service makes no such log group. Where there is none, nothing is logged or counted, so a release in steps gets no verdict and alarms see nothing but crashes and throttles. Make it in \`resources\`.`,
  ];
}

/** A refusal is an answer: the invocation went well, and what called for it is taken for done. */
function unread({ name, function: { events } }: Model): readonly string[] {
  const kinds = (Array.isArray(events) ? events : []).flatMap((event) =>
    isObject(event) ? Object.keys(event) : [event],
  );
  const found = UNREAD.filter((kind) => kinds.includes(kind));
  if (found.length === 0) return [];
  return [
    `models.${name}.function.events: the endpoint takes requests of inference alone. It refuses what ${found.join(', ')} send${found.length === 1 ? 's' : ''}, and that counts as done: a message is taken away. Let a function of the service ask the model, or use \`batch\` for objects in S3.`,
  ];
}

/** Never the value: it is nobody’s business. */
const profiled = ({ models, host }: PlanInput): readonly string[] =>
  [
    { at: 'provider.environment', environment: host.provider.environment },
    ...models.map(({ name, function: { environment } }) => ({
      at: `models.${name}.function.environment`,
      environment,
    })),
  ].flatMap(({ at, environment }) =>
    isObject(environment) && Object.hasOwn(environment, 'AWS_PROFILE')
      ? [
          `${at}.AWS_PROFILE: names a profile of a machine, and in Lambda there is none: AWS’s SDK finds no credentials beside it, so batch, files beyond the zip and code of yours that asks AWS fail. Leave it out; plugins that read \`.env\` files may have brought it.`,
        ]
      : [],
  );

/** Versions below which pruning beside ours takes what a rollback goes back to. */
const FEW_VERSIONS = 5;

/** Pruning that is not ours knows neither the last good version nor jobs, but what an alias points at. */
function pruned({ provider, prunePlugin }: Host): readonly string[] {
  const { pruneFunctionVersions: asked } = provider;
  const kept = { 'provider.pruneFunctionVersions': isObject(asked) ? asked.number : undefined };
  return Object.entries({ ...kept, 'custom.prune': prunePlugin })
    .filter(([, number]) => Number(number ?? Number.NaN) < FEW_VERSIONS)
    .map(
      ([key, number]) =>
        `models: ${key} keeps ${number} of a model’s versions beside the live one, refused ones included, and may delete what a rollback goes back to, or what jobs of batch run from. Write ${FEW_VERSIONS} or more, or leave it out: the release worker deletes what nobody needs.`,
    );
}

/**
 * The framework names a version by its function before the service's own `resources` change that: another
 * value there makes none, and reaches $LATEST alone.
 */
function unversioned({ name, batch }: Model, { declared = [], extended = [] }: Host): readonly string[] {
  const ids = [name, ...(batch === undefined ? [] : [batchKey(name)])].map(functionLogicalId);
  const changed = ids.filter((id) => declared.includes(id) || extended.includes(id));
  return changed.map(
    (id) =>
      `models.${name}: resources of the service change ${id}. Another value there makes no new version, so it does not reach ${ALIAS}; write it in models.${name}, or in its \`function\`.`,
  );
}

/** The plugin's own functions are no models, and $LATEST is what is called of them. */
export function ownFunctionProblem(key: string): Problem | undefined {
  if (![CATALOG, RELEASE, DRIFT].includes(key)) return undefined;
  return {
    code: 'MODELS_USAGE',
    key: `functions.${key}`,
    message: 'is the plugin’s own, and goes with the stack alone: the models there need it as it is.',
    fix: 'Run `sls deploy`; for what an earlier deploy had, `sls rollback`.',
  };
}

export function deployFunctionProblem(key: string): Problem {
  return {
    code: 'MODELS_USAGE',
    key: `models.${key}`,
    message:
      'cannot be deployed as a single function: that changes $LATEST, which nobody calls, and publishes nothing.',
    fix: 'Run `sls deploy`.',
  };
}

/** The framework would end it well, and whoever has an incident would wait for it to help. */
export function rollbackFunctionProblem(key: string): Problem {
  return {
    code: 'MODELS_USAGE',
    key: `models.${key}`,
    message:
      'cannot be rolled back as a single function: that changes $LATEST, which nobody calls, and the alias stays where it is.',
    fix: 'Run `sls models rollback`, with `--to <version>` for another one than the last good one.',
  };
}

export function invokeLocalProblem(key: string): Problem {
  return {
    code: 'MODELS_USAGE',
    key: `models.${key}`,
    message: 'cannot be invoked as local code: it needs its package and ONNX Runtime.',
    fix: 'Run `sls models serve`, and ask it with curl.',
  };
}
