import { isNoStack, type StackResource, stackNameIn, stackResources } from '../../../aws/stack.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Registry } from '../../../core/registry/port.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import { RESOURCE_TYPE } from '../../../core/release/document/worker-contract.ts';
import { aliasLogicalId } from '../declaration/naming.ts';
import type { Problem } from '../problems/errors.ts';
import { runningOf } from './deployment.ts';
import type { FollowedModel } from './worker/follow.ts';

/** What a deploy takes away: models that are deployed and not declared any more. */

/** Logical ids of what the stack has. */
export type LogicalIds = () => Promise<ReadonlySet<string>>;

/** Those of its aliases. */
export type Aliases = LogicalIds;

/**
 * The registry keeps the documents of a model beyond its end, so the stack says which are still there; it is
 * asked only where the registry knows a model that is not declared.
 *
 * @returns what a person should know before, a sentence or two a model
 */
export async function goneLines(
  documents: Pick<Registry, 'models' | 'release'>,
  declared: readonly string[],
  aliases: Aliases,
): Promise<readonly string[]> {
  const known = (await documents.models()).filter((model) => !declared.includes(model));
  if (known.length === 0) return [];
  const there = await aliases();
  const added = declared.filter((model) => !there.has(aliasLogicalId(model)));
  const renamed =
    added.length === 0
      ? ''
      : ` If ${added.join(' or ')} is its new name: a rename is a delete and a create, without a canary.`;
  const gone = known.filter((model) => there.has(aliasLogicalId(model)));
  return Promise.all(
    gone.map(async (model) => {
      const found = await documents.release(model);
      const name = found?.core.functionName ?? model;
      const running = found?.release && runningOf(found.release);
      const lost = running === undefined ? '' : ` Its release (${running}) ends with it.`;
      return `${model}: is no longer declared, and this deploy deletes it with its endpoint ${name}.${lost}${renamed}`;
    }),
  );
}

/**
 * Models whose function gets another name: to CloudFormation that is a new function, and the removal of the
 * old one. Pure.
 */
export function renamedLines(
  there: ReadonlyMap<string, Release>,
  targets: readonly FollowedModel[],
): readonly string[] {
  return targets.flatMap(({ model, functionName }) => {
    const release = there.get(model);
    if (release === undefined || release.functionName === functionName) return [];
    const running = runningOf(release);
    const lost = running === undefined ? '' : ` Its release (${running}) ends with it.`;
    return [
      `${model}: its function ${release.functionName} becomes ${functionName}, which is a delete and a create, without a canary; ` +
        `callers of the old name get errors.${lost}`,
    ];
  });
}

/**
 * Where no model is declared: most such services never had one, so the stack is asked first and whatever
 * fails is no failure of the deploy.
 *
 * @param read `goneLines` with a registry
 */
export async function lastLines(
  aliases: Aliases,
  read: (aliases: Aliases) => Promise<readonly string[] | undefined>,
): Promise<readonly string[]> {
  // Not to be told which resources there are is no sign of models.
  const there = await aliases().catch(() => new Set<string>());
  if (there.size === 0) return [];
  try {
    const lines = (await read(async () => there)) ?? [];
    if (lines.length > 0) return lines;
  } catch {
    // The line below says that they go: which models they are is all that the registry would have told.
  }
  const [count, their] =
    there.size === 1 ? ['1 model is', 'its endpoint'] : [`${there.size} models are`, 'their endpoints'];
  return [`${count} no longer declared, and this deploy deletes ${their}.`];
}

/**
 * Functions that somebody deleted, and the stack still has. CloudFormation would find nothing to update, and
 * nothing to go back to either: the stack would be left in the middle (`UPDATE_ROLLBACK_FAILED`).
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-update-rollback-failed
 *
 * @param recorded what the registry has; `there`: those of them whose function is there
 * @param aliases asked only where one is missing. What cannot be told is left to CloudFormation.
 */
export async function deletedFunctions(
  targets: readonly FollowedModel[],
  recorded: ReadonlyMap<string, Release>,
  there: ReadonlyMap<string, Release>,
  aliases: Aliases,
): Promise<readonly Problem[]> {
  const missing = targets.filter(
    ({ model, functionName }) => !there.has(model) && recorded.get(model)?.functionName === functionName,
  );
  if (missing.length === 0) return [];
  const stacked = await aliases().catch(() => new Set<string>());
  return missing.flatMap(({ model, functionName }): Problem[] =>
    stacked.has(aliasLogicalId(model))
      ? [
          {
            code: 'MODELS_NOT_DEPLOYED',
            key: `models.${model}`,
            value: functionName,
            message: `Somebody deleted its function ${functionName}, and the stack still has it.`,
            fix: NOT_MADE_AGAIN,
          },
        ]
      : [],
  );
}

/**
 * The same of functions of ours that are no model’s own: there is nothing in them to lose. A stack’s template
 * alone says nothing: where a creation or an update failed, it has functions that were never made.
 *
 * @param kept where each is declared, its logical id and Lambda’s name
 */
export async function deletedBesideModels(
  kept: readonly { readonly key: string; readonly id: string; readonly functionName: string }[],
  {
    exists,
    functions,
  }: { readonly exists: (functionName: string) => Promise<boolean>; readonly functions: LogicalIds },
): Promise<readonly Problem[]> {
  // Whoever may not ask finds out from CloudFormation.
  const there = await Promise.all(kept.map(({ functionName }) => exists(functionName).catch(() => true)));
  const missing = kept.filter((_, index) => !there[index]);
  if (missing.length === 0) return [];
  const stacked = await functions().catch(() => new Set<string>());
  const deleted = missing.filter(({ id }) => stacked.has(id));
  return deleted.map(({ key, functionName }) => ({
    code: 'MODELS_NOT_DEPLOYED',
    key,
    value: functionName,
    message: `Somebody deleted the function ${functionName}, and the stack still has it.`,
    fix: 'No deploy makes it again, but a drift-aware change set should: docs/release.md, “A deleted function”, has the commands.',
  }));
}

export const NOT_MADE_AGAIN =
  'CloudFormation does not make it again: leave the model out of one deploy, and declare it again in the next.';

/**
 * Functions that another stack has made: `provider.stackName` was changed. CloudFormation makes no second
 * one of a name, and would say so of whatever it comes to first.
 *
 * @param there what the registry has of models whose function is there
 * @param aliases asked only where one was released by another stack. What cannot be told is left to
 * CloudFormation.
 */
export async function ofAnotherStack(
  targets: readonly FollowedModel[],
  there: ReadonlyMap<string, Release>,
  { stack, stage }: { readonly stack: string; readonly stage: string },
  aliases: Aliases,
): Promise<readonly Problem[]> {
  const elsewhere = targets.flatMap(({ model, functionName }) => {
    const release = there.get(model);
    const theirs = release === undefined ? stack : stackNameIn(release.stack);
    // A plugin that splits stacks may have moved it into a nested one, `<stack>-<logical id>-<random>`.
    const isElsewhere = theirs !== stack && !theirs.startsWith(`${stack}-`);
    return isElsewhere && release?.functionName === functionName ? [{ model, functionName, theirs }] : [];
  });
  if (elsewhere.length === 0) return [];
  const stacked = await aliases().catch(() => undefined);
  // A stack that took resources over from another one has them.
  return elsewhere.flatMap(({ model, functionName, theirs }): Problem[] =>
    stacked === undefined || stacked.has(aliasLogicalId(model))
      ? []
      : [
          {
            code: 'MODELS_RELEASE_REFUSED',
            key: 'provider.stackName',
            value: stack,
            message: `The function ${functionName} of ${model} is of the stack ${theirs}, and another stack cannot make one of that name.`,
            fix: `Set provider.stackName: ${theirs}. To begin anew in another stack, run \`sls remove --stage ${stage}\` with that name first: there is no endpoint until the next deploy.`,
          },
        ],
  );
}

/** @returns no aliases where there is no stack */
export const aliasesOf =
  (aws: AwsConfig, stack: string): Aliases =>
  () =>
    idsOf(aws, stack, ({ type, status }) => type === RESOURCE_TYPE && status !== 'DELETE_COMPLETE');

/** @returns no functions where there is no stack */
export const functionsOf =
  (aws: AwsConfig, stack: string): LogicalIds =>
  () =>
    idsOf(aws, stack, isMadeFunction);

/**
 * Is it a function that was made once? Where failures are not rolled back (`provider.disableRollback`), one
 * that was never made stays in the stack, until an update makes it:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
 */
export const isMadeFunction = ({ type, status }: StackResource): boolean =>
  type === 'AWS::Lambda::Function' &&
  !['CREATE_FAILED', 'CREATE_IN_PROGRESS', 'DELETE_COMPLETE'].includes(status);

async function idsOf(
  aws: AwsConfig,
  stack: string,
  has: (resource: StackResource) => boolean,
): Promise<ReadonlySet<string>> {
  try {
    const found = await stackResources(aws, stack);
    return new Set(found.filter(has).map(({ id }) => id));
  } catch (error) {
    if (isNoStack(error)) return new Set();
    throw error;
  }
}
