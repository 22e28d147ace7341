import { LEAST_SAMPLE } from '../../../core/drift/contract.ts';
import { isObject } from '../../../core/json/is-object.ts';
import type { Problem } from '../problems/errors.ts';
import { at } from './issues.ts';
import { SAMPLE_FIX } from './keys/drift.ts';
import { referenceProblems } from './reference-rules.ts';
import type { Declaration } from './schema.ts';
import { streamProblems } from './stream-rules.ts';

/** Properties of a framework function that are ours: where to say it instead. */
const OURS: Readonly<Record<string, string>> = {
  memorySize: 'Write `memory` beside `function`.',
  memory: 'Write `memory` beside `function`.',
  timeout: 'Write `timeout` beside `function`.',
  architecture: 'Write `architecture` beside `function`.',
  handler: 'Leave it out: the plugin brings the handler.',
  image: 'Write `package: image`, and `image` if you need it, beside `function`.',
  runtime: 'Leave it out: the handler runs on the Node.js that the plugin chooses.',
  package: 'Write `package` beside `function`: zip or image.',
  versionFunction: 'Leave it out: every model is versioned.',
  provisionedConcurrency: 'Write `concurrency.provisioned` beside `function`.',
  snapStart: 'Leave it out: Lambda has no SnapStart for Node.js.',
  durableConfig: 'Leave it out: a model has no durable executions.',
  condition:
    'Leave it out: a model that exists in some stacks only belongs into `models:` through a variable.',
  targetAlias: 'Leave it out: every event points at the alias `live`.',
};

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAYERS = 5;

/** One of the ways is told whole, and no part of another. @param given its keys, wrong values included */
const tellsSigner = (given: ReadonlySet<string>): boolean => {
  const ways = [
    { needs: ['key'], may: [] },
    { needs: ['ca', 'subject'], may: [] },
    { needs: ['identity', 'issuer'], may: ['root'] },
  ];
  const begun = ways.filter(({ needs, may }) => [...needs, ...may].some((part) => given.has(part)));
  return begun.length === 1 && begun[0]?.needs.every((part) => given.has(part)) === true;
};

/** Keys of a map that have a value. */
const writtenIn = (map: unknown): ReadonlySet<string> =>
  new Set(
    Object.entries(isObject(map) ? map : {}).flatMap(([name, value]) => (value === null ? [] : [name])),
  );

/**
 * Rules that need more than one key.
 *
 * @param raw the same as written
 * @param isBroken is this key refused already? What stands in its place nobody wrote
 */
export function ruleProblems(
  key: string,
  given: Declaration,
  raw: unknown,
  isBroken: (name: string) => boolean,
): readonly Problem[] {
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
  problems.push(...referenceProblems(`${key}.artifact`, given.artifact.reference));
  if (given.signed !== undefined && !tellsSigner(writtenIn(at(raw, ['signed'])))) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.signed`,
      value: given.signed,
      message:
        'does not say who must have signed: it needs one of `key`, `ca` with `subject`, and `identity` with `issuer`.',
      fix: 'Write `key: keys/ml.pub`, `ca: keys/ca.pem` and `subject: CN=models`, or `identity: ann@example.com` and `issuer: https://accounts.google.com`.',
    });
  }
  const twice = given.columns?.find((name, i, all) => all.indexOf(name) < i);
  if (twice !== undefined) {
    problems.push({
      code: 'MODELS_COLUMNS',
      key: `${key}.columns`,
      value: twice,
      message: `names the column ${twice} twice.`,
      fix: 'Give each column a name of its own.',
    });
  }
  if (given.finite && given.missing === 'nan') {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.finite`,
      value: true,
      message: 'refuses NaN, which `missing: nan` gives to the model.',
      fix: 'Leave out one of them.',
    });
  }
  const logged = (['drift', 'audit'] as const).find((name) => given[name] !== undefined);
  if (logged !== undefined && given.function.disableLogs === true) {
    const why = { drift: 'drift is counted from', audit: 'an audit is written to' }[logged];
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.function.disableLogs`,
      value: true,
      message: `is true, but ${why} the log of the endpoint.`,
      fix: `Leave it out, or leave out \`${logged}\`.`,
    });
  }
  if (given.batch !== undefined && given.function.disableLogs === true) {
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.function.disableLogs`,
      value: true,
      message: 'is true, but batch is counted from the log of its function, failed jobs included.',
      fix: 'Leave it out, or leave out `batch`.',
    });
  }
  problems.push(...retentionProblems(key, given));
  if (given.drift !== undefined) {
    const written = at(raw, ['drift', 'sample']);
    const percent = Number((given.drift.sample * 100).toPrecision(12));
    if (percent < 100 * LEAST_SAMPLE || percent > 100)
      problems.push({
        code: 'MODELS_INVALID_VALUE',
        key: `${key}.drift.sample`,
        value: typeof written === 'string' ? written : `${percent}%`,
        message: `is ${percent} % of the requests, not ${100 * LEAST_SAMPLE} to 100 %.`,
        fix: SAMPLE_FIX,
      });
  }
  for (const name of Object.keys(given.function)) {
    const fix = Object.hasOwn(OURS, name) ? OURS[name] : undefined;
    if (fix !== undefined)
      problems.push({
        code: 'MODELS_INVALID_VALUE',
        key: `${key}.function.${name}`,
        message: 'is set by the plugin.',
        fix,
      });
  }
  if (!isBroken('package')) problems.push(...imageProblems(key, given));
  const { layers } = given.function;
  if (
    given.package === 'zip' &&
    !isBroken('package') &&
    Array.isArray(layers) &&
    layers.length > LAYERS - 1
  ) {
    problems.push({
      code: 'MODELS_LIMIT',
      key: `${key}.function.layers`,
      message: `has ${layers.length} layers beside the one of ONNX Runtime; Lambda takes ${LAYERS}.`,
      fix: `Leave ${layers.length - LAYERS + 1} out.`,
    });
  }
  problems.push(...streamProblems(key, given.function));
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
      message: `has a cloudFront event, but Lambda@Edge takes no ${given.package === 'image' ? 'images' : 'layers'}.`,
      fix: 'Put the model behind `http`, and CloudFront before that.',
    });
  }
  return problems;
}

/** Properties of a framework function that an image function does not have. */
const NOT_OF_IMAGES: Readonly<Record<string, string>> = {
  layers: 'Leave it out: what a layer would bring can be in an image of your own that `image.base` names.',
  runtimeManagement: 'Leave it out: the base has the Node.js that runs, whichever AWS has meanwhile.',
};

function imageProblems(key: string, given: Declaration): readonly Problem[] {
  if (given.package === 'zip')
    return given.image === undefined
      ? []
      : [
          {
            code: 'MODELS_INVALID_VALUE',
            key: `${key}.image`,
            message: 'is for models with `package: image`, and this one is a zip.',
            fix: 'Write `package: image` beside it, or leave it out.',
          },
        ];
  return Object.entries(NOT_OF_IMAGES).flatMap(([name, fix]): Problem[] =>
    given.function[name] === undefined
      ? []
      : [
          {
            code: 'MODELS_INVALID_VALUE',
            key: `${key}.function.${name}`,
            message: 'cannot be set: Lambda has it for zips only, and this model has `package: image`.',
            fix,
          },
        ],
  );
}

/** Days: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

function retentionProblems(key: string, { audit, function: given }: Declaration): readonly Problem[] {
  const days = audit?.retention;
  if (days === undefined) return [];
  const problem = { code: 'MODELS_INVALID_VALUE', key: `${key}.audit.retention`, value: days } as const;
  const problems: Problem[] = [];
  if (given.logRetentionInDays !== undefined) {
    problems.push({
      ...problem,
      message: 'is declared twice.',
      fix: 'Leave `logRetentionInDays` out of `function`.',
    });
  }
  if (!RETENTIONS.includes(days)) {
    // Rather longer than was asked for than shorter: somebody must keep it so long.
    const longer = RETENTIONS.find((one) => one > days);
    problems.push({
      ...problem,
      message: `is ${days} days; CloudWatch Logs takes ${RETENTIONS.join(', ')}.`,
      fix:
        longer === undefined
          ? `Write ${RETENTIONS.at(-1)}, or leave it and \`logRetentionInDays\` out, and nothing expires.`
          : `Write ${longer}, the next longer one.`,
    });
  }
  return problems;
}

/** Asked of what was written: the default limits are simply not applied there. */
export function externalProblems(key: string, raw: unknown, external: boolean): readonly Problem[] {
  if (!external || at(raw, ['http', 'throttle']) === undefined) return [];
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key: `${key}.http.throttle`,
      message: 'cannot be set: the stage of the HTTP API belongs to another stack (provider.httpApi.id).',
      fix: 'Leave it out here, and set RouteSettings where that API is.',
    },
  ];
}
