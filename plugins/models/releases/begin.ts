import type { Release } from '../../../core/release/document/contract.ts';
import { ownVersion } from '../disk/own-version.ts';
import { releaseTargets } from '../plan/release/offers.ts';
import { type Problem, throwProblems } from '../problems/errors.ts';
import { atRegistry, type Deploy, type DeployContext, releasesOf } from './deploy-context.ts';
import { type Offer, superseded } from './deployment.ts';
import { ulid } from './history/ulid.ts';
import { keepSignatures, signatureNotices } from './live-signature.ts';
import type { Reach } from './ports.ts';
import { movesRegistry } from './registry-move.ts';
import {
  type Aliases,
  deletedFunctions,
  goneLines,
  lastLines,
  ofAnotherStack,
  renamedLines,
} from './removed-models.ts';
import type { FollowedModel } from './worker/follow.ts';

/** What a deploy does about releases before anything is uploaded. */

/**
 * Before anything is uploaded: what is there, and what of it this deploy supersedes or deletes.
 *
 * @param offers none: the template is not of these declarations (`sls rollback`), and nothing is known of it
 * @param supersede false: refuse rather than take a running release's place
 * @throws ProblemError
 */
export async function begin(
  context: DeployContext,
  offers: readonly Offer[],
  supersede: boolean,
): Promise<Deploy> {
  const { models, host, notice, service, reach } = context;
  const targets = releaseTargets(models, host);
  const moving = offers.length === 0 ? undefined : await movesRegistry(context, targets);
  const found = await atRegistry(context, async ({ documents }) => {
    const recorded = await releasesOf(models, documents);
    const there = await existing(recorded, reach);
    if (offers.length > 0) {
      throwProblems(await ofAnotherStack(targets, there, service, reach.aliases));
      throwProblems(await deletedFunctions(targets, recorded, there, reach.aliases));
    }
    const lines = [
      ...(await goneLines(
        documents,
        models.map(({ name }) => name),
        reach.aliases,
      )),
      ...renamedLines(there, targets),
      ...(await signatureNotices(
        documents,
        reach.aliases,
        models,
        await context.signatures(),
        service.stage,
      )),
    ];
    return { there, recorded, lines };
  });
  const before = found?.there ?? new Map<string, Release>();
  const lost = superseded(offers, before);
  if (!supersede) throwProblems(lost.map((one) => refusal(one, before.get(one.model)?.held, service.stage)));
  for (const { model, text } of lost) notice(`${model}: ${text}`);
  for (const line of offers.length === 0 ? [] : (found?.lines ?? [])) notice(line);
  if (moving !== undefined) notice(moving);
  const unknown = offers.map(({ model }) => model).filter((model) => !before.has(model));
  const aliases = unknown.length === 0 ? [] : await aliasesAt(reach, targets, unknown);
  const earlier = new Map([...(found?.recorded ?? [])].map(([model, { release }]) => [model, release]));
  return { before, earlier, offers, again: aliases };
}

/** Models without a document whose alias is there: a registry that was changed or lost. */
async function aliasesAt(
  reach: Reach,
  targets: readonly FollowedModel[],
  models: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    targets
      .filter(({ model }) => models.includes(model))
      .map(async (target) => ((await reach.alias(target)) === undefined ? [] : [target.model])),
  );
  return found.flat();
}

/** The registry keeps documents of models beyond their end: what they say runs, runs no more. */
async function existing(
  found: ReadonlyMap<string, Release>,
  { exists }: Pick<Reach, 'exists'>,
): Promise<ReadonlyMap<string, Release>> {
  const there = await Promise.all(
    [...found].map(async (entry) => ((await exists(entry[1].functionName)) ? [entry] : [])),
  );
  return new Map(there.flat());
}

/**
 * Before a deploy that declares no model: what of earlier ones it deletes. Never throws, and supersedes
 * nothing.
 */
export async function part(context: DeployContext): Promise<void> {
  const read = (aliases: Aliases) =>
    atRegistry(context, ({ documents }) => goneLines(documents, [], aliases));
  for (const line of await lastLines(context.reach.aliases, read)) context.notice(line);
}

/**
 * Who deploys what, written down before anything changes.
 *
 * @param isForced with `--force`
 */
export async function record(context: DeployContext, deploy: Deploy, isForced: boolean): Promise<Deploy> {
  const now = context.reach.clock();
  const id = ulid(now);
  const written = await atRegistry(context, async ({ documents, by }) => {
    const at = new Date(now).toISOString();
    await documents.deploy({
      ...{ schema: 1, id, at, by, plugin: await ownVersion(), models: deploy.offers },
      ...(isForced && { forced: true }),
    });
    const lost = await keepSignatures(documents, deploy.offers, await context.signatures(), at);
    for (const line of lost) context.notice(line);
    return true;
  });
  return written === true ? { ...deploy, id } : deploy;
}

const refusal = (
  { model, text }: { readonly model: string; readonly text: string },
  held: Release['held'],
  stage: string,
): Problem => ({
  code: 'MODELS_RELEASE_REFUSED',
  key: `models.${model}`,
  message: `With this deploy ${text}, which --no-supersede does not allow.`,
  fix:
    held === undefined
      ? `Wait for its end (\`sls models status --model ${model} --stage ${stage} --watch\`), or deploy without --no-supersede.`
      : `It is held, and does not end by itself: \`sls models status --model ${model} --stage ${stage}\` shows the ways. Or deploy without --no-supersede.`,
});
