import { expect, test } from 'vitest';
import { PRICES_USED } from '../../../core/advice/contract.ts';
import { PAYLOAD_BYTES, TENSOR_BYTES, UNPACKED_BYTES } from '../../../core/endpoint/contract.ts';
import { REFUSALS } from '../../../core/errors/refusals.ts';
import type { Phase } from '../../../core/release/document/parts-contract.ts';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { NESTING } from '../../../core/tensor/contract.ts';
import base from '../../../layers/base/base.json' with { type: 'json' };
import layer from '../../../layers/onnxruntime/layer.json' with { type: 'json' };
import { layerBytes } from '../../../plugins/models/artifact/onnx/runtime.ts';
import { command as advise } from '../../../plugins/models/commands/advise.ts';
import { command as bench } from '../../../plugins/models/commands/bench.ts';
import { command as tune } from '../../../plugins/models/commands/tune.ts';
import { verbs } from '../../../plugins/models/commands/verbs.ts';
import { optionTable } from '../../../plugins/models/declaration/options.ts';
import { parseModels } from '../../../plugins/models/declaration/parse.ts';
import { resourceProblems } from '../../../plugins/models/plan/inventory.ts';
import { ALARM_KINDS } from '../../../plugins/models/plan/plan.ts';
import { LIMITS } from '../../../plugins/models/plan/shared/limits.ts';
import { PRICE_LIST } from '../../../plugins/models/plan/shared/prices.ts';
import { PROBLEMS } from '../../../plugins/models/problems/errors.ts';
import { formatTable } from './formats.ts';
import { generated, table } from './pages.ts';

/**
 * Parts of the pages that the code knows best. `UPDATE_DOCS=1 vitest run --project unit docs/generated`
 * writes them. Commands as the framework is told of them: a list of these alone would lack the next one.
 */
const commands = verbs({ commands: ['models'], options: {} });

const PHASES: Readonly<Record<Phase, string>> = {
  GATING: 'the candidate is asked; stable has all traffic',
  WARMING: 'its provisioned instances are started; stable has all traffic',
  SHIFTING: 'it is about to get the weight of a step, once the stack is done',
  JUDGING: 'it has the weight of a step, and is compared with stable once a minute',
  PROMOTING: 'it is about to get all traffic, once the stack is done',
  BAKING: 'it has all traffic and is stable now; an alarm may bring the last good version back',
  REVERSING:
    'an alarm came on: the last good version has half of the traffic beside the live one, and a test decides',
  DONE: 'the release is over, its version live',
  ROLLED_BACK:
    'the candidate, or after promotion the live version, was worse; the one from before has all traffic',
  ABORTED: 'the release was given up before it was judged; stable has all traffic',
  SUPERSEDED: 'another deploy came before the end; kept in the registry’s history',
  HELD: 'a person must decide; the weight stands, and a candidate that fails meanwhile is rolled back',
};
const megabytes = (bytes: number): string => `${bytes / 1024 / 1024} MB`;

/** What alarms need that not every model has. */
const CONDITIONS: Readonly<Record<string, string>> = {
  latency: '; only with `latency`',
  batchFailed: '; only with `batch`',
  batchWaiting: '; only with `batch`',
  provisioned: '; only with `concurrency.provisioned`',
  spillover: '; only with `concurrency.provisioned`',
};

/** Models of this kind that fit into one service beside nothing else. */
function fitting(more: object): number {
  const host = {
    ...{ service: 'shop', stage: 'dev', region: 'us-east-1', stack: 'shop-dev', bucket: 'b', prefix: 'p/' },
    provider: {},
    functions: {},
  };
  const fits = (count: number): boolean => {
    const names = Array.from({ length: count }, (_, i) => [`m${i}`, { artifact: 'm.onnx', ...more }]);
    const { models } = parseModels(Object.fromEntries(names));
    const input = { models, options: {}, host, built: new Map(), zips: new Map() };
    return models.length === count && resourceProblems(input).length === 0;
  };
  let count = 0;
  while (fits(count + 1)) count += 1;
  return count;
}

const PARTS: readonly (readonly [page: string, name: string, text: string])[] = [
  ['docs/reference.md', 'options', optionTable()],
  [
    'docs/reference.md',
    'commands',
    table(
      ['`sls models …`', '', 'options'],
      [...commands].map(([verb, { usage, options }]) => [
        `\`${verb}\``,
        `${usage}.`,
        Object.entries(options)
          .map(
            ([name, { shortcut }]) => `\`--${name}\`${shortcut === undefined ? '' : ` (\`-${shortcut}\`)`}`,
          )
          .join(', '),
      ]),
    ),
  ],
  [
    'docs/bench-method.md',
    'bench',
    table(
      ['option', ''],
      Object.entries(bench.options).map(([name, { usage }]) => [`\`--${name}\``, usage]),
    ),
  ],
  [
    'docs/advise.md',
    'advise',
    table(
      ['option', ''],
      Object.entries(advise.options).map(([name, { usage }]) => [`\`--${name}\``, usage]),
    ),
  ],
  [
    'docs/advise.md',
    'prices',
    table(
      ['name', 'dollars', 'for', 'read', 'source'],
      PRICES_USED.map((name) => {
        const { dollars, doubt, read, source, unit } = PRICE_LIST[name];
        const shown = dollars.toLocaleString('en-US', { maximumSignificantDigits: 6 });
        return [`\`${name}\``, `${shown}${doubt === undefined ? '' : ' ?'}`, unit, read, source];
      }),
    ),
  ],
  [
    'docs/tune.md',
    'tune',
    table(
      ['option', ''],
      Object.entries(tune.options).map(([name, { usage }]) => [`\`--${name}\``, usage]),
    ),
  ],
  [
    'docs/alarms.md',
    'alarms',
    table(
      ['name', 'goes off when', 'may roll back', 'what to do'],
      ALARM_KINDS.map(({ suffix, when, rollsBack, advice }) => [
        `\`${ALARMS[suffix]}\``,
        `${when('`latency.p95`')}${CONDITIONS[suffix] ?? ''}`,
        rollsBack ? 'yes' : '',
        advice,
      ]),
    ),
  ],
  [
    'docs/release.md',
    'phases',
    table(
      ['phase', 'meaning'],
      Object.entries(PHASES).map(([phase, meaning]) => [`\`${phase}\``, meaning]),
    ),
  ],
  [
    'docs/errors.md',
    'problems',
    table(
      ['code', 'meaning'],
      Object.entries(PROBLEMS).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
  ],
  [
    'docs/errors.md',
    'aws',
    table(
      ['what', 'at most', 'which is'],
      [
        [
          'resources of a stack',
          '500',
          `${fitting({ http: {} })} models with \`http\`, ${fitting({})} without`,
        ],
        [
          'environment of a function',
          `${LIMITS.environment} bytes`,
          'names and values as JSON, also those of the provider',
        ],
        [
          'inline policies of a role',
          `${LIMITS.policies.toLocaleString('en')} characters`,
          '`iam.statements` of a model; of the monitor what it needs for every model with `drift`',
        ],
        ['functions of one name', '1', 'in an account and region; also a model’s `<name>-batch`'],
      ],
    ),
  ],
  ['docs/batch.md', 'formats', formatTable()],
  [
    'docs/endpoint.md',
    'refusals',
    table(
      ['status', 'code', 'meaning', 'fault of'],
      Object.entries(REFUSALS).map(([code, { status, meaning, ...rest }]) => [
        String(status),
        `\`${code}\``,
        meaning,
        'fault' in rest ? 'the model' : status < 500 ? 'the request' : 'the endpoint',
      ]),
    ),
  ],
  [
    'docs/endpoint.md',
    'limits',
    table(
      ['what', 'at most'],
      [
        [
          'body, as it comes',
          `${megabytes(PAYLOAD_BYTES)}; on Lambda about 4.5 MB of binary, or compressed (base64 inside)`,
        ],
        ['body, unpacked', megabytes(UNPACKED_BYTES)],
        ['input tensors of a request, in memory', megabytes(TENSOR_BYTES)],
        ['arrays and objects inside one another', String(NESTING)],
        ['answer', `${megabytes(PAYLOAD_BYTES)} of text, about 4.5 MB of binary (base64 inside Lambda)`],
        // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
        ['body, or answer, through a load balancer', '1 MB'],
      ],
    ),
  ],
  [
    'docs/layer.md',
    'layer',
    [
      table(
        ['layer', 'unzipped', 'file', 'sha256'],
        Object.values(layer.targets).flatMap((target) => {
          if (!('lambda' in target)) return [];
          const { architecture } = target.lambda;
          const size = `${(layerBytes(architecture) / 1e6).toFixed(1)} MB`;
          return Object.entries(target.files).map(([path, { sha256 }]) => [
            architecture,
            size,
            `\`${path.split('/').at(-1)}\``,
            `\`${sha256}\``,
          ]);
        }),
      ),
      '',
      `ONNX Runtime is ${layer.version}. A layer may have ${layer.unzippedLimit / 1e6} MB unzipped.`,
    ].join('\n'),
  ],
  [
    'docs/image.md',
    'base',
    table(
      ['`architecture`', `digest of \`${base.image}:${base.tag}\` on ${base.resolved}`],
      Object.entries(base.digests).map(([architecture, digest]) => [`\`${architecture}\``, `\`${digest}\``]),
    ),
  ],
];

test.each(PARTS)('%s: %s', (page, name, text) => {
  const { found, wanted } = generated(page, name, text);
  expect(found).toBe(wanted);
});
