import { DescribeScalableTargetsCommand } from '@aws-sdk/client-application-auto-scaling';
import { ListProvisionedConcurrencyConfigsCommand } from '@aws-sdk/client-lambda';
import type { Release } from '../../../core/release/document/contract.ts';
import type { AliasTarget, Phase } from '../../../core/release/document/parts-contract.ts';
import { type Cloud, SCOPE } from './cloud.ts';
import type { Life } from './life.ts';
import type { Write } from './proxy.ts';

/** How a path ended, and how it got there. */
export type Outcome = {
  readonly alias: AliasTarget | undefined;
  /** Undefined where the alias is gone: then nobody says any more how its release ended. */
  readonly phase: Phase | undefined;
  /** Where the alias was, one after the other. */
  readonly history: readonly string[];
  /** How the stack's operations ended. */
  readonly statuses: readonly string[];
  /** Versions with provisioned concurrency, or scaling. */
  readonly provisioned: readonly string[];
  readonly schedules: readonly string[];
  /** Subjects of notices that were published, each once. */
  readonly notices: readonly string[];
  /** Names of the writes that were asked for. */
  readonly writes: readonly string[];
  /** What never may be, and was. */
  readonly wrong: readonly string[];
  readonly deaths: number;
};

/** Looks at everything that a path left behind, and at each write on its way. */
export async function outcomeOf({ aws, proxy }: Cloud, life: Life, name: string): Promise<Outcome> {
  const [alias, document, schedules, provisioned] = await Promise.all([
    life.alias(),
    life.document(),
    life.schedules(),
    capacity({ aws }, life.functionName),
  ]);
  const { history, wrong } = follow(proxy.writes, name);
  const twice = life.asked.flatMap((id) => {
    const answers = new Set(proxy.answers.filter((one) => one.RequestId === id).map(({ Status }) => Status));
    return answers.size === 1 ? [] : [`${id} was answered ${[...answers].join(' and ') || 'never'}`];
  });
  const idle = provisioned.filter((version) => version !== alias?.version);
  return {
    alias,
    phase: alias && document?.phase,
    history,
    statuses: life.statuses,
    provisioned,
    schedules: schedules.map(({ Name = '' }) => Name),
    notices: [...new Set(proxy.writes.flatMap(subjectOf))]
      .map((subject) => subject.replace(name, 'it').replace(life.functionName, 'its'))
      .sort(),
    writes: [...proxy.asked],
    wrong: [
      ...wrong,
      ...twice,
      ...life.failures.map((failure) => `the worker threw: ${failure}`),
      ...idle.map((version) => `version ${version} has instances and no traffic`),
      ...Object.keys(alias?.weights ?? {}).map((version) => `version ${version} has a weight at the end`),
    ],
    deaths: life.deaths.length,
  };
}

async function capacity({ aws }: Pick<Cloud, 'aws'>, functionName: string): Promise<readonly string[]> {
  const [{ ProvisionedConcurrencyConfigs = [] }, { ScalableTargets = [] }] = await Promise.all([
    aws.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: functionName })),
    aws.scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'lambda' })),
  ]);
  const qualifiers = [
    ...ProvisionedConcurrencyConfigs.map(({ FunctionArn = '' }) => FunctionArn.split(':').at(-1) ?? ''),
    ...ScalableTargets.flatMap(({ ResourceId = '' }) => {
      const [, of, qualifier = ''] = ResourceId.split(':');
      return of === functionName ? [qualifier] : [];
    }),
  ];
  return [...new Set(qualifiers)].sort();
}

/** The way of the alias, and whether each of its moves was written down before and within the plan. */
function follow(writes: readonly Write[], model: string) {
  const history: string[] = [];
  const wrong: string[] = [];
  let plan: Release | undefined;
  for (const { path, method, body, status } of writes) {
    if (status >= 300) continue;
    if (method === 'PUT' && path.endsWith(`${SCOPE}releases/${model}/live.json`)) plan = JSON.parse(body);
    if (!/\/aliases(\/live)?$/.test(path)) continue;
    const at = method === 'DELETE' ? undefined : pointing(body);
    const place = at === undefined ? 'nothing' : say(at);
    if (history.at(-1) !== place) history.push(place);
    if (at === undefined) continue;
    const intended = plan?.intent?.after;
    if (intended === undefined || say(intended) !== place) wrong.push(`went to ${place} unintended`);
    const allowed = plan?.phase === 'REVERSING' ? 50 : (plan?.steps?.[plan.step ?? 0]?.weight ?? 0);
    for (const [version, weight] of Object.entries(at.weights))
      if (weight * 100 > allowed)
        wrong.push(`version ${version} had ${weight * 100} % instead of ${allowed}`);
  }
  return { history, wrong };
}

type AliasBody = {
  readonly FunctionVersion: string;
  readonly RoutingConfig?: { readonly AdditionalVersionWeights?: Readonly<Record<string, number>> };
};
function pointing(body: string): AliasTarget {
  const { FunctionVersion, RoutingConfig }: AliasBody = JSON.parse(body);
  return { version: FunctionVersion, weights: RoutingConfig?.AdditionalVersionWeights ?? {} };
}

const say = ({ version, weights }: AliasTarget): string =>
  [version, ...Object.entries(weights).map(([other, weight]) => `${other}: ${weight}`)].join(', ');

function subjectOf({ name, body, status }: Write): readonly string[] {
  if (name !== 'Publish' || status >= 300) return [];
  return [new URLSearchParams(body).get('Subject') ?? ''];
}
