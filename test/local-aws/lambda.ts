import { rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { ZipFile } from 'yazl';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, type StartOptions, startAws } from '../../local-aws/start.ts';

export const ACCOUNT = '000000000000';
export type Statement = {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export type FunctionSpec = {
  readonly name: string;
  /** Source of handler.mjs, exporting `handler`. */
  readonly code: string;
  readonly memory?: number;
  readonly timeout?: number;
  /** What its role may do; default: write its log. */
  readonly may?: readonly Statement[];
  readonly layers?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
};

export const LOGS: Statement = { Effect: 'Allow', Action: 'logs:*', Resource: '*' };

/**
 * The result of one probe with an addition and without it: the first shall be AWS's behaviour, the second
 * differ. The probe is told which it is: for what shall come it may wait as long as a busy machine needs, for
 * what shall not come it waits a while.
 */
export async function withAndWithout<T>(
  addition: string,
  probe: (aws: LocalAws, isOn: boolean) => Promise<T>,
  options: StartOptions = {},
): Promise<{ readonly on: T; readonly off: T }> {
  const run = async (without: string[]): Promise<T> => {
    const aws = await startAws({ ...options, without });
    try {
      return await probe(aws, without.length === 0);
    } finally {
      await aws.stop();
    }
  };
  return { on: await run([]), off: await run([addition]) };
}

/** A role that a function may take, with one inline policy; gives its ARN. */
export async function makeRole(
  aws: LocalAws,
  name: string,
  may: readonly Statement[],
  service = 'lambda',
): Promise<string> {
  const iam = new IAMClient(client(aws.endpoint));
  const trust = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action: 'sts:AssumeRole' },
    ],
  };
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  if (may.length > 0)
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: 'own',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: may }),
      }),
    );
  iam.destroy();
  return `arn:aws:iam::${ACCOUNT}:role/${name}`;
}

/** Makes a Node function with a role of its own and waits until it can be invoked. */
export async function makeFunction(aws: LocalAws, spec: FunctionSpec): Promise<string> {
  const lambda = new LambdaClient(client(aws.endpoint));
  const made = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: spec.name,
      Runtime: 'nodejs24.x',
      Handler: 'handler.handler',
      Role: await makeRole(aws, `${spec.name}-role`, spec.may ?? [LOGS]),
      MemorySize: spec.memory ?? 256,
      Timeout: spec.timeout ?? 10,
      Code: { ZipFile: await zip({ 'handler.mjs': spec.code }) },
      ...(spec.layers ? { Layers: [...spec.layers] } : {}),
      ...(spec.variables ? { Environment: { Variables: { ...spec.variables } } } : {}),
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
    { FunctionName: spec.name },
  );
  lambda.destroy();
  return made.FunctionArn ?? '';
}

export type Answer = {
  readonly body: unknown;
  readonly error: string | undefined;
  readonly version: string;
  readonly log: string;
};

export async function invoke(
  aws: LocalAws,
  name: string,
  event: unknown = {},
  qualifier?: string,
): Promise<Answer> {
  const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: name,
      Payload: JSON.stringify(event),
      LogType: 'Tail',
      ...(qualifier ? { Qualifier: qualifier } : {}),
    }),
  );
  lambda.destroy();
  return {
    body: JSON.parse(answer.Payload?.transformToString() ?? 'null'),
    error: answer.FunctionError,
    version: answer.ExecutedVersion ?? '',
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
  };
}

/**
 * The folder for temporary files is none any more, as after a fault of the disk: no function can be started.
 */
export async function breakLambda(aws: LocalAws): Promise<void> {
  await makeFunction(aws, { name: 'whole', code: 'export const handler = async () => process.env.TMPDIR;' });
  await makeFunction(aws, { name: 'broken', code: 'export const handler = async () => 1;' });
  const { body } = await invoke(aws, 'whole');
  const folder = dirname(String(body));
  await rm(folder, { recursive: true });
  await writeFile(folder, '');
}

export async function zip(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [name, content] of Object.entries(files)) archive.addBuffer(Buffer.from(content), name);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** The name of the error that a call ends with, or undefined. */
export async function errorName(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}
