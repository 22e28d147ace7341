import type { Release } from '../document/contract.ts';
import type { VersionRecord } from '../document/history-contract.ts';
import type { CommandEvent } from '../document/worker-contract.ts';

/** What a person asks of a release, and what becomes of it. */

/** What a person asks. `target`: the version that a rollback leads to, as the registry and Lambda know it. */
export type PersonCommand = CommandEvent['command'];
export type RollbackTarget = { readonly record: VersionRecord | undefined; readonly published: boolean };

export type Ordered =
  | { readonly do: 'write'; readonly next: Release; readonly text: string }
  | { readonly do: 'refuse'; readonly reason: string };

export const refuse = (reason: string): Ordered => ({ do: 'refuse', reason });

export const why = (what: string, { by, reason }: Pick<PersonCommand, 'by' | 'reason'>): string =>
  `${what} by ${by}${reason === undefined ? '' : `: ${reason}`}`;
