/**
 * A thread that answers one question at a time: a table takes a minute, and an interrupt must be heard
 * meanwhile.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** @param file a module that answers every message with one; started at the first question */
export function threadOf<Question>(file: URL): <Answer>(question: Question) => Promise<Answer> {
  let thread: Worker | undefined;
  return async (question) => {
    thread ??= new Worker(file);
    thread.ref();
    thread.postMessage(question);
    try {
      // Rejects where the thread throws, which ends it.
      const [answer] = await once(thread, 'message');
      thread.unref();
      return answer;
    } catch (error) {
      thread = undefined;
      throw error;
    }
  };
}
