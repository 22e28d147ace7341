import {
  CreateStackCommand,
  DeleteStackCommand,
  UpdateTerminationProtectionCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  DeleteAliasCommand,
  GetAliasCommand,
  InvokeCommand,
  ListAliasesCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TickAnswer } from '../../core/release/document/worker-contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { sweepName } from '../../plugins/models/declaration/naming.ts';
import { registryScope } from '../../plugins/models/releases/open.ts';
import { abortReleases, emptyRegistry, leaveRegistry } from '../../plugins/models/releases/remove.ts';
import { releaseLine } from '../../plugins/models/releases/words/lines.ts';
import { followReleases } from '../../plugins/models/releases/worker/follow.ts';
import { releaseWorker } from '../../plugins/models/releases/worker/worker.ts';
import { modelNamed } from '../fixtures/service.ts';
import { closedGate } from './closed-gate.ts';
import { BUCKET, type Deployed, releaseStack, SERVICE, STAGE, WORKER } from './release-stack.ts';

let aws: LocalAws;
let stack: ReturnType<typeof releaseStack>;

beforeAll(async () => {
  aws = await startAws();
  stack = releaseStack(aws.endpoint);
  await stack.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  stack?.close();
  await aws?.stop();
});

const functionName = `${SERVICE}-${STAGE}-churn`;
/** All at once and over then: what moves an alias, and when, is what is tested here. */
const declares = {
  release: { ...modelNamed('churn').release, strategy: 'allAtOnce' as const, steps: [], rollbackWindow: 0 },
};
const churn = (answer: string, fingerprint: string): Deployed => ({
  name: 'churn',
  answer,
  fingerprint,
  declares,
});
const LIVE = `models/000000000000/us-east-1/${SERVICE}/${STAGE}/releases/churn/live.json`;

async function alias(): Promise<{ version: string; weights: object }> {
  const found = await stack.lambda.send(new GetAliasCommand({ FunctionName: functionName, Name: 'live' }));
  return {
    version: found.FunctionVersion ?? '',
    weights: found.RoutingConfig?.AdditionalVersionWeights ?? {},
  };
}
async function tick(): Promise<TickAnswer> {
  const payload = JSON.stringify({ tick: { model: 'churn', functionName, alias: 'live' } });
  const answer = await stack.lambda.send(
    new InvokeCommand({ FunctionName: WORKER, Payload: Buffer.from(payload) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError !== undefined) throw new Error(text);
  return JSON.parse(text) as TickAnswer;
}
async function document(): Promise<Record<string, unknown>> {
  const found = await stack.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: LIVE }));
  return JSON.parse((await found.Body?.transformToString()) ?? '');
}
async function schedules(): Promise<readonly string[]> {
  const { Schedules } = await stack.scheduler.send(new ListSchedulesCommand({}));
  return (Schedules ?? []).map(({ Name }) => Name ?? '').filter((name) => name !== sweepName);
}
const keys = async (): Promise<readonly string[]> =>
  ((await stack.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'models/' }))).Contents ?? []).map(
    ({ Key }) => Key ?? '',
  );

const settings = () => {
  const { credentials, ...rest } = client(aws.endpoint);
  return { ...rest, credentials: async () => credentials };
};

/**
 * What the worker does once it has written the end down, and answered CloudFormation, comes a moment later.
 */
async function until(done: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const topic = (DisplayName?: object) => ({ Type: 'AWS::SNS::Topic', Properties: { DisplayName } });
async function make(StackName: string, template: object): Promise<void> {
  const TemplateBody = JSON.stringify(template);
  await stack.cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody }));
  await waitUntilStackCreateComplete(
    { client: stack.cloudFormation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { StackName },
  );
}

/**
 * The deploys of one service, one after the other, with the worker, its role and its policy as the plan makes
 * them.
 */
describe('Custom::ModelAlias in a stack', () => {
  it('makes the alias with the first version, inside the resource', async () => {
    const status = await stack.create(await stack.template([churn('one', 'a')]));
    expect(status, await stack.events()).toBe('CREATE_COMPLETE');
    expect(await alias()).toEqual({ version: '1', weights: {} });
    expect(await document()).toMatchObject({ phase: 'DONE', stable: { version: '1', fingerprint: 'a' } });
    await until(async () => (await schedules()).length === 0);
    expect(await keys()).toContain(LIVE.replace('releases/churn/live.json', 'versions/churn/1.json'));
  });

  it('keeps CloudFormation’s answer URL no longer than it needs it', async () => {
    expect(JSON.stringify(await document())).not.toContain('cfn-response');
  });

  it('releases a version that behaves differently only when the stack is done', async () => {
    const gate = await closedGate();
    const tail = { name: 'After', seconds: 0, gate: gate.url, status: 'SUCCESS' } as const;
    const body = await stack.template([churn('two', 'b')], tail);
    let seen: unknown;
    let [removing, kept] = ['', false];
    const watching = until(async () => {
      if ((await document()).phase !== 'PROMOTING') return false;
      await gate.asked;
      seen = { alias: await alias(), schedules: (await schedules()).length, tick: await tick() };
      // CloudFormation would not delete it, so what it goes by stays, too.
      const all = await keys();
      const service = { region: 'us-east-1', name: SERVICE, stage: STAGE, stack: stack.stack };
      removing = await leaveRegistry(settings(), service, { own: BUCKET, named: undefined }, () => {}).then(
        () => 'begun',
        String,
      );
      kept = (await keys()).length === all.length;
      gate.open();
      return true;
    });
    const status = await stack.update(body);
    await watching;
    expect(status, await stack.events()).toBe('UPDATE_COMPLETE');
    expect(seen).toMatchObject({
      alias: { version: '1', weights: {} },
      schedules: 1,
      tick: {
        phase: 'PROMOTING',
        running: true,
        version: '1',
        candidate: '2',
        reason: 'the stack is still in progress',
      },
    });
    expect([removing, kept]).toEqual([expect.stringContaining('[MODELS_PROTECTED]'), true]);
    expect(await tick()).toMatchObject({ phase: 'DONE', running: false, version: '2' });
    expect(await alias()).toEqual({ version: '2', weights: {} });
    await until(async () => (await schedules()).length === 0);
  });

  it('releases a version that behaves the same at once', async () => {
    expect(await stack.update(await stack.template([churn('three', 'b')]))).toBe('UPDATE_COMPLETE');
    expect(await alias()).toEqual({ version: '3', weights: {} });
    expect(await document()).toMatchObject({ phase: 'DONE', stable: { version: '3' } });
  });

  it('stays on stable when the stack rolls back, and promotes nothing afterwards', async () => {
    const body = await stack.template([churn('four', 'c')], {
      name: 'Broken',
      seconds: 0.2,
      status: 'FAILED',
    });
    expect(await stack.update(body)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await alias()).toEqual({ version: '3', weights: {} });
    expect(await tick()).toMatchObject({ phase: 'ABORTED', running: false, version: '3' });
    await until(async () => (await schedules()).length === 0);
  });

  it('deploys again after the rollback', async () => {
    expect(await stack.update(await stack.template([churn('five', 'd')])), await stack.events()).toBe(
      'UPDATE_COMPLETE',
    );
    expect(await tick()).toMatchObject({ phase: 'DONE' });
    const invoked = await stack.lambda.send(
      new InvokeCommand({ FunctionName: functionName, Qualifier: 'live', Payload: '{"inputs":[]}' }),
    );
    expect(Buffer.from(invoked.Payload ?? []).toString()).toBe('"five"');
  });

  it('puts an alias that was deleted manually back at stable', async () => {
    await stack.lambda.send(new DeleteAliasCommand({ FunctionName: functionName, Name: 'live' }));
    const stable = ((await document()).stable as { version: string }).version;
    const answer = await tick();
    expect(answer).toMatchObject({ phase: 'DONE', version: stable });
    // The deploy and status know what is missing; the worker knows where to look.
    expect(answer.reason).toContain('sls models status --model churn --stage');
  });

  it('leaves nothing but the registry when the stack goes', async () => {
    const before = await keys();
    const status = await stack.remove();
    expect(status, status === 'DELETE_COMPLETE' ? '' : await stack.events()).toBe('DELETE_COMPLETE');
    await until(async () => (await schedules()).length === 0);
    await expect(stack.lambda.send(new ListAliasesCommand({ FunctionName: functionName }))).rejects.toThrow(
      /not found/i,
    );
    expect(await keys()).toEqual(before);
  });

  it('starts anew over the document of a removed service, and keeps that', async () => {
    expect(await stack.create(await stack.template([churn('six', 'e')])), await stack.events()).toBe(
      'CREATE_COMPLETE',
    );
    expect(await document()).toMatchObject({ phase: 'DONE', stable: { fingerprint: 'e' } });
    expect(
      (await keys()).filter((key) => /releases\/churn\/\d{8}T.*\.json$/.test(key)).length,
    ).toBeGreaterThan(1);
  });

  it('`sls deploy` ticks until the release is done, and says where it stands', async () => {
    expect(await stack.update(await stack.template([churn('seven', 'f')]))).toBe('UPDATE_COMPLETE');
    const worker = releaseWorker(settings(), { name: WORKER, stage: 'dev' });
    const target = { model: 'churn', functionName, alias: 'live' };
    const [answer] = await followReleases(worker, [target], () => {});
    expect(answer).toMatchObject({ phase: 'DONE', running: false });
    expect(answer && releaseLine(answer)).toEqual({
      good: true,
      text: `churn: version ${answer?.version} is live`,
    });
    await expect(followReleases(worker, [{ ...target, model: '' }], () => {})).rejects.toThrow(
      'a tick needs model',
    );
    worker.close();
  });

  it('`sls remove` ends a release that runs, and empties a registry, but not of what others keep there', async () => {
    const scope = registryScope('000000000000', 'us-east-1', SERVICE, STAGE);
    await stack.s3.send(
      new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const put = (Key: string, Body: string) =>
      stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await put(
      LIVE,
      JSON.stringify({ ...(await document()), phase: 'PROMOTING', candidate: { version: '99' } }),
    );
    await put('models/files/abc', 'weights');
    await put('models/000000000000/us-east-1/other/dev/releases/x/live.json', '{}');

    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
    const protect = (EnableTerminationProtection: boolean) =>
      stack.cloudFormation.send(
        new UpdateTerminationProtectionCommand({ StackName: stack.stack, EnableTerminationProtection }),
      );
    const service = { region: 'us-east-1', name: SERVICE, stage: STAGE, stack: stack.stack };
    const all = await keys();
    await protect(true);
    await expect(
      leaveRegistry(settings(), service, { own: BUCKET, named: undefined }, () => {}),
    ).rejects.toThrow('[MODELS_PROTECTED]');
    expect(await document()).toMatchObject({ phase: 'PROMOTING' });
    expect(await keys()).toEqual(all);
    await protect(false);

    // Another stack, which a failed deploy under its name may have left, has nothing of the service.
    await make('another', { Resources: { Own: topic() } });
    const from = (other: string) =>
      leaveRegistry(settings(), { ...service, stack: other }, { own: BUCKET, named: undefined }, () => {});
    expect(await from('another')).toEqual([expect.stringMatching(/^The releases go on: .* than another,/)]);
    await expect(from('no-stack')).rejects.toThrow(/^provider\.stackName: .*\[MODELS_NOT_DEPLOYED\]/);
    expect(await document()).toMatchObject({ phase: 'PROMOTING' });
    expect(await keys()).toEqual(all);

    // A damaged document keeps nobody from removing what it is about.
    await put(`${scope}releases/damaged/live.json`, '{');
    await abortReleases(settings(), BUCKET, scope);
    expect(await document()).toMatchObject({ phase: 'ABORTED' });
    expect(await tick()).toMatchObject({ running: false });

    // A bucket that serverless.yml names keeps its history, also where it is the deployment bucket.
    const before = await keys();
    await leaveRegistry(settings(), service, { own: BUCKET, named: BUCKET }, () => {});
    expect(await keys()).toEqual(before);
    expect(before.length).toBeGreaterThan(2);

    const others = ['models/000000000000/us-east-1/other/dev/releases/x/live.json', 'models/files/abc'];
    await leaveRegistry(settings(), service, { own: BUCKET, named: undefined }, () => {});
    expect(await keys()).toEqual(others);
    // From before the service named another one.
    await put(`${scope}versions/churn/1.json`, '{}');
    await leaveRegistry(settings(), service, { own: BUCKET, named: 'elsewhere' }, () => {});
    expect(await keys()).toEqual(others);
    await emptyRegistry(settings(), BUCKET, registryScope('000000000000', 'us-east-1', 'other', 'dev'));
    const left = await stack.s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: 'models/' }));
    expect([...(left.Versions ?? []), ...(left.DeleteMarkers ?? [])]).toEqual([]);

    expect(await stack.remove()).toBe('DELETE_COMPLETE');
    expect(await keys()).toEqual([]);
    await until(async () => (await schedules()).length === 0);
  });

  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html */
  it('`sls remove` of a stack whose export another one imports touches nothing', async () => {
    const exported = (name: string) => ({ Value: { Ref: 'Own' }, Export: { Name: name } });
    await make('lends', {
      Resources: { Own: topic() },
      Outputs: { Plain: { Value: 'x' }, Unused: exported('nobodys'), Used: exported('lent') },
    });
    await make('borrows', { Resources: { Other: topic({ 'Fn::ImportValue': 'lent' }) } });
    const key = `${registryScope('000000000000', 'us-east-1', SERVICE, STAGE)}versions/churn/1.json`;
    await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: '{}' }));
    const leave = () =>
      leaveRegistry(
        settings(),
        { region: 'us-east-1', name: SERVICE, stage: STAGE, stack: 'lends' },
        { own: BUCKET, named: undefined },
        () => {},
      );
    await expect(leave()).rejects.toThrow(
      /the export lent of the stack lends is imported by borrows, .* nothing was changed\. Remove that stack, or the import from it, .*\[MODELS_PROTECTED\]/,
    );
    expect(await keys()).toEqual([key]);
    // And so it is: CloudFormation would keep the stack.
    await expect(stack.cloudFormation.send(new DeleteStackCommand({ StackName: 'lends' }))).rejects.toThrow(
      'lent',
    );
    await stack.cloudFormation.send(new DeleteStackCommand({ StackName: 'borrows' }));
    await until(() =>
      leave().then(
        () => true,
        () => false,
      ),
    );
    expect(await keys()).toEqual([]);
  });

  it('`sls remove` after a first deploy that never made a bucket does nothing', async () => {
    const scope = registryScope('000000000000', 'us-east-1', SERVICE, STAGE);
    await abortReleases(settings(), 'no-such-bucket', scope);
    await emptyRegistry(settings(), 'no-such-bucket', scope);
  });
});
