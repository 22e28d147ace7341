import type { NoticePort } from '../ports/aws.ts';
import type { Baseline } from './contract.ts';
import type { DriftDocuments } from './documents.ts';

/** All that the monitor can reach. Tests put fakes behind the same ports. */
export type DriftWorld = {
  readonly logs: LogPort;
  readonly documents: DriftDocuments;
  /** @returns undefined where the registry has none that can be read; throws where that cannot be told */
  readonly baseline: (digest: string) => Promise<Baseline | undefined>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds that this invocation has left. */
  readonly left: () => number;
  /** Takes one line of CloudWatch's embedded metric format, its newline included. */
  readonly out: (line: string) => void;
  readonly log: Log;
  /** Sends notices to the alerts topic. */
  readonly notify: NoticePort;
};

export type LogPort = {
  /**
   * Lines of a log group in [from, to), by the time of the event in milliseconds, that are JSON objects with
   * this member, a text. Page by page, in no order; a page may be empty. @throws Error where there is no such
   * group
   */
  readonly lines: (
    group: string,
    member: string,
    from: number,
    to: number,
  ) => AsyncIterable<readonly string[]>;
};

/** For people: what they are told is one sentence, and fields to look for. */
type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: Fields) => void;
type Fields = Readonly<Record<string, string | number | undefined>>;
