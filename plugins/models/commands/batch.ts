import { setTimeout as pause } from 'node:timers/promises';
import type { Failure } from '../../../aws/queue-messages.ts';
import { shellWord } from '../../../core/text/shell.ts';
import { withStop } from '../../../core/text/stop.ts';
import type { Cloud } from '../batch-jobs/cloud.ts';
import type { Followed, JobState } from '../batch-jobs/jobs.ts';
import { awsFix } from '../context/aws-fix.ts';
import { type Command, type Context, usage } from '../context/context.ts';
import { wellDeclaredModel } from '../context/well-declared.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS } from '../declaration/naming.ts';
import {
  formatProblem,
  isProblemError,
  type Problem,
  problemError,
  throwProblems,
} from '../problems/errors.ts';

/** `sls models batch`: scores what lies in S3 already, and tells how jobs stand. */
export const command: Command = {
  onProblems: 'listed',
  usage: 'Score objects in S3, and show how jobs stand',
  options: {
    model: { usage: 'Name of the model (default: the only one)', shortcut: 'm', type: 'string' },
    input: { usage: 'An object, s3://bucket/key, or all below s3://bucket/prefix/', type: 'string' },
    wait: { usage: 'Wait until they are scored, and fail if one fails', type: 'boolean' },
    status: { usage: 'Show the queue, and with --input the jobs of these objects', type: 'boolean' },
    failed: { usage: 'List what failed, and why', type: 'boolean' },
    redrive: { usage: 'With --failed: try all of it again', type: 'boolean' },
    adopt: { usage: 'Take over the outputs, which belong to another service or stage', type: 'boolean' },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { aws, flags, problems, progress, warning } = context;
    // What they ask is what has been deployed; to score, or to take outputs over, goes by the declaration.
    if (flags.failed || flags.status) for (const problem of problems) warning(formatProblem(problem));
    else throwProblems(problems);
    const model = wellDeclaredModel(context);
    if (model.batch === undefined)
      throw usage(
        `models.${model.name}`,
        'declares no batch.',
        'Write `batch: [{input: s3://…, output: s3://…}]` beside its artifact.',
      );
    together(flags);
    const { cloudOf } = await import('../batch-jobs/cloud.ts');
    const cloud = cloudOf(aws);
    try {
      if (flags.adopt) await takeOver(context, model, cloud);
      else if (flags.failed) await failed(context, model, cloud);
      else if (flags.status) await status(context, model, cloud);
      else if (typeof flags.input === 'string') await score(context, model, cloud, flags.input);
      else
        throw usage(
          '--input',
          'is missing.',
          'Name an object or a prefix, or ask with --status or --failed.',
        );
    } catch (error) {
      throw isProblemError(error) ? error : problemError([unreachable(context, error)], error);
    } finally {
      progress(undefined);
      cloud.close();
    }
  },
};

/** What the command does, and the options that it then passes over: who gave them waits for what they say. */
const ALONE = {
  adopt: ['failed', 'status', 'input', 'wait'],
  failed: ['status', 'input', 'wait'],
  status: ['wait'],
} as const;

/** @throws ProblemError where something of what was asked for would be left undone */
function together(flags: Context['flags']): void {
  const isGiven = (name: string): boolean => flags[name] !== undefined && flags[name] !== false;
  if (isGiven('redrive') && !isGiven('failed'))
    throw usage('--redrive', 'goes with --failed alone.', 'Add --failed, or leave it out.');
  for (const [name, others] of Object.entries(ALONE)) {
    const other = isGiven(name) ? others.find(isGiven) : undefined;
    if (other !== undefined)
      throw usage(`--${other}`, `does not go with --${name}.`, 'Leave one of them out.');
  }
}

async function takeOver(context: Context, model: Model, cloud: Cloud): Promise<void> {
  const { aws, service, print, flags } = context;
  const { adopt } = await import('../batch-jobs/owners.ts');
  const { usOf } = await import('../batch-jobs/us.ts');
  const lines = await adopt(model.name, model.batch?.entries ?? [], cloud, await usOf(aws, service));
  print(flags.json ? JSON.stringify({ outputs: lines }, null, 2) : lines.join('\n'));
}

/** In CloudFormation's and SQS's words; S3 says the same of buckets, which a deploy need not make. */
const ABSENT = /(Stack .+|The specified queue) does not exist/;

const unreachable = ({ service: { stack, region } }: Context, error: unknown): Problem => ({
  code: error instanceof Error && ABSENT.test(error.message) ? 'MODELS_NOT_DEPLOYED' : 'MODELS_AWS',
  key: 'models',
  message: `Queue, objects or jobs of ${stack} (${region}) cannot be reached: ${withStop(error instanceof Error ? error.message : String(error))}`,
  fix: awsFix(
    error,
    'Run `sls deploy` first; else check credentials, --aws-profile, --stage and --region. docs/deploy-policy.md lists what the command needs.',
  ),
});

async function score(context: Context, model: Model, cloud: Cloud, input: string): Promise<void> {
  const { flags, print, progress, service, warning } = context;
  const { order } = await import('../batch-jobs/order.ts');
  const { asItStands } = await import('../batch-jobs/jobs.ts');
  const text = await import('../batch-jobs/text.ts');
  const asked = await askedOf(context, model);
  const started = Date.now();
  const isWaiting = flags.wait === true;
  // Who waits would do so for a day, and hear of it then.
  for (const id of isWaiting ? await offTriggers(context, model) : [])
    warning(text.offLine(id, service.region));
  progress('Asking for objects');
  // A million of them are some hundred megabytes: kept only where they are needed afterwards.
  const jobs: Followed[] = [];
  let count = 0;
  const before = isWaiting ? (job: Followed) => asItStands(cloud, asked, job) : undefined;
  for await (const page of order(cloud, asked, input, before)) {
    count += page.length;
    if (isWaiting || flags.json === true) jobs.push(...page);
    progress(`${count} objects asked for`);
  }
  if (!isWaiting) {
    const objects = jobs.map(({ object, folder }) => ({
      ...object,
      job: `s3://${folder.bucket}/${folder.prefix}`,
    }));
    return print(
      flags.json
        ? JSON.stringify({ objects }, null, 2)
        : `${count} object${count === 1 ? ' is' : 's are'} asked for. \`sls models batch --model ${model.name} --status --input ${shellWord(input)}\` shows how far they are.`,
    );
  }
  const { exitCode, followJobs } = await import('../batch-jobs/follow.ts');
  const outcome = await followJobs(cloud, asked, jobs, (standing) =>
    progress(text.standingLine(standing, Date.now() - started)),
  );
  progress(undefined);
  print(
    flags.json ? JSON.stringify(outcome, null, 2) : text.outcomeText(outcome, model, Date.now() - started),
  );
  if (exitCode(outcome) !== 0) process.exitCode = exitCode(outcome);
}

/** Jobs that are looked at at once. */
const LOOKS = 16;

async function status(context: Context, model: Model, cloud: Cloud): Promise<void> {
  const { aws, flags, print, progress, plan, service } = context;
  const { batchName, failedName } = await import('../plan/batch/functions.ts');
  const { ownersBefore } = await import('../batch-jobs/owners.ts');
  const { usOf } = await import('../batch-jobs/us.ts');
  const { offLine, partsLine, stateLine } = await import('../batch-jobs/text.ts');
  const { wholeNumber } = await import('../../../core/judge/format.ts');
  progress('Reading the queue');
  const queue = await cloud.depth(batchName(model, plan.host));
  const failures = await cloud.depth(failedName(model, plan.host));
  const { inParts } = await import('../batch-jobs/in-parts.ts');
  const large = await inParts(aws, service.region, batchName(model, plan.host));
  const isIdle = queue.waiting > 0 && queue.atWork === 0;
  const off = isIdle ? await offTriggers(context, model) : [];
  const { jobs, isMore, none } =
    typeof flags.input === 'string'
      ? await jobsOf(context, model, cloud, flags.input)
      : { jobs: [], isMore: false };
  const { seenState } = await import('../batch-jobs/jobs.ts');
  const states: { readonly job: Followed; readonly state: JobState }[] = [];
  for (let first = 0; first < jobs.length; first += LOOKS) {
    const some = jobs.slice(first, first + LOOKS);
    states.push(
      ...(await Promise.all(
        some.map(async (job) => ({
          job,
          state: await seenState(cloud, { model: model.name, entries: model.batch?.entries ?? [] }, job),
        })),
      )),
    );
    progress(`${states.length} of ${jobs.length} objects looked at`);
  }
  const { problems, lines } = await ownersBefore([model], cloud, await usOf(aws, service));
  progress(undefined);
  const notOurs = problems.map(({ value, message, fix }) => `${value} ${message} ${fix}`);
  if (flags.json) {
    const failed = failures.waiting + failures.atWork;
    const known = typeof large === 'boolean' ? { inParts: large } : {};
    return print(
      JSON.stringify({ queue, ...known, failed, jobs: states, isMore, notOurs, triggersOff: off }, null, 2),
    );
  }
  print(
    [
      ...notOurs,
      ...lines,
      `${model.name}: ${queue.waiting} waiting, ${queue.atWork} at work, ${failures.waiting + failures.atWork} failed`,
      ...partsLine(large),
      ...off.map((id) => offLine(id, service.region)),
      ...states.map(({ job, state }) => stateLine(job, state, Date.now())),
      ...(none === undefined ? [] : [none]),
      ...(isMore
        ? [`These are the first ${wholeNumber(states.length)}; name a longer prefix to see others.`]
        : []),
    ].join('\n'),
  );
}

/** Triggers of the queue that somebody has switched off. Who may not ask is told the rest. */
async function offTriggers({ aws, plan }: Context, model: Model): Promise<readonly string[]> {
  const { batchName } = await import('../plan/batch/functions.ts');
  const { triggersOff } = await import('../../../aws/lambda/functions.ts');
  const named = { functionName: batchName(model, plan.host), alias: ALIAS };
  return triggersOff(aws, named).catch(() => []);
}

type Depth = Awaited<ReturnType<Cloud['depth']>>;

async function failed(context: Context, model: Model, cloud: Cloud): Promise<void> {
  const { flags, print, progress, plan, warning } = context;
  const { batchName, failedName } = await import('../plan/batch/functions.ts');
  const { heldBeside, redrive } = await import('../batch-jobs/failed.ts');
  const { LOOK_SECONDS } = await import('../batch-jobs/each-once.ts');
  const { failureText } = await import('../batch-jobs/text.ts');
  progress('Reading what failed');
  const queue = failedName(model, plan.host);
  const isAgain = flags.redrive === true;
  const { found, more } = isAgain ? await again() : await look();
  const held = await heldBeside(async () => {
    const count = more(await cloud.depth(queue));
    if (count > 0) progress(`SQS counts ${count} more; its counts may be a minute old`);
    return count;
  }, pause);
  progress(undefined);
  if (isAgain && held > 0) process.exitCode = 1;
  const { heldText, isTaken, redrivenText, redriveHint } = await import('../batch-jobs/redriven-text.ts');
  if (flags.json) {
    const entries = model.batch?.entries ?? [];
    const all = found.map((failure) => ({ ...failure, taken: isTaken(entries, failure) }));
    if (held > 0) warning(heldText(held));
    return print(JSON.stringify(all, null, 2));
  }
  if (found.length > 0 || held === 0) print(failureText(found, Date.now()));
  if (found.length > 0) print((isAgain ? redrivenText : redriveHint)(found, model));
  if (held > 0) print(heldText(held));

  async function again() {
    const to = batchName(model, plan.host);
    const { sent, kept } = await redrive(cloud, queue, to, (count) => progress(`${count} sent again`));
    // What failed once more meanwhile waits there, rightly; what others hold is at work.
    return { found: sent, more: ({ atWork }: Depth) => atWork - kept };
  }
  async function look() {
    const found: Failure[] = [];
    // A moment later `--redrive` is to see them.
    for await (const some of cloud.failures(queue, LOOK_SECONDS)) found.push(...some);
    return { found, more: ({ waiting, atWork }: Depth) => waiting + atWork - found.length };
  }
}

async function jobsOf(context: Context, model: Model, cloud: Cloud, input: string) {
  const { jobsIn } = await import('../batch-jobs/order.ts');
  return jobsIn(cloud, await askedOf(context, model), input);
}

async function askedOf({ aws, service, bucket, plan }: Context, model: Model) {
  const { liveIdentity } = await import('../batch-jobs/live.ts');
  const { batchName } = await import('../plan/batch/functions.ts');
  return {
    model: model.name,
    identity: await liveIdentity(aws, service, await bucket(), model.name),
    entries: model.batch?.entries ?? [],
    queue: batchName(model, plan.host),
  };
}
