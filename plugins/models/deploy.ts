import type { Utils } from './context/same-service.ts';
import { makerOf } from './contracts/host.ts';
import type { PlanInput } from './contracts/input.ts';
import { keptDashboard } from './plan/dashboard/dashboard.ts';
import { leftBehind } from './plan/left-behind.ts';
import { keptFunctions, movedNames } from './plan/moved-names.ts';
import { namedAnew, renamed } from './plan/named-anew.ts';
import { askedAgain, imagesIn, markedForced, offersIn } from './plan/release/offers.ts';
import { FILES_PREFIX, layerPrefix } from './plan/shared/registry-place.ts';
import { isRacedOutput, isRacedResource, steadyOrder } from './plan/template.ts';
import { throwProblems } from './problems/errors.ts';
import type { Deploy, DeployContext } from './releases/deploy-context.ts';
import type { Reach } from './releases/ports.ts';
import type { CliOptions, Serverless } from './serverless.ts';
import * as framework from './serverless.ts';
import { PROMOTE_FROM, unpromoted } from './stages/option.ts';

/**
 * What happens around the framework's `deploy` and `rollback`, a function a hook. What is decided is in
 * `releases/`.
 */

type Given = {
  readonly serverless: Serverless;
  readonly options: CliOptions;
  readonly utils: Utils;
  /** Undefined where the service has no `models`. */
  readonly declared: () => PlanInput | undefined;
  /** Undefined where it has none left. */
  readonly active: () => PlanInput | undefined;
};

export function deployHooks({ serverless, options, utils, declared, active }: Given) {
  let deploy: Deploy | undefined;
  const aws = () => framework.awsConfig(serverless, options);

  async function contextOf({ models, host, options: service }: PlanInput): Promise<DeployContext> {
    const { deployContext } = await import('./releases/reach.ts');
    const { packagedSignatures } = await import('./ship/service.ts');
    return deployContext({
      aws: aws(),
      service: framework.serviceOf(serverless),
      notice: utils.log.notice,
      progress: framework.progressOf(utils),
      models,
      host,
      signatures: async () => packagedSignatures(framework.packageFolder(serverless)),
      bucket: async () => service.registry?.bucket ?? framework.deployedBucket(serverless),
    });
  }

  /**
   * By the template: the package may be one made earlier.
   *
   * @param isDeployed nothing has changed since they were pushed
   */
  async function pushImages({ models, host }: PlanInput, isDeployed: boolean): Promise<void> {
    const images = imagesIn(models, framework.templateOf(serverless).Resources);
    if (images.size === 0) return;
    const wanted = [...images].map(([name, image]) => {
      const declared = models.find((model) => model.name === name)?.image?.repository;
      return [name, { ...image, named: declared === image.repository }] as const;
    });
    const { packagedImages } = await import('./ship/service.ts');
    const { uploadImages } = await import('./images/upload.ts');
    const notices = await uploadImages(
      await packagedImages(framework.packageFolder(serverless)),
      aws(),
      new Map(wanted),
      makerOf(host),
      framework.progressOf(utils),
      isDeployed,
    );
    for (const line of notices) utils.log.notice(line);
  }

  /** Without a change CloudFormation would not ask. */
  function mark(models: readonly string[]): void {
    const { Resources: resources } = framework.templateOf(serverless);
    Object.assign(resources, askedAgain(resources, models, new Date().toISOString()));
  }

  /** In place: the framework and other plugins hold on to the template. */
  function rename(names: ReadonlyMap<string, string>): void {
    if (names.size === 0) return;
    const { Resources: resources, Outputs: outputs } = framework.templateOf(serverless);
    const parts = [renamed(resources, names), renamed(outputs, names)] as const;
    for (const part of [resources, outputs]) for (const id of Object.keys(part)) delete part[id];
    Object.assign(resources, parts[0]);
    Object.assign(outputs, parts[1]);
    framework.setOrder(resources, steadyOrder(resources, isRacedResource));
    framework.setOrder(outputs, steadyOrder(outputs, isRacedOutput));
  }

  async function refuseMoved(
    { models }: PlanInput,
    deployed: Parameters<typeof movedNames>[2],
    { reach }: DeployContext,
  ): Promise<void> {
    const moved = movedNames(models, framework.templateOf(serverless).Resources, deployed);
    // One that somebody deleted is in nobody's way.
    const there = await Promise.all(moved.map(({ value }) => reach.exists(String(value))));
    throwProblems(moved.filter((_, index) => there[index]));
  }

  function left(deployed: Parameters<typeof leftBehind>[1]): void {
    for (const line of leftBehind(framework.templateOf(serverless).Resources, deployed))
      utils.log.notice(line);
  }

  /** An output of batch belongs to one service and stage. */
  async function lookAtOutputs(when: 'before' | 'after', { models }: PlanInput): Promise<void> {
    if (!models.some(({ batch }) => batch !== undefined)) return;
    const { outputsAt } = await import('./batch-jobs/us.ts');
    const { problems, lines } = await outputsAt(when, aws(), framework.serviceOf(serverless), models);
    throwProblems(problems);
    for (const line of lines) utils.log.notice(line);
  }

  /** CloudFormation makes no bucket over one that is there. */
  async function lookAtBuckets({ models }: PlanInput, deployed: Reach['template']): Promise<void> {
    if (!models.some(({ batch }) => batch !== undefined && batch.create.length > 0)) return;
    const { bucketsAt } = await import('./batch-jobs/us.ts');
    throwProblems(await bucketsAt(aws(), models, deployed));
  }

  return {
    /** Runs before the framework asks whether anything has changed. */
    begin: async (): Promise<void> => {
      const input = active();
      const { begin, part } = await import('./releases/begin.ts');
      if (input === undefined) {
        const none = declared();
        if (none === undefined) return;
        const context = await contextOf(none);
        await part(context);
        return left(await context.reach.template().catch(() => ({})));
      }
      const context = await contextOf(input);
      const { Resources: resources } = framework.templateOf(serverless);
      const offers = offersIn(input.models, resources);
      const from = options[PROMOTE_FROM];
      if (from !== undefined) throwProblems(unpromoted(offers, from));
      const { keepsPackages } = await import('./releases/packages/package-kind.ts');
      await keepsPackages(input.models, resources, context.reach);
      deploy = await begin(context, offers, options.supersede !== false);
      const { forceMark } = await import('./releases/deployment.ts');
      const forced = options.force ? forceMark(deploy.before, Date.now()) : undefined;
      Object.assign(resources, markedForced(resources, forced));
      await lookAtOutputs('before', input);
      const { keepRoles } = await import('./releases/keep-roles.ts');
      let read: ReturnType<Reach['template']> | undefined;
      const template: Reach['template'] = () => {
        read ??= context.reach.template();
        return read;
      };
      // What cannot be read is told with the roles.
      const deployed = await template().catch(() => ({}));
      await refuseMoved(input, deployed, context);
      await lookAtBuckets(input, template);
      const { deletedBesideModels } = await import('./releases/removed-models.ts');
      const kept = keptFunctions(input.models, resources, deployed);
      throwProblems(await deletedBesideModels(kept, context.reach));
      left(deployed);
      Object.assign(resources, keptDashboard(resources, deployed, input.host));
      rename(namedAnew(input.models, resources, deployed, framework.sha256));
      const roles = await keepRoles(input, resources, { template });
      Object.assign(resources, roles.resources);
      for (const line of roles.lines) utils.log.notice(line);
      const { keepPlaces } = await import('./batch-jobs/keep-places.ts');
      const places = await keepPlaces(input, resources, deploy.before, template, Date.now());
      Object.assign(resources, places.resources);
      for (const line of places.lines) utils.log.notice(line);
      mark(deploy.again);
    },

    /** What the framework or CloudFormation would pass over, though it is not so, is deployed. */
    askAnew: async (): Promise<void> => {
      const input = active();
      if (input === undefined || deploy === undefined) return;
      const skips = serverless.service.provider.shouldNotDeploy === true;
      // Forced, each model is asked for.
      if (!skips && options.force) return;
      const { missing } = await import('./releases/finish.ts');
      const models = await missing(await contextOf(input), deploy, skips);
      if (models === undefined) return;
      mark(models);
      framework.setDeploys(serverless);
    },

    upload: async (): Promise<void> => {
      const input = active();
      if (input === undefined) return;
      const skips = serverless.service.provider.shouldNotDeploy === true;
      if (!skips && deploy !== undefined) {
        const { record } = await import('./releases/begin.ts');
        deploy = await record(await contextOf(input), deploy, options.force === true);
      }
      const { restoreFiles, uploadService } = await import('./ship/service.ts');
      const bucket = await framework.deploymentBucket(serverless);
      const files = { bucket: input.options.registry?.bucket ?? bucket, prefix: FILES_PREFIX };
      const [folder, progress] = [framework.packageFolder(serverless), framework.progressOf(utils)];
      if (skips) {
        for (const line of await restoreFiles(folder, aws(), files, progress)) utils.log.notice(line);
        return pushImages(input, true);
      }
      const notices = await uploadService(
        folder,
        aws(),
        {
          layers: { bucket, prefix: layerPrefix(input.host) },
          files,
          shared: input.options.registry?.bucket,
        },
        progress,
      );
      for (const line of notices) utils.log.notice(line);
      await pushImages(input, false);
    },

    /**
     * Ticks the releases until they go on by themselves, and tells whether what was offered is live or on its
     * way.
     */
    finish: async (): Promise<void> => {
      const [input, begun] = [active(), deploy];
      if (input === undefined || begun === undefined) return;
      // What fails from here on is no failure of the deploy.
      deploy = undefined;
      const { finishDeploy } = await import('./releases/finish.ts');
      await finishDeploy(await contextOf(input), begun, options.wait === true);
      await lookAtOutputs('after', input);
    },

    /**
     * `sls rollback` brings an earlier template, whose models are not known here. Without a timestamp it only
     * lists.
     */
    beginRollback: async (): Promise<void> => {
      const input = active();
      if (input === undefined || !options.timestamp) return;
      const { begin, record } = await import('./releases/begin.ts');
      const context = await contextOf(input);
      deploy = await record(context, await begin(context, [], true), false);
    },

    finishRollback: async (): Promise<void> => {
      const [input, begun] = [active(), deploy];
      if (input === undefined || begun === undefined) return;
      deploy = undefined;
      const { finishDeploy } = await import('./releases/finish.ts');
      const context = await contextOf(input);
      const offers = offersIn(input.models, await context.reach.template());
      await finishDeploy(context, { ...begun, offers }, false);
    },

    /** The framework calls this before it prints its error. */
    failed: async (error: unknown): Promise<void> => {
      const input = active();
      if (input === undefined || deploy?.id === undefined) return;
      const { failed } = await import('./releases/failed.ts');
      await failed(await contextOf(input), deploy, error);
    },
  };
}
