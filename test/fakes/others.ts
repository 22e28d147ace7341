import type { AnswerPort, Schedule, SchedulePort, StackPort, StackState } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

/** EventBridge Scheduler, in memory: schedules by `group/name`. */
export function fakeSchedules(chaos: Chaos = calm) {
  const schedules = new Map<string, Schedule>();
  const port: SchedulePort = {
    make: async (schedule) => {
      await chaos('before make schedule');
      const key = `${schedule.group}/${schedule.name}`;
      const there = schedules.has(key);
      if (!there) schedules.set(key, schedule);
      await chaos('after make schedule');
      return there ? 'there' : 'made';
    },
    put: async (schedule) => {
      await chaos('before put schedule');
      schedules.set(`${schedule.group}/${schedule.name}`, schedule);
      await chaos('after put schedule');
    },
    remove: async ({ group, name }) => {
      await chaos('before delete schedule');
      schedules.delete(`${group}/${name}`);
      await chaos('after delete schedule');
    },
  };
  return { port, schedules };
}

/** One stack, whose state the test sets. */
export function fakeStack(initial: StackState, chaos: Chaos = calm) {
  const stack = { state: initial };
  const port: StackPort = {
    state: async () => {
      await chaos('before describe stack');
      return stack.state;
    },
  };
  return { port, stack };
}

type Answer = {
  readonly url: string;
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
} & Readonly<Record<string, string>>;

/** What CloudFormation was told. */
export function fakeAnswers(chaos: Chaos = calm) {
  const answers: Answer[] = [];
  const port: AnswerPort = async (url, body) => {
    await chaos('before answer');
    answers.push({ ...JSON.parse(body), url });
    await chaos('after answer');
    return 'ok';
  };
  return { port, answers };
}
