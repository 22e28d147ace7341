import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { local } from './aws-python.ts';
import { deployed } from './deployed.ts';
import { startLocalStack } from './localstack.ts';
import { type LocalAws, startAws } from './start.ts';

const usage = `npm run aws -- start [--port 4566] [--speed 1]   start a local AWS in the background
    [--endpoint name=url]                        where InvokeEndpoint of this SageMaker endpoint goes: the url's /invocations
    [--with localstack]                          LocalStack's community build with what it lacks, in place of MiniStack
npm run aws -- status [--port 4566]              what is deployed on it, with the URLs where it answers
npm run aws -- stop [--port 4566]                end it, with everything deployed on it`;

type State = { readonly endpoint: string; readonly pid: number; readonly logFile: string };
const stateFile = (port: number): string => join(local, 'aws', `${port}.json`);

async function start(starting: Promise<LocalAws>, port: number): Promise<void> {
  const aws = await starting;
  const { pid } = (await (await fetch(`${aws.endpoint}/_local-aws`)).json()) as { pid: number };
  await mkdir(join(local, 'aws'), { recursive: true });
  const state: State = { endpoint: aws.endpoint, pid, logFile: aws.logFile };
  await writeFile(stateFile(port), JSON.stringify(state));
  console.log(`Local AWS runs at ${aws.endpoint} (log: ${aws.logFile}). For commands in this shell:\n`);
  console.log(exports(aws.env));
  console.log(`\nEnd it with: npm run aws -- stop${port === 4566 ? '' : ` --port ${port}`}`);
}

/** The client environment as shell lines, without what is empty. */
function exports(env: Readonly<Record<string, string>>): string {
  const set = Object.entries(env).filter(([, value]) => value !== '');
  const quoted = set.map(([name, value]) => `${name}=${/^[\w./:@-]*$/.test(value) ? value : `'${value}'`}`);
  return `  export ${quoted.join(' ')}\n  unset AWS_PROFILE AWS_SESSION_TOKEN`;
}

async function stop(port: number): Promise<void> {
  const endpoint = `http://127.0.0.1:${port}`;
  const answer = await fetch(`${endpoint}/_local-aws`, { method: 'DELETE' }).catch(() => undefined);
  if (answer?.ok) {
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline && (await fetch(`${endpoint}/_local-aws`).catch(() => undefined)))
      await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(`The local AWS on port ${port} has ended.`);
  } else console.log(`No local AWS runs on port ${port}.`);
  await rm(stateFile(port), { force: true });
}

async function status(port: number): Promise<void> {
  const endpoint = `http://127.0.0.1:${port}`;
  if (!(await fetch(`${endpoint}/_local-aws`).catch(() => undefined))?.ok) {
    const others = (await readdir(join(local, 'aws')).catch(() => [])).filter((name) =>
      /^\d+\.json$/.test(name),
    );
    console.log(
      `No local AWS runs on port ${port}.${others.length > 0 ? ` Started were: ${others.map((name) => name.slice(0, -5)).join(', ')}.` : ''}`,
    );
    process.exitCode = 3;
    return;
  }
  const state = await readFile(stateFile(port), 'utf8').then(
    (text) => JSON.parse(text) as State,
    () => undefined,
  );
  console.log(`Local AWS at ${endpoint}${state ? ` (log: ${state.logFile})` : ''}`);
  const stacks = await deployed(endpoint);
  if (stacks.length === 0) console.log('Nothing is deployed on it.');
  for (const stack of stacks) {
    console.log(`\n${stack.name} (${stack.status})`);
    for (const url of stack.urls) console.log(`  ${url}`);
    for (const name of stack.functions) console.log(`  function ${name}`);
  }
}

/** What a person did wrong is told without a stack. */
function wrong(error: unknown, more: string, code: number): never {
  console.error(`${error instanceof Error ? error.message : error}${more}`);
  process.exit(code);
}

const { positionals, values } = asked();
function asked() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        port: { type: 'string', default: '4566' },
        speed: { type: 'string', default: '1' },
        endpoint: { type: 'string', multiple: true, default: [] },
        with: { type: 'string', default: 'ministack' },
      },
    });
  } catch (error) {
    wrong(error, `\n\n${usage}`, 2);
  }
}
const [command] = positionals;
const [port, speed] = [Number(values.port), Number(values.speed)];
const endpoints = values.endpoint.map((text) =>
  /^([A-Za-z0-9](?:-*[A-Za-z0-9]){0,62})=(https?:\/\/.+)$/.exec(text),
);
if (!Number.isInteger(port) || port < 1 || port > 65_535 || !(speed >= 1 && speed <= 1000)) {
  console.error(`--port is a port and --speed a number from 1 to 1000.\n\n${usage}`);
  process.exitCode = 2;
} else if (!endpoints.every((found) => found !== null)) {
  console.error(`--endpoint is name=url, for example churn-prod=http://127.0.0.1:3000.\n\n${usage}`);
  process.exitCode = 2;
} else if (!['ministack', 'localstack'].includes(values.with)) {
  console.error(`--with is ministack or localstack, not ${values.with}.\n\n${usage}`);
  process.exitCode = 2;
} else if (values.with === 'localstack' && (speed !== 1 || endpoints.length > 0)) {
  console.error(`LocalStack has no --speed and no --endpoint: its clock is the real one.\n\n${usage}`);
  process.exitCode = 2;
} else if (command === 'start') {
  const common = { port, detached: true, log: console.error };
  const named = Object.fromEntries(endpoints.map(([, name, url]) => [name, url]));
  await start(
    values.with === 'localstack' ? startLocalStack(common) : startAws({ ...common, speed, endpoints: named }),
    port,
  ).catch((error: unknown) => wrong(error, '', 1));
} else if (command === 'stop') await stop(port);
else if (command === 'status') await status(port);
else {
  console.error(usage);
  process.exitCode = 2;
}
