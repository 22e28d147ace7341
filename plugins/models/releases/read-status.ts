import { cloudWatchAlarms } from '../../../aws/alarms.ts';
import { autoScalingClient } from '../../../aws/clients/auto-scaling.ts';
import { cloudWatchClient } from '../../../aws/clients/cloudwatch.ts';
import { patientLambda } from '../../../aws/clients/lambda.ts';
import { lambdaAliases } from '../../../aws/lambda/aliases.ts';
import { provisionedCapacity } from '../../../aws/lambda/capacity.ts';
import { functionExists, versionExists } from '../../../aws/lambda/functions.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { AlarmPort, AliasPort, CapacityPort } from '../../../core/ports/aws.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { FoundRelease, Registry } from '../../../core/registry/port.ts';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { lastGood } from '../../../core/release/state/predicates.ts';
import { aliasLogicalId } from '../declaration/naming.ts';
import { aliasesOf } from './removed-models.ts';
import type { SeenRelease } from './status.ts';
import type { FollowedModel } from './worker/follow.ts';

/** What the status of a release is read from. */
export type Sight = {
  readonly aliases: Pick<AliasPort, 'get'>;
  readonly alarms: AlarmPort;
  readonly capacity: Pick<CapacityPort, 'list' | 'provided'>;
  /** Is there such a function? */
  readonly exists: (functionName: string) => Promise<boolean>;
  /** Is this version of it still published? */
  readonly published: (functionName: string, version: string) => Promise<boolean>;
  /** Does the stack have the model, as far as CloudFormation knows? */
  readonly stacked: (model: string) => Promise<boolean>;
  readonly close: () => void;
};

/**
 * CloudWatch takes nine questions about alarms a second of an account, and each model has one:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
 */
const TRIES_OF_ALARMS = 8;

export function sightOf(aws: AwsConfig, stack: string): Sight {
  const lambda = patientLambda(aws);
  const cloudWatch = cloudWatchClient({ maxAttempts: TRIES_OF_ALARMS, ...aws });
  const scaling = autoScalingClient(aws);
  return {
    aliases: lambdaAliases(lambda),
    alarms: cloudWatchAlarms(cloudWatch),
    capacity: provisionedCapacity(lambda, scaling),
    exists: (functionName) => functionExists(aws, functionName),
    published: (functionName, version) => versionExists(aws, functionName, version),
    stacked: async (model) => (await aliasesOf(aws, stack)()).has(aliasLogicalId(model)),
    close: () => {
      lambda.destroy();
      cloudWatch.destroy();
      scaling.destroy();
    },
  };
}

/**
 * Reads all of one model. What a narrow permission does not let one see is left out: alias and document are
 * not.
 */
export async function readStatus(
  { aliases, alarms, capacity, exists, published, stacked }: Sight,
  documents: Pick<Registry, 'release'>,
  { model, functionName, alias: name }: FollowedModel,
): Promise<SeenRelease> {
  const suffixes = Object.values(ALARMS);
  const [{ found, alias }, states] = await Promise.all([
    readTogether(
      () => documents.release(model),
      () => aliases.get(functionName, name),
    ),
    alarms.states(suffixes.map((suffix) => `${functionName}-${suffix}`)).catch(messageOf),
  ]);
  const release = found === undefined ? undefined : (found.release ?? 'newer');
  // An alias may be deleted manually, and so may the function. Whoever may not ask the stack is woken.
  const isGone =
    alias === undefined && release !== undefined && !(await exists(functionName).catch(() => true));
  const gone = isGone && ((await stacked(model).catch(() => true)) ? 'deleted' : 'removed');
  const provisioned =
    !gone &&
    typeof release === 'object' &&
    (release.settings.capacity?.provisioned !== undefined || release.scaled !== undefined);
  const good = !gone && typeof release === 'object' ? lastGood(release)?.version : undefined;
  const [held, isGood] = await Promise.all([
    provisioned ? heldBy(capacity, functionName).catch(() => undefined) : undefined,
    // A plugin that prunes versions knows nothing of those that a rollback needs.
    good === undefined || published(functionName, good).catch(() => true),
  ]);
  return {
    model,
    functionName,
    ...(alias && { alias }),
    ...(release && { release }),
    ...(gone && { gone }),
    ...(typeof states === 'string'
      ? { alarmsUnread: states }
      : {
          alarms: new Map(
            suffixes.flatMap((suffix) => {
              const state = states.get(`${functionName}-${suffix}`);
              return state === undefined ? [] : [[suffix, state]];
            }),
          ),
        }),
    ...(held && { held }),
    ...(!isGood && { isGoodGone: true }),
  };
}

/** A worker writes to both many times a release, and is done with both within a second. */
const TRIES = 5;

/**
 * The document and the alias of one moment: a worker moves the alias between two writes of the document,
 * and a rollback beside the weights of before would be told as somebody else's.
 */
async function readTogether<Alias>(
  document: () => Promise<FoundRelease | undefined>,
  aliasNow: () => Promise<Alias>,
): Promise<{ readonly found: FoundRelease | undefined; readonly alias: Alias }> {
  let found = await document();
  for (let tries = 1; ; tries++) {
    const alias = await aliasNow();
    const after = await document();
    if (after?.etag === found?.etag || tries === TRIES) return { found: after, alias };
    found = after;
  }
}

async function heldBy(capacity: Sight['capacity'], functionName: string): Promise<SeenRelease['held']> {
  const versions = await capacity.list(functionName);
  const found = await Promise.all(
    versions.map(async (version) => [version, await capacity.provided(functionName, version)] as const),
  );
  return new Map(found.flatMap(([version, one]) => (one === undefined ? [] : [[version, one]])));
}
