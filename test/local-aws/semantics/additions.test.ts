import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { describe, expect, it } from 'vitest';
import { client, deployed } from '../../../local-aws/deployed.ts';
import { type LocalAws, localAws, startAws } from '../../../local-aws/start.ts';
import { everythingLeft } from '../../journeys/service.ts';
import { makeUser } from '../../journeys/user.ts';
import { errorName, makeFunction, makeRole, withAndWithout } from '../lambda.ts';

async function createStack(aws: LocalAws, resources: object): Promise<void> {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const input = { StackName: 'stack', TemplateBody: JSON.stringify({ Resources: resources }) };
  await cloudFormation.send(new CreateStackCommand(input));
  await waitUntilStackCreateComplete(
    { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
    input,
  );
  cloudFormation.destroy();
}

/** Whether a function has run, within 2.5 seconds, or as late as a busy machine may have it run. */
async function ran(aws: LocalAws, name: string, isPatient: boolean): Promise<boolean> {
  const deadline = Date.now() + (isPatient ? 60_000 : 2500);
  for (;;) {
    const isLast = Date.now() >= deadline;
    if ((await everythingLeft(aws)).includes(`log group /aws/lambda/${name}`)) return true;
    if (isLast) return false;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** The additions whose own tests run with them only: what MiniStack does without. */
describe('without its addition', () => {
  it('a signature with the wrong secret is taken', async () => {
    const { on, off } = await withAndWithout('signatures', async (aws) => {
      const credentials = { accessKeyId: 'test', secretAccessKey: 'wrong' };
      const lambda = new LambdaClient({ ...client(aws.endpoint), credentials, maxAttempts: 1 });
      const name = await errorName(lambda.send(new ListFunctionsCommand({})));
      lambda.destroy();
      return name;
    });
    expect([on, off]).toEqual(['InvalidSignatureException', undefined]);
  });

  it('an HTTP API from a template has no CORS', async () => {
    const { on, off } = await withAndWithout('http_api', async (aws) => {
      const Properties = {
        Name: 'api',
        ProtocolType: 'HTTP',
        CorsConfiguration: { AllowOrigins: ['*'], AllowMethods: ['GET'] },
      };
      await createStack(aws, { Api: { Type: 'AWS::ApiGatewayV2::Api', Properties } });
      const [stack] = await deployed(aws.endpoint);
      const headers = { origin: 'http://a.example', 'access-control-request-method': 'GET' };
      return (await fetch(`${stack?.urls[0]}/x`, { method: 'OPTIONS', headers })).status;
    });
    expect([on, off]).toEqual([204, 403]);
  });

  it('a load balancer from a template has no target', async () => {
    const { on, off } = await withAndWithout('load_balancer', async (aws) => {
      const target = await makeFunction(aws, {
        name: 'f',
        // Base64 makes four bytes of three: what is 1 MB at its client may be more on its way.
        code: `export const handler = async ({ path }) => ({
          statusCode: 200,
          body: Buffer.alloc(Number(path.slice(1))).toString('base64'),
          isBase64Encoded: true,
        });`,
      });
      const type = (name: string): string => `AWS::ElasticLoadBalancingV2::${name}`;
      await createStack(aws, {
        May: {
          Type: 'AWS::Lambda::Permission',
          Properties: {
            Action: 'lambda:InvokeFunction',
            FunctionName: target,
            Principal: 'elasticloadbalancing.amazonaws.com',
          },
        },
        Balancer: {
          Type: type('LoadBalancer'),
          Properties: { Name: 'balancer', Subnets: ['subnet-1', 'subnet-2'] },
        },
        Group: {
          Type: type('TargetGroup'),
          DependsOn: 'May',
          Properties: { Name: 'group', TargetType: 'lambda', Targets: [{ Id: target }] },
        },
        Listener: {
          Type: type('Listener'),
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Group' } }],
          },
        },
      });
      const status = async (bytes: number): Promise<number> =>
        (await fetch(`${aws.endpoint}/_alb/balancer/${bytes}`)).status;
      return [await status(0), await status(780_000), await status(800_000)];
    });
    // The limit is that of the function's answer as JSON:
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    expect([on, off]).toEqual([
      [200, 200, 502],
      [503, 503, 503],
    ]);
  });

  it('a schedule fires up to ten seconds late', async () => {
    const { on, off } = await withAndWithout('schedules', async (aws, isOn) => {
      const scheduler = new SchedulerClient(client(aws.endpoint));
      const fired: boolean[] = [];
      // Without it MiniStack looks every ten seconds: of three, one after the other, one at least is late.
      for (const name of ['one', 'two', 'three']) {
        const arn = await makeFunction(aws, { name, code: 'export const handler = async () => {};' });
        const allow = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arn }] as const;
        const role = await makeRole(aws, `${name}-tick`, [...allow], 'scheduler');
        await scheduler.send(
          new CreateScheduleCommand({
            Name: name,
            ScheduleExpression: `at(${new Date(Date.now()).toISOString().slice(0, 19)})`,
            FlexibleTimeWindow: { Mode: 'OFF' },
            Target: { Arn: arn, RoleArn: role },
          }),
        );
        fired.push(await ran(aws, name, isOn));
      }
      scheduler.destroy();
      return fired;
    });
    expect(on).toEqual([true, true, true]);
    expect(off).toContain(false);
  });

  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
  it('a schedule of a stack that has a rate and no start waits for its first period', async () => {
    const { on, off } = await withAndWithout('schedules', async (aws, isOn) => {
      const arn = await makeFunction(aws, { name: 'f', code: 'export const handler = async () => {};' });
      const allow = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arn }] as const;
      const role = await makeRole(aws, 'r', [...allow], 'scheduler');
      const Target = { Arn: arn, RoleArn: role, Input: '{}' };
      const rate = { ScheduleExpression: 'rate(15 minutes)', FlexibleTimeWindow: { Mode: 'OFF' }, Target };
      await createStack(aws, {
        Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: {} },
        Sweep: {
          Type: 'AWS::Scheduler::Schedule',
          Properties: { Name: 'sweep', GroupName: { Ref: 'Group' }, ...rate },
        },
      });
      expect(await everythingLeft(aws)).toContainEqual(
        expect.stringMatching(/^schedule stack-Group-\w+\/sweep$/),
      );
      return ran(aws, 'f', isOn);
    });
    expect([on, off]).toEqual([true, false]);
  });

  it('a bucket that denies what comes without TLS locks everybody out', async () => {
    const { on, off } = await withAndWithout('transport', async (aws) => {
      const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
      const Bucket = 'secured';
      await s3.send(new CreateBucketCommand({ Bucket }));
      // As the framework's deployment bucket has it.
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 's3:*',
            Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      });
      await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
      // The account's root could do it all the same.
      const user = await makeUser(aws, 'deployer');
      await user.may([{ Sid: 'All', Effect: 'Allow', Action: 's3:*', Resource: '*' }]);
      const theirs = new S3Client({
        ...client(aws.endpoint),
        credentials: user.credentials,
        forcePathStyle: true,
      });
      const name = await errorName(theirs.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' })));
      for (const one of [s3, theirs]) one.destroy();
      return name;
    });
    expect([on, off]).toEqual([undefined, 'AccessDenied']);
  });

  it('of a name that there is none of, nothing starts', async () => {
    await expect(startAws({ without: ['gravity'] })).rejects.toThrow(/names no addition: gravity/);
  });
});

const file = (...path: string[]): Promise<string> => readFile(join(dirname(localAws), ...path), 'utf8');
async function inUse(): Promise<readonly string[]> {
  const [, names = ''] =
    /^MODULES = \(([^)]*)\)/m.exec(await file('local-aws', 'semantics', 'additions.py')) ?? [];
  return [...names.matchAll(/"(?:\w+\.)?(\w+)"/g)].map(([, name = '']) => name).toSorted();
}

it('the page on local testing lists every addition', async () => {
  const all = await file('docs', 'local-testing.md');
  // LocalStack's are another table: test/local-aws/localstack/.
  const page = all.slice(0, all.indexOf('## What is added to LocalStack'));
  const listed = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => name);
  expect(listed.toSorted()).toEqual(await inUse());
});

it('each is switched off by a test, but the clock, which AWS has not', async () => {
  const folder = dirname(import.meta.dirname);
  const tests = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.test.ts'));
  const texts = await Promise.all(tests.map((name) => readFile(join(folder, name), 'utf8')));
  const off = texts.flatMap((text) =>
    [...text.matchAll(/withAndWithout\(\s*'(\w+)'/g)].map(([, name = '']) => name),
  );
  expect([...new Set([...off, 'clock'])].toSorted()).toEqual(await inUse());
});
