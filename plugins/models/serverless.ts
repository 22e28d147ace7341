import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isObject } from '../../core/json/is-object.ts';
import type { AwsConfig, EncryptionHeaders } from '../../core/ports/config.ts';
import type { Service } from './context/context.ts';
import { type CredentialSource, credentialsFrom, frameworkProfile } from './context/credentials.ts';
import { sameService, type Utils } from './context/same-service.ts';
import { withSlashes } from './disk/slashes.ts';
import { clientAgents } from './network/proxied.ts';
import { isProblemError } from './problems/errors.ts';

/**
 * Our typed view of the framework: what of osls 3 and 4 and serverless 3.40 we touch, and the only place that
 * does. Credentials and calls are our own: osls 4 throws on `provider.request` and `provider.getCredentials`.
 */
export type Serverless = {
  readonly serviceDir: string;
  readonly service: FrameworkService;
  readonly configurationInput: Record<string, unknown> & { functions?: Record<string, FrameworkFunction> };
  readonly configSchemaHandler: {
    readonly defineTopLevelProperty: (name: string, schema: object) => void;
    readonly defineCustomProperties: (schema: object) => void;
    readonly schema?: {
      readonly properties?: {
        readonly functions?: { readonly patternProperties?: Readonly<Record<string, object>> };
      };
    };
  };
  readonly pluginManager?: { readonly plugins: readonly object[] };
  readonly classes: { readonly Error: new (message: string, code?: string) => Error };
  readonly getProvider: (name: 'aws') => FrameworkProvider;
  readonly addServiceOutputSection?: (name: string, lines: readonly string[]) => void;
  readonly processedInput: {
    readonly commands: readonly string[];
    readonly options: Record<string, unknown>;
  };
};

export type FrameworkFunction = Record<string, unknown> & {
  name?: string;
  events?: unknown[];
  targetAlias?: { name: string; logicalId: string };
  versionLogicalId?: string;
};

type FrameworkService = {
  readonly service: string;
  readonly provider: Record<string, unknown> & {
    compiledCloudFormationTemplate: { Resources: Record<string, unknown>; Outputs: Record<string, unknown> };
    readonly deploymentBucket?: unknown;
    /** The same as an object, once the framework has put the bucket's name into its place. */
    readonly deploymentBucketObject?: unknown;
    shouldNotDeploy?: boolean;
  };
  readonly custom?: Record<string, unknown>;
  /** `resources`, as merged by the framework. */
  readonly resources?: unknown;
  readonly package: Record<string, unknown> & { readonly deploymentBucket?: string };
  readonly layers?: unknown;
  functions: Record<string, FrameworkFunction>;
};

type FrameworkProvider = CredentialSource & {
  readonly getServerlessDeploymentBucketName: () => Promise<string>;
  readonly getRegion: () => string;
  readonly getDeploymentPrefix: () => string;
  readonly naming: { readonly getStackName: () => string };
  /** AWS SDK v2, of osls 3 and serverless 3; on osls 4 reading it throws. */
  readonly sdk?: {
    readonly config: {
      readonly endpoint?: unknown;
      readonly update: (options: { readonly endpoint: string; readonly s3ForcePathStyle: boolean }) => void;
    };
  };
};

/** Command-line options as the framework parsed them. */
export type CliOptions = Readonly<Record<string, string | boolean | undefined>>;

export function serviceOf(serverless: Serverless): Service {
  const provider = serverless.getProvider('aws');
  return {
    name: serverless.service.service,
    stage: provider.getStage(),
    region: provider.getRegion(),
    dir: serverless.serviceDir,
    stack: provider.naming.getStackName(),
  };
}

/**
 * Milliseconds; by itself the SDK waits for ever. AWS's services answer within seconds; a minute is what its
 * other SDKs wait for, too.
 */
const BOUNDS = { connectionTimeout: 10_000, socketTimeout: 60_000 } as const;

const profiles = ({ service }: Serverless, options: CliOptions) => ({
  option: options['aws-profile'],
  provider: service.provider.profile,
});

/** The profile by which the framework asks AWS, unless the environment alone says how. */
export const profileOf = (serverless: Serverless, options: CliOptions): string | undefined =>
  frameworkProfile(serverless.getProvider('aws'), profiles(serverless, options));

/**
 * What our SDK v3 clients take, with the framework's credentials; the SDK itself honours `AWS_ENDPOINT_URL`.
 * No call of theirs waits without a bound.
 */
export function awsConfig(serverless: Serverless, options: CliOptions): AwsConfig {
  const provider = serverless.getProvider('aws');
  const encryption = encryptionOf(serverless);
  const client = { region: provider.getRegion(), requestHandler: { ...BOUNDS, ...clientAgents() } };
  return {
    ...client,
    ...(encryption !== undefined && {
      encryption: async (bucket) => (bucket === (await deployedBucket(serverless)) ? encryption : undefined),
    }),
    ...credentialsFrom(provider, profiles(serverless, options), client),
  };
}

/**
 * osls 3 and serverless 3 ask AWS by SDK v2, which does not read AWS_ENDPOINT_URL: half of a deploy would go
 * there and half to AWS. Who has given it an endpoint already, another plugin for example, keeps that.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function honourEndpoint(serverless: Serverless): void {
  const { AWS_ENDPOINT_URL: endpoint, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: ignored } = process.env;
  const provider = serverless.getProvider('aws');
  if (!endpoint || ignored === 'true' || !Object.hasOwn(provider, 'sdk')) return;
  const config = provider.sdk?.config;
  if (config?.endpoint === undefined) config?.update({ endpoint, s3ForcePathStyle: true });
}

/** `models` and `custom.models` as they stand in serverless.yml, variables resolved. */
export function declaredIn(serverless: Serverless): { readonly models: unknown; readonly options: unknown } {
  return { models: serverless.configurationInput.models, options: serverless.service.custom?.models };
}

/**
 * A path as the framework's patterns see it: relative to the service, with `/`; and where it really lies, if
 * it is a link. None where that is elsewhere, or the service's folder.
 */
export const withinService =
  ({ serviceDir }: Pick<Serverless, 'serviceDir'>) =>
  (path: string): readonly string[] => {
    const full = resolve(serviceDir, path);
    const places = [relative(serviceDir, full), relative(realPath(serviceDir), realPath(full))];
    const found = places.map(withSlashes);
    return [...new Set(found)].filter((one) => one !== '' && one !== '..' && !one.startsWith('../'));
  };

/** As it is where nothing is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Sets patterns for the zips of the service's own functions; the user's own come later, and so decide. */
export function setPatterns({ service }: Serverless, patterns: readonly string[]): void {
  const { patterns: own } = service.package;
  service.package.patterns = [...patterns, ...(Array.isArray(own) ? own : [])];
}

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  asObject(value) as Readonly<Record<string, unknown>>;

/** The compiled stack: what the framework has made so far, to be changed in place. */
export function templateOf(serverless: Serverless): {
  readonly Resources: Record<string, Readonly<Record<string, unknown>>>;
  readonly Outputs: Record<string, unknown>;
} {
  const { Resources, Outputs } = serverless.service.provider.compiledCloudFormationTemplate;
  return { Resources: Resources as Record<string, Readonly<Record<string, unknown>>>, Outputs };
}

/**
 * Puts a part of the template into another order, in place: the framework and other plugins hold on to it.
 */
export function setOrder(part: Record<string, unknown>, ids: readonly string[]): void {
  const entries = ids.map((id) => [id, part[id]] as const);
  for (const id of ids) delete part[id];
  Object.assign(part, Object.fromEntries(entries));
}

/** The service as plain data, for the plan. `functions` are the user's own, taken before ours are added. */
export function hostOf(serverless: Serverless, functions: Readonly<Record<string, FrameworkFunction>>) {
  const { name, stage, region, stack } = serviceOf(serverless);
  const prefix = serverless.getProvider('aws').getDeploymentPrefix();
  return {
    service: name,
    stage,
    region,
    stack,
    provider: serverless.service.provider,
    functions,
    hasVpc:
      Boolean(serverless.service.provider.vpc) ||
      Object.values(functions).some((definition) => 'vpc' in definition),
    bucket: bucketOf(serverless),
    encryption: encryptionOf(serverless),
    prunePlugin: prunePluginOf(serverless),
    buckets: namedIn(serverless.service.resources, 'AWS::S3::Bucket', 'BucketName'),
    logGroups: namedIn(serverless.service.resources, 'AWS::Logs::LogGroup', 'LogGroupName'),
    declared: Object.keys(asObject(asRecord(serverless.service.resources).Resources)),
    extended: Object.keys(asObject(asRecord(serverless.service.resources).extensions)),
    prefix: `${prefix}/${name}/${stage}/`,
  };
}

/** `custom.prune`, where serverless-prune-plugin reads it, and acts by it at each deploy. */
function prunePluginOf({ pluginManager, service: { custom } }: Serverless): unknown {
  const prunes = pluginManager?.plugins.some((plugin) => plugin.constructor.name === 'Prune');
  const { automatic, number } = asRecord(custom?.prune);
  return prunes && automatic === true && Number(number) >= 1 ? number : undefined;
}

/** The service's own functions once all is compiled: other plugins add some meanwhile. */
export const ownFunctions = ({ service }: Pick<Serverless, 'service'>, ours: object) =>
  Object.fromEntries(Object.entries(service.functions).filter(([key]) => !Object.hasOwn(ours, key)));

/** Logical ids of the resources of a type with a literal name, by that name. */
function namedIn(resources: unknown, of: string, by: string): Readonly<Record<string, string>> {
  const declared = Object.entries(asObject(asRecord(resources).Resources));
  return Object.fromEntries(
    declared.flatMap(([id, resource]) => {
      const { Type: type, Properties: properties } = asRecord(resource);
      const { [by]: name } = asRecord(properties);
      return type === of && typeof name === 'string' ? [[name, id]] : [];
    }),
  );
}

/** Name of the deployment bucket where the user names one, else a reference to the stack's own. */
function bucketOf(serverless: Serverless): unknown {
  const { deploymentBucket } = serverless.service.provider;
  const named =
    typeof deploymentBucket === 'object' && deploymentBucket !== null && 'name' in deploymentBucket
      ? deploymentBucket.name
      : deploymentBucket;
  return (
    serverless.service.package.deploymentBucket ??
    (typeof named === 'string' ? named : { Ref: 'ServerlessDeploymentBucket' })
  );
}

/**
 * What the framework encrypts its own objects in the deployment bucket with, and a policy of the bucket may
 * insist on. A key of the customer's (`sseCustomerKey`) is not among it: CloudFormation and functions read
 * these objects, and have no such key.
 */
function encryptionOf({ service: { provider } }: Serverless): EncryptionHeaders | undefined {
  const { serverSideEncryption: algorithm, sseKMSKeyId: key } = asRecord(
    provider.deploymentBucketObject ?? provider.deploymentBucket,
  );
  const headers: EncryptionHeaders = {
    ...((algorithm === 'AES256' || algorithm === 'aws:kms') && { ServerSideEncryption: algorithm }),
    ...(typeof key === 'string' && { SSEKMSKeyId: key }),
  };
  return Object.keys(headers).length > 0 ? headers : undefined;
}

/** The framework's schema of a function: the very object, since other plugins extend it later. */
export function functionSchema({ configSchemaHandler }: Serverless): object | undefined {
  return Object.values(configSchemaHandler.schema?.properties?.functions?.patternProperties ?? {})[0];
}

/**
 * The same for `function:` of models, where one has it: the schema of functions is a third of what the
 * framework compiles of ours, 0.2 s of each command. What variables may still bring counts as having it.
 */
export function modelFunctionSchema(serverless: Serverless): object | undefined {
  const models = serverless.configurationInput.models ?? {};
  const known =
    isObject(models) && Object.values(models).every((model) => isObject(model) && !('function' in model));
  return known ? undefined : functionSchema(serverless);
}

/**
 * Does a text, a list or a number stand where `models` takes a map? The framework would stop at the first of
 * them, in words of its own. What variables may still bring counts as a map, and null as absent.
 */
export function isMisshapen({ configurationInput: { models } }: Serverless): boolean {
  return isNoMap(models) || (isObject(models) && Object.values(models).some(isNoMap));
}

const isNoMap = (value: unknown): boolean =>
  !(value === undefined || value === null || isObject(value)) &&
  !(typeof value === 'string' && value.includes('${'));

/**
 * Problems as the framework's own user errors: no stack, a code, exit status 1. Anything else is a bug and
 * passes.
 */
export function asUserError(serverless: Serverless, error: unknown, options: CliOptions = {}): unknown {
  if (!isProblemError(error)) return error;
  const message = sameService(error.message, options);
  return Object.assign(new serverless.classes.Error(message, error.code), { cause: error });
}

/** Where the framework puts a package: `.serverless`, moved by it when `--package` says so. */
export const packageFolder = ({ serviceDir }: Pick<Serverless, 'serviceDir'>): string =>
  join(serviceDir, '.serverless');

/** What the framework calls zips of its own by, beside ours: the service, and layers. */
export const zippedIn = ({ service }: Pick<Serverless, 'service'>): readonly string[] => [
  service.service,
  ...Object.keys(asObject(service.layers)),
];

/** Every event, permission and URL of the function points at its alias from here on. */
export function setTargetAlias(
  serverless: Serverless,
  key: string,
  alias: { name: string; logicalId: string },
): void {
  const { functions } = serverless.service;
  const definition = Object.hasOwn(functions, key) ? functions[key] : undefined;
  if (definition !== undefined) definition.targetAlias = alias;
}

/** Logical ids of the versions that the framework compiled, by function. */
export function versionIds(serverless: Serverless): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(serverless.service.functions).flatMap(([key, { versionLogicalId, targetAlias }]) =>
      versionLogicalId === undefined || targetAlias === undefined ? [] : [[key, versionLogicalId]],
    ),
  );
}

/** The bucket that the framework deploys through: there before the stack is updated. */
export const deploymentBucket = (serverless: Serverless): Promise<string> =>
  serverless.getProvider('aws').getServerlessDeploymentBucketName();

/** The same, or undefined where there is no stack yet. */
export async function deployedBucket(serverless: Serverless): Promise<string | undefined> {
  try {
    return await deploymentBucket(serverless);
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}

/** One line of running progress; undefined ends it. */
export function progressOf({ progress }: Utils): (text: string | undefined) => void {
  const line = progress.get('models');
  return (text) => (text === undefined ? line.remove() : line.notice(text));
}

/** Adds a section to what `sls deploy` and `sls info` print. */
export function addSection(serverless: Serverless, lines: readonly string[], options: CliOptions): void {
  const told = lines.map((line) => sameService(line, options));
  if (told.length > 0) serverless.addServiceOutputSection?.('models', told);
}

/** Sets a command-line option for the framework's own plugins, which share the object. */
export function setOption(options: CliOptions, name: string, value: string): void {
  (options as Record<string, string | boolean | undefined>)[name] = value;
}

/** Deploys what the framework would skip, since it compares with its last upload only. */
export function setDeploys(serverless: Serverless): void {
  serverless.service.provider.shouldNotDeploy = false;
}

/** Outputs of the deployed stack by name; empty where there is no stack. */
export async function outputsOfStack(aws: AwsConfig, stack: string): Promise<ReadonlyMap<string, string>> {
  const { isNoStack, stackOutputs: read } = await import('../../aws/stack.ts');
  try {
    return await read(aws, stack);
  } catch (error) {
    if (isNoStack(error)) return new Map();
    throw error;
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
