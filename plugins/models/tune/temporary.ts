import type { TemporaryStacks } from '../../../aws/temporary-stacks.ts';
import { errorStatus, isThrottled, messageOf } from '../../../core/errors/aws-errors.ts';
import { ownerOf, ownerTags, standingOf, type TuneOwner } from './owner.ts';
import { tuneProblem } from './problems.ts';

export type TemporaryGiven = {
  readonly model: string;
  readonly region: string;
  readonly stacks: TemporaryStacks;
  readonly stack: {
    readonly name: string;
    readonly template: unknown;
    /** Beside tune's own. */
    readonly tags: Readonly<Record<string, string>>;
    readonly role?: string;
  };
  readonly owner: TuneOwner;
  readonly now: () => number;
  readonly isAlive: (pid: number) => boolean;
  readonly pause: (ms: number) => Promise<void>;
  readonly ended: AbortSignal;
  readonly progress: (text: string) => void;
  readonly notice: (text: string) => void;
};

/** Milliseconds between two looks at a stack. */
const LOOK_EVERY = 1000;
/** Milliseconds for which a look at it that AWS does not answer is tried again. */
const PATIENCE = 60_000;
/** Milliseconds in which a stack has to be gone, and how often its removal is begun. */
const REMOVAL = 600_000;
const TRIES = 3;

/**
 * Makes the stack, works with it and removes it, however the work ends; first of all what a run left that was
 * killed.
 *
 * @param work is called in any case, also where `ended` came before all was made
 * @returns what the work found; `left`: why the stack could not be removed
 * @throws ProblemError where it cannot be made; what the work throws, or after that why the stack is left
 */
export async function withTemporary<T>(
  given: TemporaryGiven,
  work: () => Promise<T>,
): Promise<{ readonly found: T; readonly left?: Error }> {
  const { stacks, stack, owner, progress } = given;
  await clear(given);
  if (given.ended.aborted) return { found: await work() };
  progress(`Making ${stack.name}`);
  const tags = { ...stack.tags, ...ownerTags(owner) };
  const id = await stacks.create({ ...stack, tags }).catch(async (error: unknown) => {
    // The request may have got through although nobody answered.
    const there = await stacks.seen(stack.name).catch(() => undefined);
    const whose = there && ownerOf(there.tags);
    if (there !== undefined && whose?.machine === owner.machine && whose.pid === owner.pid)
      await removed(given, there.id);
    throw error;
  });
  let found: T;
  try {
    await made(given, id);
    found = await work();
  } catch (error) {
    await removed(given, id).catch((left: unknown) => {
      given.notice(messageOf(error));
      throw left;
    });
    throw error;
  }
  const left = await removed(given, id).then(
    () => undefined,
    (error: Error) => error,
  );
  return { found, ...(left && { left }) };
}

/** What is there of another run. */
async function clear(given: TemporaryGiven): Promise<void> {
  const { model, notice, owner, region, stack, stacks } = given;
  const found = await stacks.seen(stack.name);
  if (found === undefined || found.status === 'DELETE_COMPLETE') return;
  const { machine } = owner;
  // In containers a process often has the very number of the one before it.
  const isAlive = (pid: number): boolean => pid !== owner.pid && given.isAlive(pid);
  const standing = standingOf(found.tags, { machine, now: given.now(), isAlive });
  const whose = ownerOf(found.tags);
  if (standing === 'foreign')
    throw tuneProblem(
      model,
      `cannot be tuned: there is a stack ${stack.name} in ${region} that no tune has made.`,
      'Remove it, or name another --stage.',
    );
  if (standing !== 'left' && found.status !== 'DELETE_IN_PROGRESS') {
    const until = new Date(whose?.until ?? 0).toISOString().slice(0, 16).replace('T', ' ');
    throw tuneProblem(
      model,
      `is being tuned ${standing === 'here' ? `on this machine, by process ${whose?.pid}` : 'from another machine'}, until ${until} UTC at the latest.`,
      `Wait for it. If it was killed: aws cloudformation delete-stack --stack-name ${stack.name} --region ${region}`,
    );
  }
  notice(`A tune that did not end left the stack ${stack.name}. It is removed first.`);
  await removed(given, found.id);
}

/** CloudFormation takes few questions a second from an account, and whoever deploys in it asks, too. */
const isPassing = (error: unknown): boolean => isThrottled(error) || (errorStatus(error) ?? 0) >= 500;

/** CloudFormation's word for the stack; where it answers nothing for now it is asked again, up to a time. */
async function statusOf(
  { now, pause, stacks }: TemporaryGiven,
  id: string,
  last: number,
): Promise<string | undefined> {
  for (;;)
    try {
      return (await stacks.seen(id))?.status;
    } catch (error) {
      if (!isPassing(error) || now() >= last) throw error;
      await pause(LOOK_EVERY);
    }
}

async function made(given: TemporaryGiven, id: string): Promise<void> {
  const { ended, model, now, pause, stack, stacks } = given;
  for (;;) {
    const status = (await statusOf(given, id, now() + PATIENCE)) ?? 'DELETE_COMPLETE';
    if (status === 'CREATE_COMPLETE' || ended.aborted) return;
    if (status !== 'CREATE_IN_PROGRESS') {
      const [why = `it is ${status}`] = await stacks.failures(id);
      throw tuneProblem(
        model,
        `cannot be tuned: the stack ${stack.name} was not made. ${why.replace(/\.$/, '')}.`,
        'docs/deploy-policy.md lists what tune needs.',
      );
    }
    await pause(LOOK_EVERY);
  }
}

/** @param id ARN @throws ProblemError where something is left */
async function removed(given: TemporaryGiven, id: string): Promise<void> {
  const { now, pause, progress, region, stack, stacks } = given;
  progress(`Removing ${stack.name}`);
  const last = now() + REMOVAL;
  let why = 'it took longer than ten minutes';
  for (let tries = 0; tries < TRIES && now() < last; ) {
    try {
      await stacks.remove(id, stack.role);
      let status = await statusOf(given, id, last);
      while (status !== undefined && status !== 'DELETE_COMPLETE' && status !== 'DELETE_FAILED') {
        if (now() >= last) break;
        await pause(LOOK_EVERY);
        status = await statusOf(given, id, last);
      }
      if (status === undefined || status === 'DELETE_COMPLETE') return;
      tries += 1;
      if (status === 'DELETE_FAILED') why = (await stacks.failures(id)).at(-1) ?? why;
    } catch (error) {
      why = messageOf(error);
      if (!isPassing(error)) tries += 1;
      await pause(LOOK_EVERY);
    }
  }
  throw tuneProblem(
    given.model,
    `leaves the stack ${stack.name} in ${region}, with a function, a role and a log group: ${why.replace(/\.$/, '')}.`,
    `The next tune removes it, and so does: aws cloudformation delete-stack --stack-name ${stack.name} --region ${region}`,
  );
}
