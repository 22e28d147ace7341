import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from './commands/command.ts';
import { type Problem, throwProblems } from './errors.ts';
import { ALIAS, aliasLogicalId } from './naming.ts';
import { frameworkSchema } from './options.ts';
import { parseModels } from './parse.ts';
import { releaseTargets, workerName } from './plan/alias.ts';
import { catalogManifest } from './plan/catalog.ts';
import { FILES_PREFIX } from './plan/endpoint.ts';
import type { Host } from './plan/host.ts';
import { layerPrefix } from './plan/layer.ts';
import { type PlanInput, planFunctions, planProblems } from './plan/plan.ts';
import {
  deployFunctionProblem,
  endpointLines,
  invokeLocalProblem,
  packagingNotices,
  unfinishedProblem,
} from './plan/report.ts';
import { isExternalApi } from './plan/routes.ts';
import { completed } from './plan/template.ts';
import {
  addSection,
  asUserError,
  awsConfig,
  type CliOptions,
  declaredIn,
  deploymentBucket,
  functionSchema,
  hostOf,
  packageFolder,
  progressOf,
  type Serverless,
  serviceOf,
  setFunctions,
  setOption,
  setTargetAlias,
  sha256,
  stackOutputs,
  templateOf,
  type Utils,
  versionIds,
} from './serverless.ts';
import type { ShipContext } from './ship/context.ts';

const VERBS = [
  ...['list', 'validate', 'plan', 'invoke', 'gate', 'serve', 'proxy'],
  ...['status', 'promote', 'rollback', 'hold', 'resume'],
] as const;

/** `sls models <verb>`: loaded only when one of them is meant, or help. The framework wants its commands at once, so by `require`. */
function verbs({ processedInput: { commands, options } }: Serverless): ReadonlyMap<string, Command> {
  if (commands.length > 0 && commands[0] !== 'models' && options.help !== true) return new Map();
  const require = createRequire(import.meta.url);
  const own = extname(fileURLToPath(import.meta.url));
  return new Map(VERBS.map((verb) => [verb, require(`./commands/${verb}${own}`).command]));
}

/** Wires the rooms to the framework: schema, commands, hooks. What happens is in the rooms. */
export default class ServerlessModels {
  /** The framework leaves the plugin out of services of other clouds. */
  readonly provider = 'aws';
  readonly commands: object;
  readonly hooks: Readonly<Record<string, () => Promise<void> | void>>;
  readonly #serverless: Serverless;
  readonly #options: CliOptions;
  readonly #utils: Utils;
  #input: PlanInput | undefined;
  #problems: readonly Problem[] = [];

  constructor(serverless: Serverless, options: CliOptions, utils: Utils) {
    this.#serverless = serverless;
    this.#options = options;
    this.#utils = utils;
    serverless.configSchemaHandler.defineTopLevelProperty(
      'models',
      frameworkSchema('models', functionSchema(serverless)),
    );
    serverless.configSchemaHandler.defineCustomProperties({
      properties: { models: frameworkSchema('custom') },
    });
    const known = verbs(serverless);
    this.commands = {
      models: {
        usage: 'Models of this service: validate, serve, plan, invoke, status',
        commands: Object.fromEntries(
          [...known].map(([verb, { usage, options }]) => [
            verb,
            { usage, options: { ...options }, lifecycleEvents: ['run'] },
          ]),
        ),
      },
    };
    this.hooks = {
      initialize: this.#guarded(() => this.#initialize()),
      ...Object.fromEntries(
        [...known].map(([verb, command]) => [`models:${verb}:run`, this.#guarded(() => this.#run(command))]),
      ),
      'before:invoke:invoke': this.#guarded(() => this.#invokeAlias()),
      'before:invoke:local:loadEnvVars': this.#guarded(() => this.#refuse(invokeLocalProblem)),
      'before:deploy:function:initialize': this.#guarded(() => this.#refuse(deployFunctionProblem)),
      'before:package:createDeploymentArtifacts': this.#guarded(() => this.#ship()),
      'before:package:compileFunctions': this.#guarded(() => this.#pointAtAlias()),
      'before:package:finalize': this.#guarded(() => this.#complete()),
      'before:aws:deploy:deploy:uploadArtifacts': this.#guarded(() => this.#upload()),
      'after:aws:info:gatherData': this.#guarded(() => this.#report()),
      'after:deploy:deploy': this.#guarded(() => this.#finishReleases()),
      'before:remove:remove': this.#guarded(() => this.#emptyRegistry()),
    };
  }

  /** Problems become the framework's user errors. */
  #guarded(work: () => Promise<void> | void): () => Promise<void> {
    return async () => {
      try {
        await work();
      } catch (error) {
        throw asUserError(this.#serverless, error);
      }
    };
  }

  #initialize(): void {
    const declared = declaredIn(this.#serverless);
    const host: Host = hostOf(this.#serverless, { ...this.#serverless.service.functions });
    const { models, drafts, options, problems } = parseModels(declared.models, {
      options: declared.options,
      architecture: host.provider.architecture,
      functions: Object.keys(host.functions),
      externalApi: isExternalApi(host),
    });
    const forced = this.#options.force ? { forced: new Date().toISOString() } : {};
    this.#input = { models, options, host, built: new Map(), zips: new Map(), ...forced };
    this.#problems = [...problems, ...planProblems(drafts, host, options)];
    // `sls models validate` lists the problems itself, together with those of the files.
    if (this.#serverless.processedInput.commands.join(' ') === 'models validate') return;
    throwProblems(this.#problems);
    setFunctions(this.#serverless, planFunctions(this.#input));
  }

  /** What packaging goes on with; undefined where the service has no models. */
  #active(): PlanInput | undefined {
    return this.#input !== undefined && this.#input.models.length > 0 ? this.#input : undefined;
  }

  async #run(command: Command): Promise<void> {
    if (this.#input === undefined) return;
    const plan = this.#input;
    const progress = progressOf(this.#utils);
    await command.run({
      models: plan.models,
      options: plan.options,
      service: serviceOf(this.#serverless),
      aws: awsConfig(this.#serverless, this.#options),
      bucket: () => this.#registryBucket(),
      flags: this.#options,
      print: this.#utils.writeText,
      notice: this.#utils.log.notice,
      progress,
      plan,
      problems: this.#problems,
      facts: async (models) => {
        const { factsOf } = await import('./ship/service.ts');
        return factsOf(models, { ...this.#shipContext(), progress });
      },
    });
  }

  async #registryBucket(): Promise<string> {
    return this.#input?.options.registry?.bucket ?? deploymentBucket(this.#serverless);
  }

  #shipContext(): ShipContext {
    return {
      serviceDir: this.#serverless.serviceDir,
      outDir: packageFolder(this.#serverless),
      progress: progressOf(this.#utils),
      environment: this.#input?.host.provider.environment,
      aws: awsConfig(this.#serverless, this.#options),
    };
  }

  async #ship(): Promise<void> {
    const input = this.#active();
    if (input === undefined) return;
    const { shipService } = await import('./ship/service.ts');
    const registry = input.options.registry?.bucket;
    const context = { ...this.#shipContext(), ...(registry !== undefined && { registry }) };
    const shipped = await shipService(input.models, context, (facts, versions) =>
      catalogManifest(input.models, input.host, facts, versions),
    );
    this.#input = { ...input, ...shipped };
    setFunctions(this.#serverless, planFunctions(this.#input));
    for (const line of packagingNotices(this.#input)) this.#utils.log.notice(line);
  }

  #pointAtAlias(): void {
    for (const { name } of this.#active()?.models ?? []) {
      setTargetAlias(this.#serverless, name, { name: ALIAS, logicalId: aliasLogicalId(name) });
    }
  }

  #complete(): void {
    const input = this.#active();
    if (input === undefined) return;
    const template = templateOf(this.#serverless);
    const { resources, outputs, problems } = completed(
      input,
      template.Resources,
      versionIds(this.#serverless),
      sha256,
    );
    Object.assign(template.Resources, resources);
    Object.assign(template.Outputs, outputs);
    throwProblems(problems);
  }

  async #upload(): Promise<void> {
    const input = this.#active();
    if (input === undefined || this.#serverless.service.provider.shouldNotDeploy === true) return;
    const { uploadService } = await import('./ship/service.ts');
    const bucket = await deploymentBucket(this.#serverless);
    const notices = await uploadService(
      packageFolder(this.#serverless),
      awsConfig(this.#serverless, this.#options),
      {
        layers: { bucket, prefix: layerPrefix(input.host) },
        files: { bucket: input.options.registry?.bucket ?? bucket, prefix: FILES_PREFIX },
        shared: input.options.registry?.bucket,
      },
      progressOf(this.#utils),
    );
    for (const line of notices) this.#utils.log.notice(line);
  }

  async #report(): Promise<void> {
    const input = this.#active();
    if (input === undefined) return;
    const outputs = await stackOutputs(awsConfig(this.#serverless, this.#options), input.host.stack);
    addSection(
      this.#serverless,
      'models',
      endpointLines(input.models, input.host, outputs.get('HttpApiUrl')),
    );
  }

  /** Ticks the releases to their end, so that a deploy that is done is live. */
  async #finishReleases(): Promise<void> {
    const input = this.#active();
    if (input === undefined || this.#serverless.service.provider.shouldNotDeploy === true) return;
    const { follow } = await import('./release/follow.ts');
    const { releaseLine } = await import('./release/words.ts');
    const { releaseWorker } = await import('./release/worker.ts');
    const worker = releaseWorker(awsConfig(this.#serverless, this.#options), workerName(input.host));
    const progress = progressOf(this.#utils);
    const answers = await follow(
      worker,
      releaseTargets(input.models, input.host),
      ({ model, reason, phase }) => progress(`Releasing ${model}: ${reason ?? phase.toLowerCase()}`),
    ).finally(() => {
      progress(undefined);
      worker.close();
    });
    const lines = answers.map(releaseLine);
    for (const { good, text } of lines) if (good) this.#utils.log.notice(text);
    throwProblems(lines.filter(({ good }) => !good).map(({ text }) => unfinishedProblem(text)));
  }

  /** Also where no model is declared any more: what earlier deploys recorded would keep the bucket from being deleted. */
  async #emptyRegistry(): Promise<void> {
    const named = this.#input?.options.registry?.bucket;
    const bucket = named ?? (await deploymentBucket(this.#serverless).catch(() => undefined));
    if (bucket === undefined) return;
    const { abortReleases, emptyRegistry } = await import('./release/remove.ts');
    const { callerOf, registryScope } = await import('./release/open.ts');
    const aws = awsConfig(this.#serverless, this.#options);
    const { name, stage, region } = serviceOf(this.#serverless);
    const scope = registryScope((await callerOf(aws)).account, region, name, stage);
    await abortReleases(aws, bucket, scope);
    if (named === undefined) await emptyRegistry(aws, bucket, scope, progressOf(this.#utils));
  }

  #invokeAlias(): void {
    const { function: key, qualifier } = this.#options;
    if (qualifier !== undefined || !this.#active()?.models.some(({ name }) => name === key)) return;
    setOption(this.#options, 'qualifier', ALIAS);
  }

  /** Commands on a single function that mean nothing for ours. */
  #refuse(problemOf: (key: string) => Problem): void {
    const input = this.#active();
    const key = this.#options.function;
    if (input !== undefined && typeof key === 'string' && key in planFunctions(input))
      throwProblems([problemOf(key)]);
  }
}

/** For those who write a model's `transform.ts`. */
export type { Transform } from '../../functions/infer/transform.ts';

// What `require` returns, where a service names this file by `plugins: {localPath, modules}`: the one form in which
// osls 4 takes a path outside the service's folder. https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require
export { ServerlessModels as 'module.exports' };
