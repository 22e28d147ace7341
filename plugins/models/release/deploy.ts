import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { TickAnswer } from '../../../functions/release/contract.ts';
import type { Release } from '../../../functions/release/document/contract.ts';
import { messageOf } from '../../../functions/shared/aws/errors.ts';
import { cloudWatchMetrics } from '../../../functions/shared/aws/metrics.ts';
import type { Context } from '../commands/command.ts';
import { type Problem, problemError, throwProblems } from '../errors.ts';
import type { Model } from '../model.ts';
import { releaseTargets, workerName } from '../plan/alias.ts';
import type { Host } from '../plan/host.ts';
import { unfinishedProblem } from '../plan/report.ts';
import { gateFailure, latencyLine, type Offer, refusalsLine, superseded } from './deployment.ts';
import { follow, isSettled } from './follow.ts';
import { forecastLines, isStepwise, type Traffic } from './forecast.ts';
import { type Aliases, aliasesOf, goneLines, lastLines } from './gone.ts';
import { type Opened, openRegistry, registryFix } from './open.ts';
import { ulid } from './ulid.ts';
import { pluginVersion } from './version.ts';
import { answerLine, releaseLine, skippedLine, untouchedLine } from './words.ts';
import { releaseWorker } from './worker.ts';

/** What `sls deploy` and the framework's `sls rollback` do about releases from this side. */

export type DeployContext = Pick<Context, 'aws' | 'service' | 'notice' | 'progress'> & {
  readonly models: readonly Model[];
  readonly host: Host;
  /** The bucket of the registry; undefined before a first deploy. */
  readonly bucket: () => Promise<string | undefined>;
};

/** A deploy that is under way. */
export type Deploy = {
  /** The releases that were there, by model. */
  readonly before: ReadonlyMap<string, Release>;
  /** Id of its record, once there is one. */
  readonly id?: string;
};

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
  const { aws, host, models, notice, service } = context;
  const [before, gone] = (await atRegistry(
    context,
    async ({ documents }) =>
      [
        await releasesOf(models, documents),
        offers.length === 0
          ? []
          : await goneLines(
              documents,
              models.map(({ name }) => name),
              aliasesOf(aws, host.stack),
            ),
      ] as const,
  )) ?? [new Map<string, Release>(), []];
  const lost = superseded(offers, before);
  if (!supersede) throwProblems(lost.map((one) => refusal(one, service.stage)));
  for (const { model, text } of lost) notice(`${model}: ${text}`);
  for (const line of gone) notice(line);
  return { before };
}

/** Before a deploy that declares no model: what of earlier ones it deletes. Never throws, and supersedes nothing. */
export async function part(context: DeployContext): Promise<void> {
  const { aws, host, notice } = context;
  const read = (aliases: Aliases) =>
    atRegistry(context, ({ documents }) => goneLines(documents, [], aliases));
  for (const line of await lastLines(aliasesOf(aws, host.stack), read)) notice(line);
}

/** Who deploys what, written down before anything changes. */
export async function record(
  context: DeployContext,
  deploy: Deploy,
  models: readonly Offer[],
): Promise<Deploy> {
  const id = ulid(Date.now());
  const written = await atRegistry(context, async ({ documents, by }) => {
    const at = new Date().toISOString();
    await documents.deploy({ schema: 1, id, at, by, plugin: await pluginVersion(), models });
    return true;
  });
  return written === true ? { ...deploy, id } : deploy;
}

/**
 * After the stack is done: ticks each release until it goes on by itself, or with `wait` until it is promoted or given up.
 *
 * @throws ProblemError where a release that this deploy began ended badly, or waits for a person
 */
export async function finish(context: DeployContext, deploy: Deploy, wait: boolean): Promise<void> {
  const { aws, host, models, notice, progress } = context;
  const begun = (await atRegistry(context, ({ documents }) => releasesOf(models, documents))) ?? new Map();
  const isNew = (model: string): boolean =>
    begun.get(model)?.release !== undefined &&
    begun.get(model)?.release !== deploy.before.get(model)?.release;
  const targets = releaseTargets(models, host).map((target) => ({
    ...target,
    // A deploy that does not touch a model is not the one that its release belongs to.
    ...(deploy.id !== undefined && isNew(target.model) && { deployment: deploy.id }),
  }));
  const worker = releaseWorker(aws, workerName(host));
  const said = new Map<string, string>();
  const seen = (answer: TickAnswer): void => {
    const { line, key } = answerLine(answer);
    progress(line);
    if (wait && answer.running && said.get(answer.model) !== key) notice(line);
    said.set(answer.model, key);
  };
  const toTheEnd = {
    done: (answer: TickAnswer) => isSettled(answer) || !isNew(answer.model),
    limit: Number.POSITIVE_INFINITY,
  };
  const foretellAll = async (answers: readonly TickAnswer[]): Promise<void> => {
    const judging = new Set(answers.filter(({ phase }) => phase === 'JUDGING').map(({ model }) => model));
    for (const model of models)
      if (judging.has(model.name) && isNew(model.name)) await foretell(context, model);
  };
  const work = async (): Promise<readonly TickAnswer[]> => {
    const begun = await follow(worker, targets, seen, {});
    if (!wait) return begun;
    await foretellAll(begun);
    return follow(worker, targets, seen, toTheEnd);
  };
  const answers = await work().finally(() => {
    progress(undefined);
    worker.close();
  });
  // What is of another deploy is no failure of this one.
  const lines = answers.map((answer) =>
    isNew(answer.model) ? releaseLine(answer) : { good: true, text: untouchedLine(answer) },
  );
  const bad = lines.filter(({ good }) => !good);
  for (const line of lines) if (!bad.includes(line)) notice(line.text);
  if (!wait) await foretellAll(answers);
  throwProblems(bad.map(({ text }) => unfinishedProblem(text, host.stage)));
}

/** After a deploy that found nothing to change: why what it would have deployed is not live, where it is not. */
export async function skipped(context: DeployContext): Promise<void> {
  const { aws, host, models, notice, progress } = context;
  const worker = releaseWorker(aws, workerName(host));
  const seen = (answer: TickAnswer): void => progress(answerLine(answer).line);
  const answers = await follow(worker, releaseTargets(models, host), seen, { done: () => true }).finally(
    () => {
      progress(undefined);
      worker.close();
    },
  );
  const found = await atRegistry(context, ({ documents }) => releasesOf(models, documents));
  for (const answer of answers) {
    const line = skippedLine(answer, found?.get(answer.model)?.stable?.version, host.stage);
    if (line !== undefined) notice(line);
  }
}

/** What the canary that has just begun can see, and what is not looked at. */
async function foretell(context: DeployContext, model: Model): Promise<void> {
  if (!isStepwise(model)) return;
  const begun = await atRegistry(context, ({ documents }) => releasesOf([model], documents));
  const release = begun?.get(model.name);
  const lines = forecastLines(model, await trafficOf(context, model));
  const unjudged = release === undefined ? [] : [latencyLine(release), refusalsLine(release)];
  for (const line of [...lines, ...unjudged.filter((line) => line !== undefined)]) context.notice(line);
}

const DAY = 24 * 60 * 60 * 1000;

async function trafficOf({ aws, host }: DeployContext, model: Model): Promise<Traffic> {
  if (model.traffic !== undefined) return { perSecond: model.traffic, from: 'declared' };
  const [target] = releaseTargets([model], host);
  if (target === undefined) return { unknown: 'the model has no alias' };
  const client = new CloudWatchClient(aws);
  try {
    const now = Date.now();
    const rate = await cloudWatchMetrics(client).rate(target.functionName, target.alias, now - DAY, now);
    return { ...rate, from: 'measured' };
  } catch (error) {
    return { unknown: `its traffic cannot be read (${messageOf(error)})` };
  } finally {
    client.destroy();
  }
}

/** After a deploy that failed: what its gates found is shown, and the record says how it ended. Never throws. */
export async function failed(context: DeployContext, deploy: Deploy, error: unknown): Promise<void> {
  const { models, notice } = context;
  const work = async ({ documents }: Opened): Promise<void> => {
    const at = new Date().toISOString();
    const after = await releasesOf(models, documents);
    for (const [model, release] of after) {
      if (release.release === deploy.before.get(model)?.release) continue;
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
}

/** @returns undefined where there is no registry yet */
async function atRegistry<T>(
  { aws, service, bucket }: DeployContext,
  work: (opened: Opened) => Promise<T>,
): Promise<T | undefined> {
  let opened: Opened | undefined;
  try {
    const name = await bucket();
    if (name === undefined) return undefined;
    opened = await openRegistry(aws, service, name);
    return await work(opened);
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucket') return undefined;
    throw problemError(
      [
        {
          code: 'MODELS_AWS',
          key: 'models',
          message: `The registry cannot be used: ${messageOf(error)}.`,
          fix: registryFix(
            error,
            'Check credentials and --aws-profile; docs/deploy-policy.md lists what a deploy needs.',
          ),
        },
      ],
      error,
    );
  } finally {
    opened?.close();
  }
}

async function releasesOf(
  models: readonly Model[],
  documents: Opened['documents'],
): Promise<ReadonlyMap<string, Release>> {
  const found = await Promise.all(
    models.map(async ({ name }) => [name, (await documents.release(name))?.release] as const),
  );
  return new Map(found.flatMap(([name, release]) => (release === undefined ? [] : [[name, release]])));
}

const refusal = (
  { model, text }: { readonly model: string; readonly text: string },
  stage: string,
): Problem => ({
  code: 'MODELS_RELEASE_REFUSED',
  key: `models.${model}`,
  message: `With this deploy ${text}, which --no-supersede does not allow.`,
  fix: `Wait for its end (\`sls models status --model ${model} --stage ${stage} --watch\`), or deploy without --no-supersede.`,
});
