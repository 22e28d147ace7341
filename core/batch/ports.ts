import type { Manifest } from '../endpoint/contract.ts';
import type { Files, Head, Located } from '../ports/files.ts';
import type { LogFields } from '../ports/log.ts';
import type { Source } from '../tabular/cells/format.ts';
import type { Entry, Owner } from './contract.ts';
import type { Folder, Job } from './job.ts';
import type { RunModel } from './score.ts';

/** Executions of the state machine: of this job, of others. */
type Running = { readonly own: boolean; readonly others: boolean };

/** All that a batch function can reach. */
export type BatchWorld = {
  readonly manifest: Manifest;
  readonly entries: readonly Entry[];
  /** The service and stage that this is of. */
  readonly owner: Owner;
  /** The function's version. */
  readonly version: string;
  readonly run: RunModel;
  /**
   * Bytes of an object up to which one invocation scores it whole; of a part; of a file of answers, about.
   */
  readonly sizes: { readonly whole: number; readonly part: number; readonly file: number };
  readonly head: (object: Located) => Promise<Head | undefined>;
  readonly source: (object: Located, head: Head) => Source;
  readonly files: (bucket: string) => Files;
  readonly queue: {
    /** Keeps a message with the reason why it came to nothing, where people look for it. */
    fail(
      body: string,
      why: { readonly code: string; readonly reason: string; readonly job?: string },
    ): Promise<void>;
    /**
     * Another invocation goes on, after so many seconds.
     * @param since ISO 8601: when the attempt began; absent where a person asks for one, which has not begun
     * @param isAsked no attempt has begun since then, a person has asked for one
     */
    again(body: string, seconds: number, since?: string, isAsked?: boolean): Promise<void>;
    /** It comes back after so many seconds. */
    later(receipt: string, seconds: number): Promise<void>;
  };
  /**
   * Whose parts run side by side? Those of one job of the model at a time: more would be so many times the
   * instances.
   */
  readonly running: (folder: Folder) => Promise<Running>;
  /** Runs the parts of `_PLAN.json` side by side, by this very version, unless they run. */
  readonly spread: (job: Job, folder: Folder) => Promise<'started' | 'running'>;
  /** Milliseconds that the invocation may still take. */
  readonly left: () => number;
  readonly clock: () => number;
  readonly count: (metrics: Readonly<Record<string, number>>) => void;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields: LogFields) => void;
};
