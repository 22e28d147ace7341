import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { client, type DeployedStack, deployed, httpApiUrl } from '../../local-aws/deployed.ts';
import type { LocalAws } from '../../local-aws/start.ts';
import { runWarm } from '../warm-sls.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/**
 * osls 4 takes a plugin's path only below the service's folder: a file there leads to the source. (A link to
 * the whole repository would be packaged with the service's own functions.)
 */
export const PLUGIN = './models-plugin.cjs';
const SOURCE = join(root, 'plugins', 'models', 'plugin.ts');
/** From now on commands in this folder are of the plugin at `source`; default: of this version. */
export const leadTo = (dir: string, source = SOURCE): Promise<void> =>
  writeFile(join(dir, PLUGIN), `module.exports = require(${JSON.stringify(source)});\n`);
/** osls 4. */
const SLS = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
const COMMAND_TIMEOUT = 240_000;
const RESTS_WITHIN = 120_000;
/**
 * How often the framework asks what a stack does, in ms of ours. Its own five seconds spare AWS's rate
 * limits; here they were most of a journey's time. The variable is the framework's.
 */
const ASKS_EVERY_MS = 250;

/** A service's content: a folder to copy, or its `serverless.yml` with further files by relative path. */
export type Source =
  | string
  | { readonly yaml: string; readonly files?: Readonly<Record<string, string | Uint8Array>> };

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

type Invoked = {
  /** The answer's JSON; undefined when empty. */
  readonly answer: unknown;
  /** Set when the function failed: `Unhandled`. */
  readonly error: string | undefined;
  readonly version: string;
  readonly log: string;
};

export type Service = {
  readonly dir: string;
  readonly stack: string;
  /** Runs `sls <args>` in the service's folder against the local AWS; never throws for an exit code. */
  sls(...args: string[]): Promise<Ran>;
  /** The same in another environment: other credentials. */
  slsAs(env: LocalAws['env'], ...args: string[]): Promise<Ran>;
  /**
   * Waits until its stack takes a change. The framework ends at the first failure, while CloudFormation still
   * rolls back; a version that the failed deploy made is there until then.
   */
  rests(): Promise<void>;
  /**
   * Writes a new serverless.yml (if given) and deploys, once its stack rests; throws with the command's
   * output if that fails.
   */
  deploy(yaml?: string, ...args: string[]): Promise<Deployment>;
  /** Runs `sls remove`, once its stack rests (throws if it fails), and deletes the folder. */
  remove(): Promise<void>;
};

export type Deployment = {
  readonly outputs: DeployedStack['outputs'];
  readonly resources: DeployedStack['resources'];
  /** What `sls deploy` printed. */
  readonly printed: Ran;
  /** Base URL of the service's HTTP API; throws where there is none. */
  http(): string;
  /** Invokes `<stack>-<key>` through the alias `live` unless another qualifier is given ('' for none). */
  invoke(key: string, event: unknown, qualifier?: string): Promise<Invoked>;
  /** All log lines of the function, oldest first. */
  logs(key: string): Promise<string[]>;
};

/**
 * Puts a service into a temporary folder, ready for `sls`. `serverless-models` under `plugins` becomes the
 * plugin's path.
 * @param bin the framework's command line
 * @param run default: commands after the first are run by a process that is warm
 */
export async function prepareService(
  source: Source,
  aws: LocalAws,
  stage = 'dev',
  bin = SLS,
  run = runWarm,
): Promise<Service> {
  const dir = await mkdtemp(join(tmpdir(), 'models-journey-'));
  if (typeof source === 'string')
    await cp(source, dir, {
      recursive: true,
      filter: (path) => !/(?:^|\/)(?:node_modules|\.serverless|\.git)$/.test(path),
    });
  else {
    for (const [name, content] of Object.entries(source.files ?? {})) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), content);
    }
  }
  await leadTo(dir);
  const file = join(dir, 'serverless.yml');
  // Whole at any time: another command may read it meanwhile.
  const write = async (yaml: string): Promise<void> => {
    await writeFile(`${file}.next`, withPlugin(yaml));
    await rename(`${file}.next`, file);
  };
  await write(typeof source === 'string' ? await readFile(file, 'utf8') : source.yaml);
  const name = /^service:\s*([A-Za-z0-9-]+)\s*$/m.exec(await readFile(file, 'utf8'))?.[1];
  if (!name) throw new Error(`${file} has no plain line "service: <name>".`);
  const stack = `${name}-${stage}`;

  const slsAs = (env: LocalAws['env'], ...args: string[]): Promise<Ran> =>
    run({
      bin,
      cwd: dir,
      args: [...args, '--stage', stage],
      env: {
        ...process.env,
        ...env,
        NO_COLOR: '1',
        SLS_AWS_MONITORING_FREQUENCY: String(ASKS_EVERY_MS * Number(env.MODELS_AWS_SPEED ?? 1)),
        SLS_NOTIFICATIONS_MODE: 'off',
        SLS_TELEMETRY_DISABLED: '1',
      },
      timeout: COMMAND_TIMEOUT,
    });
  const sls = (...args: string[]): Promise<Ran> => slsAs(aws.env, ...args);
  return {
    dir,
    stack,
    sls,
    slsAs,
    rests: () => rests(aws.endpoint, stack),
    deploy: async (yaml, ...args) => {
      if (yaml !== undefined) await write(yaml);
      await rests(aws.endpoint, stack);
      return deployment(
        aws.endpoint,
        stack,
        await succeed(sls('deploy', '--verbose', ...args), 'sls deploy'),
      );
    },
    remove: async () => {
      await rests(aws.endpoint, stack);
      await succeed(sls('remove'), 'sls remove');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function rests(endpoint: string, StackName: string): Promise<void> {
  const cloudFormation = new CloudFormationClient(client(endpoint));
  const status = (): Promise<string> =>
    cloudFormation.send(new DescribeStacksCommand({ StackName })).then(
      ({ Stacks = [] }) => Stacks[0]?.StackStatus ?? '',
      () => '', // there is none
    );
  const patience = Date.now() + RESTS_WITHIN;
  // One that is only to be reviewed rests.
  for (let now = await status(); /^(?!REVIEW).*_IN_PROGRESS$/.test(now); now = await status()) {
    if (Date.now() > patience) throw new Error(`The stack ${StackName} is ${now} still.`);
    await sleep(100);
  }
  cloudFormation.destroy();
}

/** Deploys a service to the local AWS with the real `sls deploy`. */
export async function deployService(
  source: Source,
  aws: LocalAws,
  stage?: string,
  bin?: string,
  run?: typeof runWarm,
): Promise<Service & Deployment> {
  const service = await prepareService(source, aws, stage, bin, run);
  return { ...service, ...(await service.deploy()) };
}

/**
 * `kind name` of everything on the local AWS, over all its services: stacks, functions, layers, buckets, log
 * groups, roles, …
 */
export async function everythingLeft(aws: LocalAws): Promise<string[]> {
  const answer = await fetch(`${aws.endpoint}/_local-aws/inventory`);
  return ((await answer.json()) as { there: string[] }).there;
}

async function deployment(endpoint: string, stack: string, printed: Ran): Promise<Deployment> {
  const found = (await deployed(endpoint)).find(({ name }) => name === stack);
  if (!found)
    throw new Error(`The stack ${stack} is not there after sls deploy:\n${printed.stdout}${printed.stderr}`);
  return {
    outputs: found.outputs,
    resources: found.resources,
    printed,
    http: () => {
      const api = found.resources.find(({ type }) => type === 'AWS::ApiGatewayV2::Api');
      if (!api) throw new Error(`${stack} has no HTTP API.`);
      return httpApiUrl(endpoint, api.physical);
    },
    invoke: async (key, event, qualifier = 'live') => {
      const lambda = new LambdaClient(client(endpoint));
      const answer = await lambda.send(
        new InvokeCommand({
          FunctionName: `${stack}-${key}`,
          Payload: JSON.stringify(event),
          LogType: 'Tail',
          ...(qualifier ? { Qualifier: qualifier } : {}),
        }),
      );
      lambda.destroy();
      const text = answer.Payload?.transformToString() ?? '';
      return {
        answer: text === '' ? undefined : JSON.parse(text),
        error: answer.FunctionError,
        version: answer.ExecutedVersion ?? '',
        log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
      };
    },
    logs: async (key) => {
      const logs = new CloudWatchLogsClient(client(endpoint));
      const lines: string[] = [];
      const pages = paginateFilterLogEvents(
        { client: logs },
        { logGroupName: `/aws/lambda/${stack}-${key}` },
      );
      for await (const page of pages) lines.push(...(page.events ?? []).map(({ message }) => message ?? ''));
      logs.destroy();
      return lines;
    },
  };
}

function withPlugin(yaml: string): string {
  return yaml.replace(/^(plugins:(?:\s*\[.*|(?:\n\s+-.*)*\n\s+-\s*))serverless-models\b/m, `$1${PLUGIN}`);
}

async function succeed(running: Promise<Ran>, what: string): Promise<Ran> {
  const ran = await running;
  if (ran.code !== 0) throw new Error(`${what} failed (exit ${ran.code}):\n${ran.stdout}${ran.stderr}`);
  return ran;
}
