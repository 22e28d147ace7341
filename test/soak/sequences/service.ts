import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  DeleteAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  ListVersionsByFunctionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DeleteScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import type { Release } from '../../../core/release/document/contract.ts';
import { client, deployed } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../../local-aws/start.ts';
import type { Status } from '../../../plugins/models/releases/status.ts';
import { startTraffic } from '../../journeys/releases/traffic.ts';
import { caseOf, EASY } from '../../journeys/releases/version.ts';
import { PLUGIN, prepareService } from '../../journeys/service.ts';
import { ACCOUNT } from '../../local-aws/lambda.ts';
import {
  type Ended,
  type Fingerprint,
  type Kind,
  MODELS,
  type Name,
  type Offering,
  type Recorded,
  type Subject,
  sharesOf,
  type Template,
} from '../../unit/core/release/sequences/subject.ts';
import { FLOAT, modelOf, node, tensorInfo } from '../../unit/plugins/models/artifact/onnx/onnx-writer.ts';

/** The service of two models on a local AWS, deployed and steered by the real command line. */

/** Requests a second to each model, and the share that a bad version cannot answer. */
const PACE = 20;
const SHARE = 0.4;
/** Traffic in which a held candidate that is bad is found. */
const HELD_MS = 15_000;
/** What is to be so is so after that long, on a machine that is busy, too. */
const QUIET_MS = 90_000;
const LOOKS = 4;
const HOOK = pathToFileURL(fileURLToPath(new URL('kill.mjs', import.meta.url))).href;
const RUNNING: readonly Release['phase'][] = ['GATING', 'WARMING', 'SHIFTING', 'JUDGING', 'PROMOTING'];

/**
 * Operators by kind. Asked for zero (easy) and one (hard), a good version answers both, a bad one has no
 * answer to the second, and the gate asks the first.
 */
const OPERATORS: Readonly<Record<Kind, readonly string[]>> = {
  good: ['Sin'],
  gate: ['Cos'],
  bad: ['Neg', 'Sqrt'],
};
const artifactOf = (kind: Kind): Uint8Array => {
  const names = ['x', ...OPERATORS[kind].slice(1).map((_, i) => `t${i}`), 'y'];
  return modelOf({
    nodes: OPERATORS[kind].map((type, i) => node(type, [names[i] ?? ''], [names[i + 1] ?? ''])),
    inputs: [tensorInfo('x', FLOAT, ['n'])],
    outputs: [tensorInfo('y', FLOAT, ['n'])],
  });
};

/**
 * Something of the service's own that AWS refuses, created after the aliases: settings of a route that is not
 * there.
 */
const BROKEN = `    Broken:
      Type: AWS::ApiGatewayV2::Stage
      DependsOn: [ALiveAlias, BLiveAlias]
      Properties:
        ApiId: {Ref: Own}
        StageName: broken
        RouteSettings: {"GET /nowhere": {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}}
`;
const RULES =
  '{strategy: canary, minRequests: 20, increase: 50%, maxWait: 6h, rollbackWindow: 0, steps: [{weight: 25, bake: 2m}, {weight: 50, bake: 2m}]}';
const yamlOf = (service: string, template: Template, isBroken: boolean): string => `service: ${service}
plugins: [serverless-models]
provider: {name: aws}
models:
${MODELS.map(
  (name) => `  ${name}:
    artifact: ${template[name].split('-')[0]}.onnx
    function: {environment: {VERSION_IS: ${template[name]}}}
    gate: {cases: cases.jsonl}
    concurrency: {provisioned: 1}
    release: ${RULES}
`,
).join('')}resources:
  Resources:
    Own: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: ${service}, ProtocolType: HTTP}}
${isBroken ? BROKEN : ''}`;

export type RealService = Subject & {
  /** @throws Error where `sls remove` fails */
  end(): Promise<void>;
};

/** @param speed of the local AWS's clock */
export async function realService(aws: LocalAws, name: string, speed: number): Promise<RealService> {
  const minute = 60_000 / speed;
  const files = {
    ...Object.fromEntries(
      (Object.keys(OPERATORS) as Kind[]).map((kind) => [`${kind}.onnx`, artifactOf(kind)]),
    ),
    'cases.jsonl': caseOf(EASY, 0),
  };
  const first: Template = { a: 'good-0', b: 'good-0' };
  const service = await prepareService({ yaml: yamlOf(name, first, false), files }, aws);
  const to = client(aws.endpoint);
  const [lambda, scheduler] = [new LambdaClient(to), new SchedulerClient(to)];
  const s3 = new S3Client({ ...to, forcePathStyle: true });
  const functionOf = (model: Name): string => `${service.stack}-${model}`;
  const mark = join(service.dir, 'mark');
  /** What CloudFormation's templates called a version, by its fingerprint there. */
  const labels = new Map<string, Fingerprint>();
  const contents = new Map<string, Fingerprint>();
  let bucket: string | undefined;
  let statuses: readonly Status[] | undefined;

  const learn = async (template: Template): Promise<void> => {
    const file = join(service.dir, '.serverless', 'cloudformation-template-update-stack.json');
    const { Resources } = JSON.parse(await readFile(file, 'utf8'));
    for (const model of MODELS)
      labels.set(Resources[`${model.toUpperCase()}LiveAlias`].Properties.Fingerprint, template[model]);
  };
  const Key = (model: Name): string => `models/${ACCOUNT}/${REGION}/${name}/dev/releases/${model}/live.json`;
  const place = async (model: Name) => {
    bucket ??= (await deployed(aws.endpoint))
      .find((stack) => stack.name === service.stack)
      ?.resources.find(({ id }) => id === 'ServerlessDeploymentBucket')?.physical;
    return { Bucket: bucket, Key: Key(model) };
  };
  const release = async (model: Name): Promise<Release | undefined> => {
    try {
      const { Body } = await s3.send(new GetObjectCommand(await place(model)));
      return JSON.parse((await Body?.transformToString()) ?? '');
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
      throw error;
    }
  };
  const contentOf = async (model: Name, version: string): Promise<Fingerprint | undefined> => {
    const FunctionName = functionOf(model);
    const known = contents.get(`${FunctionName}:${version}`);
    if (known !== undefined) return known;
    const { Environment } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName, Qualifier: version }),
    );
    const is = Environment?.Variables?.VERSION_IS as Fingerprint | undefined;
    if (is !== undefined) contents.set(`${FunctionName}:${version}`, is);
    return is;
  };
  const alias = async (model: Name) => {
    try {
      const found = await lambda.send(new GetAliasCommand({ FunctionName: functionOf(model), Name: 'live' }));
      return {
        version: found.FunctionVersion ?? '',
        weights: found.RoutingConfig?.AdditionalVersionWeights ?? {},
      };
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  };
  const schedules = async (model: Name) => {
    const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({}));
    return Schedules.filter(({ Name = '' }) => Name.startsWith(`${functionOf(model)}-`));
  };

  const traffic = () => {
    const both = MODELS.map((model) => startTraffic(aws.endpoint, functionOf(model), PACE));
    for (const one of both) one.hard(SHARE);
    return { stop: () => Promise.all(both.map((one) => one.stop())) };
  };
  /** Is there nothing more to find out about it, with so much traffic? */
  const isDecided = async (model: Name, since: number): Promise<boolean> => {
    const [document, at] = [await release(model), await alias(model)];
    if (document === undefined || at === undefined) return true;
    if (document.phase !== 'HELD') return !RUNNING.includes(document.phase);
    return Object.keys(at.weights).length === 0 || Date.now() - since > HELD_MS;
  };
  const busy = async (limit: number): Promise<void> => {
    // The framework's command ends at the first failure: what a failed deploy superseded begins again later.
    await service.rests();
    const since = Date.now();
    const isOver = async () =>
      (await Promise.all(MODELS.map((model) => isDecided(model, since)))).every(Boolean);
    if (await isOver()) return;
    const asked = traffic();
    while (Date.now() - since < limit && !(await isOver())) await sleep(300);
    await asked.stop();
  };

  const deploy = async (template: Template, options: Offering = {}): Promise<Ended | undefined> => {
    const { force, wait, isBroken = false, killed } = options;
    const yaml = yamlOf(name, template, isBroken).replace('serverless-models', PLUGIN);
    await service.rests();
    await writeFile(join(service.dir, 'serverless.yml'), yaml);
    await rm(mark, { force: true });
    const env = {
      ...aws.env,
      NODE_OPTIONS: `${aws.env.NODE_OPTIONS ?? ''} --import ${HOOK}`,
      SOAK_MARK: mark,
      ...(killed && { SOAK_KILL: killed }),
    };
    let over = false;
    const running = service
      .slsAs(env, 'deploy', ...(force ? ['--force'] : []), ...(wait ? ['--wait'] : []))
      .finally(() => {
        over = true;
      });
    // Whoever waits for a release waits for its traffic.
    const follows = async () =>
      access(mark).then(
        () => true,
        () => false,
      );
    while (wait && killed !== 'before the upload' && !over && !(await follows())) await sleep(100);
    const asked = wait && !over ? traffic() : undefined;
    const { code, stdout, stderr } = await running;
    await asked?.stop();
    await learn(template);
    if (stderr.includes('killed by SIGKILL')) {
      if (killed === undefined) throw new Error(`it did not end:\n${stdout}${stderr}`);
      await service.rests();
      return undefined;
    }
    return { code: code === 0 ? 0 : 1, output: stdout + stderr };
  };

  const epoch = Number(aws.env.MODELS_AWS_EPOCH);

  return {
    now: () => epoch + (Date.now() - epoch) * speed,
    deploy,
    minutes: async (count, isBusy) => (isBusy ? busy(3 * count * minute) : sleep(count * minute)),
    quiet: async (look) => {
      const end = Date.now() + QUIET_MS;
      for (let looks = 1; ; looks += 1) {
        statuses = undefined;
        const fault = await look().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (fault === undefined) return;
        if (Date.now() > end && looks >= LOOKS) throw fault;
        await sleep(500);
      }
    },
    command: async (model, verb, version) => {
      const ran = await service.sls('models', verb, '--model', model, ...(version ? ['--to', version] : []));
      return ran.code === 0;
    },
    moveAlias: async (model, FunctionVersion) => {
      const RoutingConfig = { AdditionalVersionWeights: {} };
      await lambda.send(
        new UpdateAliasCommand({
          FunctionName: functionOf(model),
          Name: 'live',
          FunctionVersion,
          RoutingConfig,
        }),
      );
    },
    loseAlias: async (model) => {
      await lambda.send(new DeleteAliasCommand({ FunctionName: functionOf(model), Name: 'live' }));
    },
    loseSchedules: async (model) => {
      for (const { Name, GroupName } of await schedules(model))
        await scheduler.send(new DeleteScheduleCommand({ Name, GroupName }));
    },
    loseDocument: async (model) => {
      await s3.send(new DeleteObjectCommand(await place(model)));
    },
    status: async (model) => {
      if (statuses === undefined) {
        const { code, stdout, stderr } = await service.sls('models', 'status', '--json');
        if (code !== 0) throw new Error(`sls models status ends with ${code}:\n${stdout}${stderr}`);
        statuses = JSON.parse(stdout) as readonly Status[];
      }
      const found = statuses.find((one) => one.model === model);
      if (found === undefined) throw new Error(`status does not know ${model}`);
      return found;
    },
    traffic: async (model) => {
      const at = await alias(model);
      if (at === undefined) return undefined;
      const known = new Map<string, Fingerprint | undefined>();
      for (const version of [at.version, ...Object.keys(at.weights)])
        known.set(version, await contentOf(model, version));
      return sharesOf(at, (version) => known.get(version));
    },
    document: async (model): Promise<Recorded | undefined> => {
      const found = await release(model);
      if (found === undefined) return undefined;
      const named = ({ fingerprint = '' }: { readonly fingerprint?: string }) => ({
        fingerprint: labels.get(fingerprint) ?? fingerprint,
      });
      return {
        phase: found.phase,
        ...(found.reason !== undefined && { reason: found.reason }),
        ...(found.stable && { stable: named(found.stable) }),
        ...(found.candidate && { candidate: named(found.candidate) }),
        ...(found.putBackAt !== undefined && { putBackAt: found.putBackAt }),
        refused: found.refused.map((one) => ({ ...named(one), at: one.at })),
      };
    },
    schedules: async (model) => (await schedules(model)).length,
    held: async (model) => {
      const { ProvisionedConcurrencyConfigs = [] } = await lambda.send(
        new ListProvisionedConcurrencyConfigsCommand({ FunctionName: functionOf(model) }),
      );
      const versions = ProvisionedConcurrencyConfigs.map(
        ({ FunctionArn = '' }) => FunctionArn.split(':').at(-1) ?? '',
      );
      return Promise.all(versions.map(async (version) => (await contentOf(model, version)) ?? version));
    },
    published: async (model) => {
      const { Versions = [] } = await lambda.send(
        new ListVersionsByFunctionCommand({ FunctionName: functionOf(model) }),
      );
      return Versions.map(({ Version = '' }) => Version)
        .filter((version) => version !== '$LATEST')
        .sort((one, other) => Number(one) - Number(other));
    },
    contentOf,
    end: async () => {
      for (const one of [lambda, scheduler, s3]) one.destroy();
      await service.remove();
    },
  };
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
