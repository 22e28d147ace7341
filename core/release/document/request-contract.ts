/** What CloudFormation asks of a release, and what its document keeps of that. Shapes only. */

import type { GateState } from '../../gate/contract.ts';
import type { HeldBy, LiveWatch, VersionRef } from './parts-contract.ts';
import type { Settings, Step } from './settings-contract.ts';

/** A Create or Update of the custom resource, read. */
export type AliasRequest = {
  readonly type: 'Create' | 'Update';
  readonly id: string;
  readonly url: string;
  readonly logicalId: string;
  readonly stack: string;
  readonly functionName: string;
  readonly alias: string;
  readonly model: string;
  readonly version: string;
  /** The version of the same function that the template asked for before, and the mark that it asked with. */
  readonly before?: string;
  readonly markBefore?: string;
  /** Differs at each deploy that asks anew for what the template asks for already. */
  readonly mark?: string;
  readonly fingerprint: string;
  /** sha256 over the source artifact. */
  readonly source?: string | undefined;
  /** The batch function's version that belongs to it. */
  readonly batch?: VersionRef['batch'] | undefined;
  readonly settings: Settings;
  /** By `sls deploy --force`, whose ISO time is then the mark: what was refused before it may go again. */
  readonly forced: boolean;
  /** Milliseconds that the worker may take to answer. */
  readonly patience: number;
  readonly schedule: { readonly group: string; readonly name: string };
};

/** The CloudFormation request that is being served, or was served last. */
export type StackRequest = {
  readonly id: string;
  /**
   * `settings`: the version stays, what it follows changes. `refused`: nothing was done, for `failure`; only
   * the answer is left.
   */
  readonly kind: 'forward' | 'rollback' | 'settings' | 'refused';
  /** The resource's key in the template, which every answer must repeat. */
  readonly logicalId: string;
  /** Where to answer: a signed URL, so a credential; gone once answered. */
  readonly url?: string;
  /** ISO time at which the worker answers FAILED rather than let CloudFormation run into its timeout. */
  readonly answerBy: string;
  readonly answered?: 'SUCCESS' | 'FAILED';
  /** Why it fails, although the release itself stands: AWS refused what it asked for, or we did. */
  readonly failure?: string;
};

/**
 * What the CloudFormation operation under way found when its first request came: where a stack that rolls
 * back returns to. It stands until the next operation's first request.
 */
export type Operation = {
  /** Id of the latest request of this operation that was followed. */
  readonly request: string;
  /** What it asks for: the version, and the mark where it is asked for anew. */
  readonly asks: string;
  /**
   * What the template asked for before, and asks for again once the stack has rolled back; absent: there was
   * no alias.
   */
  readonly before?: string;
  readonly at: string;
  /** What was live; absent: nothing. */
  readonly stable?: VersionRef;
  readonly watch?: LiveWatch;
  /** What had given its traffic up to the version that is live. */
  readonly undone?: Undone;
  /** The release that it took the place of; it begins anew if the stack returns to its template. */
  readonly superseded?: {
    readonly candidate: VersionRef;
    readonly gate?: GateState;
    readonly steps?: readonly Step[];
    readonly held?: { readonly by: HeldBy; readonly at: string; readonly pagedAt: string };
    readonly reason?: string;
    readonly deployment?: string;
  };
};

/** What gave its traffic up, or, where somebody had moved the alias, that it was put back; and when. */
export type Undone = {
  readonly how: 'putBack' | 'givenUp' | 'rolledBack';
  readonly version?: string;
  readonly at: string;
};

/** A request whose stack's status cannot be read: not followed yet, and not refused. */
export type Waiting = {
  readonly asked: AliasRequest;
  /** ISO time at which it is decided without. */
  readonly until: string;
};
