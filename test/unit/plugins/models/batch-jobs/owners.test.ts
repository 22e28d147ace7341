/** An output of batch has one owner: without one, whoever comes first. */

import { describe, expect, it } from 'vitest';
import { BATCH_ENV, BATCH_METRICS, type Owner } from '../../../../../core/batch/contract.ts';
import { isSameOwner, parseOwner, takeOwner } from '../../../../../core/batch/owner.ts';
import { adopt, ownersAfter, ownersBefore } from '../../../../../plugins/models/batch-jobs/owners.ts';
import { batchFunctions } from '../../../../../plugins/models/plan/batch/functions.ts';
import { fakeBucket } from '../../../../fakes/bucket.ts';
import { modelNamed } from '../../../../fixtures/service.ts';
import { hostOf } from '../../../../local-aws/release-stack.ts';
import { ENTRY, OWNER, scene } from '../../../core/batch/scene.ts';

const PROD: Owner = { ...OWNER, stage: 'prod' };
const KEY = 'scored/sum/_OWNER.json';
const LATEST = 'scored/sum/latest/rows/a.csv.json';
const churn = (...entries: (typeof ENTRY)[]) =>
  modelNamed('sum', {
    batch: { entries: entries.length > 0 ? entries : [ENTRY], create: [], concurrency: 2 },
  });

describe('a job', () => {
  it('takes what nobody owns, and moves latest', async () => {
    const s = scene();
    await s.send(s.upload('rows/a.csv', '1,2\n'));
    expect(JSON.parse(s.files()[KEY] ?? '')).toEqual(OWNER);
    expect(s.files()).toHaveProperty([LATEST]);
    expect(s.counted[BATCH_METRICS.jobsNotOwned]).toBeUndefined();
  });

  it('writes its folder where another stage owns the output, and neither moves latest nor keeps silent', async () => {
    const s = scene();
    await s.send(s.upload('rows/a.csv', '1,2\n'));
    const before = s.files()[LATEST];
    const dev = scene({ owner: PROD });
    for (const [key, kept] of s.output.objects) dev.output.set(key, kept.bytes);
    await dev.send(dev.upload('rows/a.csv', '3,4\n'));
    expect(dev.files()[LATEST]).toBe(before);
    expect(JSON.parse(dev.files()[KEY] ?? '')).toEqual(OWNER);
    expect([...dev.output.objects.keys()].filter((key) => key.endsWith('_SUCCESS.json'))).toHaveLength(2);
    expect(dev.counted).toMatchObject({ [BATCH_METRICS.jobsDone]: 1, [BATCH_METRICS.jobsNotOwned]: 1 });
  });

  it.each(['', 'null', '{"account":"1"}', '{'])(
    'moves no latest where the owner cannot be read: %j',
    async (text) => {
      const s = scene();
      s.output.set(KEY, text);
      await s.send(s.upload('rows/a.csv', '1,2\n'));
      expect(s.files()).not.toHaveProperty([LATEST]);
      expect(s.counted).toMatchObject({ [BATCH_METRICS.jobsDone]: 1, [BATCH_METRICS.jobsNotOwned]: 1 });
      const reach = { files: () => s.output.files };
      const [problem] = (await ownersBefore([churn()], reach, OWNER)).problems;
      expect(problem?.message).toMatch(/^belongs to an owner whose _OWNER\.json cannot be read:/);
      expect(await adopt('sum', [ENTRY], reach, OWNER)).toHaveLength(1);
      expect((await ownersBefore([churn()], reach, OWNER)).problems).toEqual([]);
    },
  );

  it('knows whose it is by its environment', () => {
    const functions = batchFunctions([churn()], hostOf('shop'), {}, new Map());
    const environment = Object.values(functions)[0]?.environment as Record<string, { 'Fn::Sub': string }>;
    const text = environment[BATCH_ENV.owner]?.['Fn::Sub']
      .replace(/\$\{AWS::AccountId\}/, OWNER.account)
      .replace(/\$\{AWS::Region\}/, OWNER.region);
    expect(parseOwner(text ?? '')).toEqual({ ...OWNER, stage: 'test' });
  });

  it('of two at once, one has it', async () => {
    const bucket = fakeBucket();
    const owners = await Promise.all([OWNER, PROD].map((us) => takeOwner(bucket.files, KEY, us)));
    expect(owners[0]).toEqual(owners[1]);
  });
});

describe('a deploy', () => {
  const reach = () => {
    const bucket = fakeBucket();
    return { bucket, files: () => bucket.files };
  };

  it('takes the output at its end, not before', async () => {
    const { bucket, files } = reach();
    expect(await ownersBefore([churn()], { files }, OWNER)).toEqual({ problems: [], lines: [] });
    expect(bucket.objects.size).toBe(0);
    expect(await ownersAfter([churn()], { files }, OWNER)).toEqual({ problems: [], lines: [] });
    expect(JSON.parse(Buffer.from(bucket.objects.get(KEY)?.bytes ?? []).toString())).toEqual(OWNER);
  });

  it('of another stage is refused, with the ways out, once an output', async () => {
    const { files } = reach();
    await ownersAfter([churn()], { files }, OWNER);
    const { problems } = await ownersBefore([churn(ENTRY, ENTRY)], { files }, PROD);
    expect(problems).toEqual([
      {
        code: 'MODELS_BATCH_OWNER',
        key: 'models.sum.batch[0].output',
        value: 's3://out/scored/',
        message:
          'belongs to shop-dev (123456789012, us-east-1): two that write there would overwrite each other’s `latest`.',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the framework
        fix: 'Write an output for each stage, for example s3://out/scored/${sls:stage}/. To take this one over: `sls models batch --model sum --adopt --stage prod`.',
      },
    ]);
    // A model of another name has a folder of its own there.
    const other = modelNamed('other', { batch: { entries: [ENTRY], create: [], concurrency: 2 } });
    expect((await ownersBefore([other], { files }, PROD)).problems).toEqual([]);
  });

  it('goes on where it may not look, and says so; a bucket that the stack makes needs no look', async () => {
    const failing = (name: string, status: number) => ({
      files: () => ({
        ...fakeBucket().files,
        read: () =>
          Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })),
      }),
    });
    const denied = await ownersBefore([churn()], failing('AccessDenied', 403), OWNER);
    expect(denied.problems).toEqual([]);
    expect(denied.lines.join()).toMatch(
      /^sum: whether s3:\/\/out\/scored\/ belongs to another service or stage cannot be told/,
    );
    expect(await ownersBefore([churn()], failing('NoSuchBucket', 404), OWNER)).toEqual({
      problems: [],
      lines: [],
    });
    // By now it would have.
    const over = await ownersAfter([churn(), modelNamed('other', {})], failing('NoSuchBucket', 404), OWNER);
    expect(over.problems).toEqual([]);
    expect(over.lines).toEqual([
      expect.stringMatching(/^models\.sum\.batch\[0\]\.output: there is no bucket out, .* `create: output` /),
    ]);
    // That was told before the deploy.
    expect(await ownersAfter([churn()], failing('AccessDenied', 403), OWNER)).toEqual({
      problems: [],
      lines: [],
    });
    // The function that writes there runs here, and would be sent elsewhere at each job.
    const elsewhere = await ownersBefore([churn()], failing('PermanentRedirect', 301), OWNER);
    expect(elsewhere).toMatchObject({
      problems: [
        { code: 'MODELS_BATCH', key: 'models.sum.batch[0].output', fix: 'Name a bucket in us-east-1.' },
      ],
      lines: [],
    });
  });

  it('--adopt takes it over, once', async () => {
    const { files } = reach();
    await ownersAfter([churn()], { files }, OWNER);
    expect(await adopt('sum', [ENTRY], { files }, PROD)).toEqual([
      's3://out/scored/ belongs to shop-prod (123456789012, us-east-1) from now on; before, to shop-dev (123456789012, us-east-1).',
    ]);
    expect(await adopt('sum', [ENTRY], { files }, PROD)).toEqual([
      's3://out/scored/ belongs to shop-prod (123456789012, us-east-1) already.',
    ]);
    expect((await ownersBefore([churn()], { files }, PROD)).problems).toEqual([]);
    expect((await ownersBefore([churn()], { files }, OWNER)).problems).toHaveLength(1);
  });
});

it('the same service and stage in another account or region is another owner', () => {
  for (const other of [{ account: '2' }, { region: 'eu-central-1' }, { service: 'x' }, { stage: 'x' }])
    expect(isSameOwner({ ...OWNER, ...other }, OWNER)).toBe(false);
  expect(isSameOwner({ ...OWNER }, OWNER)).toBe(true);
});
