import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import { atRegistry, type Deploy, type DeployContext, type Documents } from './deploy-context.ts';
import { gateFailure } from './deployment.ts';
import type { OpenedRegistry } from './open.ts';

/**
 * After a deploy that failed: what its gates found is shown, and the record says how it ended. Never throws.
 */
export async function failed(context: DeployContext, deploy: Deploy, error: unknown): Promise<void> {
  const { notice, reach } = context;
  const work = async ({ documents }: Pick<OpenedRegistry, 'documents'>): Promise<void> => {
    const at = new Date(reach.clock()).toISOString();
    for (const { model, fingerprint } of deploy.offers) {
      const release = await failedRelease(documents, model, fingerprint, deploy.earlier.get(model));
      if (release === undefined) continue;
      const evidence = await documents.found(model, release.release);
      if (evidence?.gate.verdict === 'fail') notice(`\n${gateFailure(evidence, release.stable?.version)}`);
      if (deploy.id === undefined) continue;
      await documents.ended(deploy.id, model, {
        release: release.release,
        phase: release.phase,
        at,
        ...(release.stable && { version: release.stable.version }),
        ...(release.reason !== undefined && { reason: release.reason }),
        ...(evidence && { gate: evidence.gate }),
        judgements: release.judgements,
      });
    }
    if (deploy.id !== undefined)
      await documents.failed(deploy.id, { at, reason: messageOf(error).slice(0, 1000) });
  };
  await atRegistry(context, work).catch((reason: unknown) =>
    notice(`What the releases found cannot be read: ${messageOf(reason)}`),
  );
  // Where the service names its bucket, a first deploy makes the stack, and leaves such a one when it fails.
  if (await reach.neverMade().catch(() => false))
    notice(
      '\nThe stack was never complete, and CloudFormation takes nothing but its deletion now: `sls remove`, then `sls deploy`.',
    );
}

/**
 * The release that this deploy began: the one that is there, or the latest one where what it superseded has
 * begun anew.
 */
async function failedRelease(
  documents: Documents,
  model: string,
  fingerprint: string,
  earlier: string | undefined,
): Promise<Release | undefined> {
  const live = (await documents.release(model))?.release;
  if (live === undefined || live.release === earlier) return undefined;
  if ((live.candidate ?? live.stable)?.fingerprint === fingerprint) return live;
  const [latest] = (await documents.archives(model)).slice(-1);
  const kept = latest === undefined ? undefined : await documents.archived(model, latest);
  return kept?.candidate?.fingerprint === fingerprint && kept.release !== earlier ? kept : undefined;
}
