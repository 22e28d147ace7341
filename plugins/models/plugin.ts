import { DEPLOY_OPTIONS, PACKAGE_OPTIONS, verbs } from './commands/verbs.ts';
import type { Command } from './context/context.ts';
import { PROFILE, type Utils, visibly } from './context/same-service.ts';
import type { PlanInput } from './contracts/input.ts';
import type { ServiceContext, ShipContext } from './contracts/ship-context.ts';
import { ALIAS, aliasLogicalId, batchKey, lambdaName, RELEASE } from './declaration/naming.ts';
import { frameworkSchema } from './declaration/options.ts';
import { parseModels } from './declaration/parse.ts';
import { deployHooks } from './deploy.ts';
import { cacheFolder } from './disk/cache.ts';
import { setFunctions, settleFunctions } from './functions.ts';
import { heldAudits } from './plan/audit/audit.ts';
import { catalogManifest } from './plan/catalog/catalog.ts';
import { monitorManifest } from './plan/drift/monitor.ts';
import { isExternalApi } from './plan/endpoint/routes.ts';
import { leftOnRemove } from './plan/left-behind.ts';
import { leftOut, zipOf } from './plan/own-zips.ts';
import { planFunctions, planProblems } from './plan/plan.ts';
import {
  deployFunctionProblem,
  endpointLines,
  invokeLocalProblem,
  ownFunctionProblem,
  packagingNotices,
  rollbackFunctionProblem,
} from './plan/report.ts';
import { completed, isRacedOutput, isRacedResource, steadyOrder } from './plan/template.ts';
import { formatProblem, isProblemError, type Problem, throwProblems } from './problems/errors.ts';
import type { ServiceImages } from './releases/packages/remove-images.ts';
import type { CliOptions, Serverless } from './serverless.ts';
import * as framework from './serverless.ts';
import { PROMOTE_FROM } from './stages/option.ts';

/** Wires the rooms to the framework: schema, commands, hooks. What happens is in the rooms. */
export default class ServerlessModels {
  /** The framework leaves the plugin out of services of other clouds. */
  readonly provider = 'aws';
  readonly commands: object;
  readonly hooks: Readonly<Record<string, (error?: unknown) => Promise<void> | void>>;
  readonly #serverless: Serverless;
  readonly #options: CliOptions;
  /** As they were given, with the profile: the framework adds the region that it asks by itself. */
  readonly #given: CliOptions;
  readonly #utils: Utils;
  /** Other plugins name another one to the framework while it packages (serverless-plugin-typescript). */
  readonly #serviceDir: string;
  #input: PlanInput | undefined;
  #problems: readonly Problem[] = [];
  #declared: readonly string[] = [];
  #images: ServiceImages = [];
  readonly #verbs: ReadonlyMap<string, Command>;

  constructor(serverless: Serverless, options: CliOptions, utils: Utils) {
    this.#serverless = serverless;
    this.#options = options;
    this.#given = { ...options, [PROFILE]: framework.profileOf(serverless, options) };
    this.#utils = visibly(utils, this.#given);
    this.#serviceDir = serverless.serviceDir;
    // Not in `initialize`: there the framework asks AWS already.
    framework.honourEndpoint(serverless);
    serverless.configSchemaHandler.defineTopLevelProperty(
      'models',
      framework.isMisshapen(serverless)
        ? frameworkSchema('any')
        : frameworkSchema('models', framework.modelFunctionSchema(serverless)),
    );
    serverless.configSchemaHandler.defineCustomProperties({
      properties: { models: frameworkSchema('any') },
    });
    const known = verbs(serverless.processedInput);
    this.#verbs = known;
    this.commands = {
      // Added to the framework's own: each of them merges the options of all plugins by command.
      deploy: { options: DEPLOY_OPTIONS },
      package: { options: PACKAGE_OPTIONS },
      models: {
        // `sls models` alone lists the commands; without this it does nothing, and says nothing.
        type: 'container',
        usage: 'Models of this service: validate, serve, plan, invoke, status',
        commands: Object.fromEntries(
          [...known].map(([verb, { usage, options }]) => [
            verb,
            { usage, options: { ...options }, lifecycleEvents: ['run'] },
          ]),
        ),
      },
    };
    const deploy = deployHooks({
      serverless,
      options,
      utils: this.#utils,
      declared: () => this.#input,
      active: () => this.#active(),
    });
    this.hooks = {
      initialize: this.#guarded(() => this.#initialize()),
      ...Object.fromEntries(
        [...known].map(([verb, command]) => [`models:${verb}:run`, this.#guarded(() => this.#run(command))]),
      ),
      'before:invoke:invoke': this.#guarded(() => this.#invokeAlias()),
      'before:invoke:local:loadEnvVars': this.#guarded(() => this.#refuse(invokeLocalProblem)),
      'before:deploy:function:initialize': this.#guarded(() => this.#refuse(deployFunctionProblem)),
      'before:rollback:function:rollback': this.#guarded(() => this.#refuse(rollbackFunctionProblem)),
      'before:package:createDeploymentArtifacts': this.#guarded(() => this.#ship()),
      'before:package:compileFunctions': this.#guarded(() => this.#pointAtAlias()),
      'before:package:finalize': this.#guarded(() => this.#complete()),
      'after:aws:package:finalize:mergeCustomProviderResources': this.#guarded(() => this.#holdAudits()),
      'after:aws:common:moveArtifactsToTemp:move': this.#guarded(() => this.#takePackage()),
      'before:deploy:deploy': this.#guarded(() => deploy.begin()),
      'after:aws:deploy:deploy:checkForChanges': this.#guarded(() => deploy.askAnew()),
      'before:aws:deploy:deploy:uploadArtifacts': this.#guarded(() => deploy.upload()),
      'after:aws:info:gatherData': this.#guarded(() => this.#report()),
      'after:deploy:deploy': this.#guarded(() => deploy.finish()),
      'before:rollback:rollback': this.#guarded(() => deploy.beginRollback()),
      'after:rollback:rollback': this.#guarded(() => deploy.finishRollback()),
      'before:remove:remove': this.#guarded(() => this.#emptyRegistry()),
      'after:remove:remove': this.#guarded(() => this.#removeImages()),
      error: deploy.failed,
    };
  }

  /** Problems become the framework's user errors. */
  #guarded(work: () => Promise<void> | void): () => Promise<void> {
    return async () => {
      try {
        await work();
      } catch (error) {
        throw framework.asUserError(this.#serverless, error, this.#given);
      }
    };
  }

  #initialize(): void {
    const declared = framework.declaredIn(this.#serverless);
    const host = framework.hostOf(this.#serverless, { ...this.#serverless.service.functions });
    const { names, models, drafts, options, empty, problems } = parseModels(declared.models, {
      options: declared.options,
      architecture: host.provider.architecture,
      functions: Object.keys(host.functions),
      externalApi: isExternalApi(host),
    });
    this.#input = { models, options, host, built: new Map(), zips: new Map(), empty };
    this.#declared = names;
    this.#problems = [...problems, ...planProblems(drafts, host, options)];
    // `runCommand` tells the problems of a command that goes on all the same, and with `--json` of each
    // command of ours.
    const [room, verb = ''] = this.#serverless.processedInput.commands;
    const goesOn = this.#options.json || this.#verbs.get(verb)?.onProblems !== undefined;
    if (room === 'models' && goesOn && this.#problems.length > 0) return;
    // `status` sends to the log of what is deployed, whatever serverless.yml says meanwhile.
    const isLog = room === 'logs' && drafts.length > 0;
    if (isLog) for (const problem of this.#problems) this.#utils.log.warning(formatProblem(problem));
    else throwProblems(this.#problems);
    setFunctions(this.#serverless, planFunctions({ ...this.#input, models: isLog ? drafts : models }));
    const within = framework.withinService(this.#serverless);
    framework.setPatterns(this.#serverless, leftOut(models, cacheFolder(), within));
  }

  /** What packaging goes on with; undefined where the service has no models. */
  #active(): PlanInput | undefined {
    return this.#input !== undefined && this.#input.models.length > 0 ? this.#input : undefined;
  }

  async #run(command: Command): Promise<void> {
    if (this.#input === undefined) return;
    const plan = this.#input;
    const progress = framework.progressOf(this.#utils);
    const { runCommand } = await import('./context/context.ts');
    await runCommand(command, {
      models: plan.models,
      declared: this.#declared,
      options: plan.options,
      service: framework.serviceOf(this.#serverless),
      aws: framework.awsConfig(this.#serverless, this.#options),
      bucket: () => this.#registryBucket(),
      flags: this.#options,
      print: this.#utils.writeText,
      notice: this.#utils.log.notice,
      warning: this.#utils.log.warning,
      progress,
      plan,
      problems: this.#problems,
      facts: async (models) => {
        const { factsOf } = await import('./ship/service.ts');
        return factsOf(models, { ...this.#shipContext(), ...(await this.#validated(models)), progress });
      },
    });
  }

  /**
   * The registry that commands read: the one of what is deployed, before the one that serverless.yml names.
   */
  async #registryBucket(): Promise<string> {
    const { deployedRegistry } = await import('../../aws/lambda/deployed-registry.ts');
    const { name, stage } = framework.serviceOf(this.#serverless);
    const aws = framework.awsConfig(this.#serverless, this.#options);
    const declared = this.#input?.options.registry?.bucket;
    return (
      (await deployedRegistry(aws, lambdaName(name, stage, RELEASE))) ??
      declared ??
      framework.deploymentBucket(this.#serverless)
    );
  }

  #shipContext(): ServiceContext {
    return {
      imaged: async (model, shipped) => {
        const { imagedBy } = await import('./images/packaged.ts');
        const { name } = framework.serviceOf(this.#serverless);
        return imagedBy(name, framework.progressOf(this.#utils))(model, shipped);
      },
      serviceDir: this.#serviceDir,
      outDir: framework.packageFolder({ serviceDir: this.#serviceDir }),
      zipOf: (key) => zipOf(key, framework.zippedIn(this.#serverless)),
      progress: framework.progressOf(this.#utils),
      environment: this.#input?.host.provider.environment,
      aws: framework.awsConfig(this.#serverless, this.#options),
    };
  }

  /** What another stage has validated, where that is asked for; nothing else is packaged then. */
  async #validated(models: PlanInput['models']): Promise<Pick<ShipContext, 'validated'>> {
    const given = this.#options[PROMOTE_FROM];
    if (given === undefined) return {};
    const { readStage } = await import('./stages/read-stage.ts');
    const aws = framework.awsConfig(this.#serverless, this.#options);
    return { validated: await readStage(aws, framework.serviceOf(this.#serverless), given, models) };
  }

  async #ship(): Promise<void> {
    const input = this.#active();
    if (input === undefined) return;
    const { shipService } = await import('./ship/service.ts');
    const registry = input.options.registry?.bucket;
    const context = {
      ...this.#shipContext(),
      ...(registry !== undefined && { registry }),
      ...(await this.#validated(input.models)),
    };
    const shipped = await shipService(input.models, context, {
      catalog: (facts, versions) => catalogManifest(input.models, input.host, facts, versions),
      monitor: (facts) => monitorManifest(input.models, input.host, facts),
    });
    this.#input = { ...input, ...shipped };
    setFunctions(this.#serverless, planFunctions(this.#input), planFunctions(input));
    const { forecastWarning } = await import('./releases/words/forecast.ts');
    const warnings = input.models.map(forecastWarning).filter((line) => line !== undefined);
    for (const line of [...packagingNotices(this.#input), ...warnings]) this.#utils.log.notice(line);
  }

  #pointAtAlias(): void {
    const input = this.#active();
    if (input === undefined) return;
    for (const line of settleFunctions(this.#serverless, planFunctions(input))) this.#utils.log.notice(line);
    for (const { name, batch } of input.models) {
      const alias = { name: ALIAS, logicalId: aliasLogicalId(name) };
      framework.setTargetAlias(this.#serverless, name, alias);
      // The worker moves both at once.
      if (batch !== undefined) framework.setTargetAlias(this.#serverless, batchKey(name), alias);
    }
  }

  #complete(): void {
    const known = this.#active();
    if (known === undefined) return;
    const functions = framework.ownFunctions(this.#serverless, planFunctions(known));
    const input = { ...known, host: { ...known.host, functions } };
    const template = framework.templateOf(this.#serverless);
    const { resources, problems } = completed(
      input,
      template.Resources,
      template.Outputs,
      framework.versionIds(this.#serverless),
      framework.sha256,
    );
    Object.assign(template.Resources, resources);
    framework.setOrder(template.Resources, steadyOrder(template.Resources, isRacedResource));
    framework.setOrder(template.Outputs, steadyOrder(template.Outputs, isRacedOutput));
    throwProblems(problems);
  }

  /** The service's own `resources` are in the template now, too. */
  #holdAudits(): void {
    const input = this.#active();
    if (input === undefined) return;
    const template = framework.templateOf(this.#serverless);
    const { resources, lines } = heldAudits(template.Resources, input.models);
    Object.assign(template.Resources, resources);
    for (const line of lines) this.#utils.log.notice(line);
  }

  async #report(): Promise<void> {
    const input = this.#active();
    if (input === undefined) return;
    const outputs = await framework.outputsOfStack(
      framework.awsConfig(this.#serverless, this.#options),
      input.host.stack,
    );
    framework.addSection(
      this.#serverless,
      endpointLines(input.models, input.host, outputs.get('HttpApiUrl')),
      this.#given,
    );
  }

  /**
   * Also where no model is declared any more: what earlier deploys recorded would keep the bucket from being
   * deleted.
   */
  async #emptyRegistry(): Promise<void> {
    const [{ leaveRegistry }, { refusedByAws }] = await Promise.all([
      import('./releases/remove.ts'),
      import('./releases/session.ts'),
    ]);
    const service = framework.serviceOf(this.#serverless);
    const refused = (error: unknown): never => {
      throw isProblemError(error) ? error : refusedByAws(service, error);
    };
    const own = await framework.deploymentBucket(this.#serverless).catch(() => undefined);
    const aws = framework.awsConfig(this.#serverless, this.#options);
    const named = this.#input?.options.registry?.bucket;
    if (this.#input !== undefined) {
      const { imagesToRemove } = await import('./releases/packages/remove-images.ts');
      this.#images = await imagesToRemove(aws, this.#input.models, this.#input.host, named ?? own).catch(
        refused,
      );
    }
    if (this.#input !== undefined)
      for (const line of leftOnRemove(this.#input.models, this.#input.host)) this.#utils.log.notice(line);
    const progress = framework.progressOf(this.#utils);
    const lines = await leaveRegistry(aws, service, { own, named }, progress).catch(refused);
    for (const line of lines) this.#utils.log.notice(line);
  }

  /** Functions that still run need them. */
  async #removeImages(): Promise<void> {
    if (this.#input === undefined || this.#images.length === 0) return;
    const { removeServiceImages } = await import('./releases/packages/remove-images.ts');
    const aws = framework.awsConfig(this.#serverless, this.#options);
    await removeServiceImages(aws, this.#images, this.#input.host);
  }

  #invokeAlias(): void {
    const { function: key, qualifier } = this.#options;
    if (qualifier !== undefined || !this.#active()?.models.some(({ name }) => name === key)) return;
    framework.setOption(this.#options, 'qualifier', ALIAS);
  }

  /** Before the framework reads a package that `--package` named. */
  async #takePackage(): Promise<void> {
    const input = this.#active();
    if (input === undefined) return;
    const { ownZips } = await import('./ship/moved-package.ts');
    await ownZips(framework.packageFolder(this.#serverless), Object.keys(planFunctions(input)));
  }

  /** Commands on a single function that mean nothing for ours. */
  #refuse(problemOf: (key: string) => Problem): void {
    const input = this.#active();
    const key = this.#options.function;
    if (input !== undefined && typeof key === 'string' && Object.hasOwn(planFunctions(input), key))
      throwProblems([ownFunctionProblem(key) ?? problemOf(key)]);
  }
}

/** For those who write a model's `transform.ts`, or a `serverless.ts`. */
export type { Transform } from '../../core/protocol/transform.ts';
export type { Models, ModelsOptions } from './declaration/schema.ts';

// What `require` returns, where a service names this file by `plugins: {localPath, modules}`: the one form in
// which osls 4 takes a path outside the service's folder.
// https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require
export { ServerlessModels as 'module.exports' };
