import { callerOf } from '../../../aws/caller.ts';
import { s3Client } from '../../../aws/clients/s3.ts';
import { schedulerClient } from '../../../aws/clients/scheduler.ts';
import { deployedRegistry } from '../../../aws/lambda/deployed-registry.ts';
import { deleteBelow, foldersOf } from '../../../aws/s3/empty.ts';
import { bucketObjects } from '../../../aws/s3/objects.ts';
import { scheduler } from '../../../aws/schedules.ts';
import { stackResources, type Undeletable, undeletable } from '../../../aws/stack.ts';
import { errorName, isDenied } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import { isMalformed } from '../../../core/registry/document.ts';
import { registry } from '../../../core/registry/registry.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import { REGISTRY_PREFIX } from '../../../core/release/document/worker-contract.ts';
import { become } from '../../../core/release/state/next.ts';
import { lambdaName, RELEASE } from '../declaration/naming.ts';
import { type Problem, throwProblems } from '../problems/errors.ts';
import { registryScope } from './open.ts';
import { isMadeFunction } from './removed-models.ts';

/** What `sls remove` does about releases from this side. */

type Progress = (text: string | undefined) => void;

/**
 * Before `sls remove`: ends releases, and empties the deployment bucket, which could not be deleted else,
 * unless the service names it as its registry. Nothing is touched where the stack stays, or where what is
 * deployed is of another stack.
 *
 * @param registry the deployment bucket, and the one that serverless.yml names; what is deployed goes before
 * @returns what is to be told
 * @throws ProblemError where CloudFormation would refuse to delete the stack once all that is gone, or there
 * is none while the service is deployed
 */
export async function leaveRegistry(
  aws: AwsConfig,
  {
    region,
    name,
    stage,
    stack,
  }: { readonly region: string; readonly name: string; readonly stage: string; readonly stack: string },
  { own, named }: { readonly own: string | undefined; readonly named: string | undefined },
  progress: Progress,
): Promise<readonly string[]> {
  const kept = await undeletable(aws, stack);
  if (kept !== undefined && kept !== 'absent') throwProblems([keptBy(stack, region, kept)]);
  const worker = lambdaName(name, stage, RELEASE);
  const deployed = await deployedRegistry(aws, worker);
  if (deployed !== undefined) {
    // To the framework, the removal of a stack that is not there is done.
    if (kept === 'absent') throwProblems([ofNoStack(stack, region, worker)]);
    if (!(await hasWorker(aws, stack, worker)))
      return [
        `The releases go on: ${worker} is of another stack than ${stack}, which alone is removed; the registry keeps its documents.`,
      ];
  }
  const bucket = deployed ?? named ?? own;
  if (bucket === undefined) return [];
  const { account } = await callerOf(aws);
  const scope = registryScope(account, region, name, stage);
  await abortReleases(aws, bucket, scope);
  // What was there before the service named another one, too.
  if (own === undefined || own === named) return [];
  const locked = await emptyRegistry(aws, own, scope, progress);
  return locked === 0 ? [] : [lockedLine(own, locked)];
}

/**
 * A creation under another name that failed leaves a stack, too, which has none. Nested stacks are of a
 * plugin that splits them, and may have it.
 */
async function hasWorker(aws: AwsConfig, stack: string, worker: string): Promise<boolean> {
  try {
    return (await stackResources(aws, stack)).some(
      (one) => one.type === 'AWS::CloudFormation::Stack' || (isMadeFunction(one) && one.physical === worker),
    );
  } catch (error) {
    if (isDenied(error)) return true;
    throw error;
  }
}

const ofNoStack = (stack: string, region: string, worker: string): Problem => ({
  code: 'MODELS_NOT_DEPLOYED',
  key: 'provider.stackName',
  value: stack,
  message: `there is no stack ${stack} in ${region}, while the function ${worker} of this service is there; nothing was changed.`,
  fix: `Set provider.stackName to the stack that has it, which \`aws cloudformation describe-stack-resources --physical-resource-id ${worker} --region ${region}\` names, then remove again. Where no stack has it, somebody kept it when the stack was deleted: delete it manually.`,
});

const lockedLine = (bucket: string, locked: number): string =>
  `The bucket ${bucket} keeps ${locked} version${locked === 1 ? ' of an object' : 's of objects'} of the registry, below ${REGISTRY_PREFIX}: Object Lock protects what is there until its retention period or legal hold ends.`;

function keptBy(stack: string, region: string, kept: Exclude<Undeletable, 'absent'>): Problem {
  if (kept === 'protection') return protectedBy(stack, region);
  return 'status' in kept ? busy(stack, kept.status) : imported(stack, kept.exported, kept.importers);
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html */
const protectedBy = (stack: string, region: string): Problem => ({
  code: 'MODELS_PROTECTED',
  key: 'provider.deletionProtection',
  message: `the stack ${stack} has termination protection, so CloudFormation would not delete it; nothing was changed.`,
  fix: `Turn it off and deploy, or run \`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${stack} --region ${region}\`, then remove again.`,
});

const busy = (stack: string, status: string): Problem => ({
  code: 'MODELS_PROTECTED',
  key: 'service',
  value: stack,
  message: `the stack ${stack} is in ${status}, so CloudFormation would not delete it; nothing was changed.`,
  fix: 'Wait until that is over, then remove again.',
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html */
const imported = (stack: string, exported: string, importers: readonly string[]): Problem => ({
  code: 'MODELS_PROTECTED',
  key: 'service',
  value: stack,
  message: `the export ${exported} of the stack ${stack} is imported by ${importers.join(', ')}, so CloudFormation would not delete it; nothing was changed.`,
  fix: `Remove ${importers.length === 1 ? 'that stack' : 'those stacks'}, or the import from ${importers.length === 1 ? 'it' : 'them'}, then remove again.`,
});

/**
 * Before `sls remove`: ends every release of this service, so that no worker acts while the stack goes: the
 * document first, then its schedule. A document of a newer schema is left to the stack, whose schedule group
 * goes with it.
 */
export async function abortReleases(aws: AwsConfig, bucket: string, scope: string): Promise<void> {
  const s3 = s3Client(aws);
  const schedules = schedulerClient(aws);
  const documents = registry(bucketObjects(s3, bucket), scope);
  try {
    for (const model of await documents.models()) {
      let written = 'changed';
      for (let race = 0; written === 'changed'; race += 1) {
        if (race === RACES) throw new Error(`the release of ${model} moves too fast to be ended: try again`);
        // A damaged document says of no release where it is, and goes with the service.
        const found = await documents.release(model).catch((error: unknown) => {
          if (isMalformed(error)) return undefined;
          throw error;
        });
        if (found?.release === undefined) break;
        written = isOver(found.release) ? 'ok' : await documents.move(aborted(found.release), found.etag);
        if (written === 'ok') await scheduler(schedules).remove(found.release.schedule);
      }
    }
  } catch (error) {
    // A first deploy that failed may have got no further than this.
    if (errorName(error) !== 'NoSuchBucket') throw error;
  } finally {
    s3.destroy();
    schedules.destroy();
  }
}

const ENDS: readonly Release['phase'][] = ['DONE', 'ROLLED_BACK', 'ABORTED', 'SUPERSEDED'];
const isOver = ({ phase, intent }: Release): boolean => ENDS.includes(phase) && intent === undefined;

const aborted = (release: Release): Release =>
  become(
    release,
    'ABORTED',
    { intent: undefined, held: undefined, reason: 'the service is being removed' },
    Date.now(),
  );

/**
 * Before `sls remove` of a service whose registry is its deployment bucket: deletes what is ours there, old
 * versions of objects included, since CloudFormation deletes only an empty bucket. Files are shared by
 * content, so they go only when no other service is left in the bucket. Never called for a registry that the
 * service names.
 *
 * @returns how many versions Object Lock keeps
 */
export async function emptyRegistry(
  aws: AwsConfig,
  bucket: string,
  scope: string,
  progress: Progress = () => {},
): Promise<number> {
  const s3 = s3Client(aws);
  const told = (deleted: number): void => progress(`Emptying the registry: ${deleted} objects`);
  try {
    // A tick or a look of the monitor that was under way may still write what it found; nobody begins a new
    // one of a release.
    let own = await deleteBelow(s3, bucket, scope, told);
    for (let pass = 1; pass < PASSES && own.deleted > 0; pass += 1) {
      await new Promise((resolve) => setTimeout(resolve, SETTLES_MS));
      own = await deleteBelow(s3, bucket, scope, told);
    }
    const files = `${REGISTRY_PREFIX}files/`;
    const isLast = (await foldersOf(s3, bucket, REGISTRY_PREFIX)).every((folder) => folder === files);
    const shared = isLast ? await deleteBelow(s3, bucket, files, told) : undefined;
    return own.locked + (shared?.locked ?? 0);
  } catch (error) {
    if (errorName(error) !== 'NoSuchBucket') throw error;
    return 0;
  } finally {
    progress(undefined);
    s3.destroy();
  }
}

/** Tries of a compare-and-set; each loss means that a worker got on. */
const RACES = 20;

const SETTLES_MS = 1000;
const PASSES = 5;
