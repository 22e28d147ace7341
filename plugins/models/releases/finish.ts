import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import type { TickAnswer } from '../../../core/release/document/worker-contract.ts';
import { isPending, keptSteps } from '../../../core/release/state/predicates.ts';
import { withStop } from '../../../core/text/stop.ts';
import type { Model } from '../declaration/model.ts';
import { offersIn, releaseTargets } from '../plan/release/offers.ts';
import { isProblemError, type Problem, problemError, throwProblems } from '../problems/errors.ts';
import { isSuspect } from './alias/lacks.ts';
import { atRegistry, type Deploy, type DeployContext, type Documents, releasesOf } from './deploy-context.ts';
import { latencyLine, type Offer, refusalsLine } from './deployment.ts';
import { forecastLines, isStepwise, longestRelease } from './words/forecast.ts';
import { answerLine, endLine, keptStepsLine, problemOf } from './words/lines.ts';
import { type Outcome, outcomeOf, type Stands } from './words/outcome.ts';
import { followReleases, isLeft, isSettled } from './worker/follow.ts';

/** How a deploy ends: what it offered is held against what is so. */

/**
 * The models that CloudFormation would not ask for, since the framework skips the deploy or nothing of them
 * has changed, although their offer is neither live, on its way nor refused, or is live while another one is
 * on its way, or without instances that AWS refused before. They are asked for anew; else a deploy that
 * failed would be green, or fail for ever, when it is run again. Where it failed for something else than its
 * models, none of them is missing, and it is deployed all the same.
 *
 * @param skips the framework would skip the deploy
 * @returns undefined where nothing is to be asked for anew, and what it would skip may be skipped
 */
export async function missing(
  context: DeployContext,
  { offers }: Pick<Deploy, 'offers'>,
  skips: boolean,
): Promise<readonly string[] | undefined> {
  const same = skips ? offers : await unchangedOf(context, offers);
  if (same.length === 0) return undefined;
  const stands = await standsOf(context);
  const anew = same.flatMap(({ model, fingerprint }) => {
    const so = stands.get(model) ?? {};
    const outcome = outcomeIn(stands, model, fingerprint);
    if (outcome.is === 'none' || outcome.is === 'uncalled') {
      const why = outcome.is === 'none' ? outcome.why : 'it has no alias and no release';
      return [{ model, why: `what it offers is not live: ${why}` }];
    }
    const release = typeof so.release === 'object' ? so.release : undefined;
    const other = release !== undefined && isPending(release) ? release.candidate : undefined;
    if (other !== undefined && other.fingerprint !== fingerprint)
      return [{ model, why: `another version, ${other.version}, is on its way` }];
    const refused = outcome.is === 'live' ? release?.scaled?.refused : undefined;
    return refused === undefined ? [] : [{ model, why: `AWS refused provisioned concurrency: ${refused}` }];
  });
  for (const { model, why } of anew)
    context.notice(
      `${model}: nothing of it has changed since the last upload, but ${withStop(why)} So it is deployed again.`,
    );
  if (anew.length > 0) return anew.map(({ model }) => model);
  if (!skips) return undefined;
  // What is refused ends the command with an error, deployed or not.
  const isRefused = offers.some(
    ({ model, fingerprint }) => outcomeIn(stands, model, fingerprint).is === 'refused',
  );
  if (isRefused || !(await context.reach.rolledBack())) return undefined;
  context.notice(
    'Nothing has changed since the last upload, but the stack was rolled back when it was deployed. So it is deployed again.',
  );
  return [];
}

/**
 * What the deployed template offers as well. Where that cannot be read, CloudFormation compares, and asks for
 * what differs.
 */
async function unchangedOf(
  { models, reach }: DeployContext,
  offers: readonly Offer[],
): Promise<readonly Offer[]> {
  const deployed = offersIn(models, await reach.template().catch(() => ({})));
  const there = new Map(deployed.map(({ model, fingerprint }) => [model, fingerprint]));
  return offers.filter(({ model, fingerprint }) => there.get(model) === fingerprint);
}

/**
 * At the end, skipped by the framework or not: ticks each release until it goes on by itself, or with `wait`
 * until it is promoted or given up. Then each model's offer is held against what is so. A model that the
 * template has not is left alone: a tick would make its alias again, which nobody deleted by mistake.
 *
 * @throws ProblemError where an offer is neither live nor on its way, or with `wait` waits for a person
 */
export async function finishDeploy(
  context: DeployContext,
  { earlier, id, offers }: Deploy,
  wait: boolean,
): Promise<void> {
  const { host, models, notice, progress, reach } = context;
  const begun = (await atRegistry(context, ({ documents }) => releasesOf(models, documents))) ?? new Map();
  const ours = oursOf(offers, earlier, begun);
  const offered = new Set(offers.map(({ model }) => model));
  const targets = releaseTargets(
    models.filter(({ name }) => offered.has(name)),
    host,
  ).map((target) => {
    const release = ours.get(target.model);
    return {
      ...target,
      ...(release !== undefined && { release, ...(id !== undefined && { deployment: id }) }),
    };
  });
  const worker = reach.worker();
  const time = { clock: reach.clock, wait: reach.pause };
  const reported = new Map<string, string>();
  const seen = (answer: TickAnswer): void => {
    const { line, key } = answerLine(answer);
    progress(line);
    if (wait && answer.running && reported.get(answer.model) !== key) notice(line);
    reported.set(answer.model, key);
  };
  const foretellAll = async (answers: readonly TickAnswer[]): Promise<void> => {
    const judging = new Set(answers.filter(({ phase }) => phase === 'JUDGING').map(({ model }) => model));
    for (const model of models)
      if (judging.has(model.name) && ours.has(model.name)) await foretell(context, model);
  };
  const onItsWay = new Map(
    offers.flatMap(({ model, fingerprint }) =>
      begun.get(model)?.candidate?.fingerprint === fingerprint ? [[model, begun.get(model)?.release]] : [],
    ),
  );
  const toTheEnd = {
    done: (answer: TickAnswer) =>
      isSettled(answer) || !onItsWay.has(answer.model) || isReplaced(answer, onItsWay.get(answer.model)),
    limit: longestRelease(models),
  };
  const work = async (): Promise<readonly TickAnswer[]> => {
    const first = await followReleases(worker, targets, seen, { ...time, done: isLeft });
    if (!wait) return first;
    await foretellAll(first);
    return followReleases(worker, targets, seen, { ...time, ...toTheEnd });
  };
  const answers = await work()
    .catch((error: unknown) => {
      throw unfollowed(error, host.stage);
    })
    .finally(() => {
      progress(undefined);
      worker.close();
    });
  const stands = await standsOf(context);
  const problems = answers.flatMap((answer): readonly Problem[] => {
    const offer = offers.find(({ model }) => model === answer.model);
    if (offer === undefined) return [];
    const outcome = outcomeIn(stands, answer.model, offer.fingerprint);
    const problem = problemOf(answer, outcome, wait, host.stage);
    if (problem === undefined) notice(endLine(answer, ours.has(answer.model)));
    return problem === undefined ? [] : [problem];
  });
  if (!wait) await foretellAll(answers);
  for (const [model, { release }] of stands) {
    const refused = typeof release === 'object' ? release.scaled?.refused : undefined;
    if (refused !== undefined)
      notice(`${model}: AWS refused provisioned concurrency, and it goes on without: ${withStop(refused)}`);
    const kept = typeof release === 'object' && isPending(release) ? keptSteps(release) : undefined;
    if (typeof release === 'object' && kept) notice(keptStepsLine(model, kept, release.settings));
  }
  const suspects = [...stands.values()].flatMap(({ release, alias }) =>
    typeof release === 'object' && alias !== undefined && isSuspect(release, alias) ? [release] : [],
  );
  for (const { name } of models)
    if (!offered.has(name))
      notice(`${name}: the template that is deployed now has no such model, so it is not deployed any more`);
  const lacking = await atRegistry(context, ({ by }) => reach.lacks(by, suspects));
  for (const line of lacking?.lines ?? []) notice(line);
  throwProblems([...problems, ...(lacking?.problems ?? [])]);
}

/** CloudFormation is done by then: what cannot be followed goes on by its schedule. */
const unfollowed = (error: unknown, stage: string): Error =>
  isProblemError(error)
    ? error
    : problemError(
        [
          {
            code: 'MODELS_AWS',
            key: 'models',
            message: `The stack is deployed, but its releases cannot be followed: ${withStop(messageOf(error))}`,
            fix: `They go on by themselves: \`sls models status --stage ${stage}\` shows how they stand.`,
          },
        ],
        error,
      );

/** Does a worker that names its release tell of another one than the followed one? */
const isReplaced = ({ release }: TickAnswer, followed: string | undefined): boolean =>
  release !== undefined && followed !== undefined && release !== followed;

/** Releases that this deploy began, by model: new since it began, and about what it offers. */
function oursOf(
  offers: readonly Offer[],
  earlier: ReadonlyMap<string, string>,
  begun: ReadonlyMap<string, Release>,
): ReadonlyMap<string, string> {
  return new Map(
    offers.flatMap(({ model, fingerprint }) => {
      const found = begun.get(model);
      const about = found?.candidate ?? found?.stable;
      const isNew = found !== undefined && found.release !== earlier.get(model);
      return isNew && about?.fingerprint === fingerprint ? [[model, found.release]] : [];
    }),
  );
}

/** Where there is no registry, nothing was read. */
function outcomeIn(stands: ReadonlyMap<string, Stands>, model: string, fingerprint: string): Outcome {
  const so = stands.get(model);
  return so === undefined
    ? { is: 'none', why: 'the registry is not there, so nothing is known of it' }
    : outcomeOf(fingerprint, so);
}

/** What the document and the alias say of each model now; empty where there is no registry. */
async function standsOf(context: DeployContext): Promise<ReadonlyMap<string, Stands>> {
  const { models, host, reach } = context;
  const found = await atRegistry(context, ({ documents }) =>
    Promise.all(
      releaseTargets(models, host).map(async (target): Promise<readonly [string, Stands]> => {
        const document = await documents.release(target.model);
        // `sls rollback` may have brought a template that names the function otherwise.
        const { functionName } = document?.core ?? target;
        const alias = await reach.alias({ ...target, functionName });
        const release = document && (document.release ?? 'newer');
        const known = typeof release === 'object' ? await fingerprinted(documents, release) : release;
        return [target.model, { ...(known && { release: known }), ...(alias && { alias }) }];
      }),
    ),
  );
  return new Map(found ?? []);
}

/** A version that was found on the alias is known by its record, if there is one. */
async function fingerprinted(documents: Pick<Documents, 'known'>, release: Release): Promise<Release> {
  const { stable, model, functionName } = release;
  if (stable === undefined || stable.fingerprint !== undefined) return release;
  const record = await documents.known(model, stable.version);
  return record?.functionName === functionName
    ? { ...release, stable: { ...stable, fingerprint: record.fingerprint } }
    : release;
}

/** What the canary that has just begun can see, and what is not looked at. */
async function foretell(context: DeployContext, model: Model): Promise<void> {
  if (!isStepwise(model)) return;
  const { host, reach, notice } = context;
  const begun = await atRegistry(context, ({ documents }) => releasesOf([model], documents));
  const release = begun?.get(model.name);
  const [target] = releaseTargets([model], host);
  const traffic =
    model.traffic !== undefined
      ? ({ perSecond: model.traffic, from: 'declared' } as const)
      : target === undefined
        ? { unknown: 'the model has no alias' }
        : await reach.traffic(target);
  const unjudged = release === undefined ? [] : [latencyLine(release), refusalsLine(release)];
  for (const line of [...forecastLines(model, traffic), ...unjudged]) if (line !== undefined) notice(line);
}
