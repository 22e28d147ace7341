import type { GateState } from '../../gate/contract.ts';
import type { Scaling } from '../../ports/aws.ts';
import type { LiveVersion } from '../../quality/contract.ts';
import type { Release } from '../document/contract.ts';
import type { BatchVersion, Intent, Notice } from '../document/parts-contract.ts';
import type { Settings } from '../document/settings-contract.ts';

/** One thing to do; then everything is read again. `next`: the document to write once it is done. */
export type Action =
  /** Compare-and-set the document. */
  | { readonly do: 'write'; readonly next: Release }
  /** Make the intended move of the alias. */
  | { readonly do: 'move'; readonly intent: Intent }
  /** Answer CloudFormation. */
  | {
      readonly do: 'answer';
      readonly status: 'SUCCESS' | 'FAILED';
      readonly reason: string;
      readonly next: Release;
    }
  /** Run a part of the gate on a version; `next` (written before) keeps others from it meanwhile. */
  | {
      readonly do: 'gate';
      readonly version: string;
      readonly settings: Settings;
      readonly state: GateState | undefined;
      /** Cases that must do, where time is short. */
      readonly most?: number;
      /** What labelled rows are compared with. */
      readonly live?: LiveVersion;
      readonly next: Release;
    }
  /** Ask for provisioned concurrency; where AWS refuses, `unprovided` says what follows. */
  | { readonly do: 'provide'; readonly version: string; readonly instances: number }
  /** End scaling and provisioned concurrency of a version. */
  | { readonly do: 'release'; readonly version: string }
  /** Scale a version by use. */
  | { readonly do: 'scale'; readonly version: string; readonly scaling: Scaling; readonly next: Release }
  /** Make the recurring tick anew: another pace, another deadline. */
  | { readonly do: 'schedule'; readonly next: Release }
  /** Publish the oldest notice. */
  | { readonly do: 'notify'; readonly notice: Notice; readonly next: Release }
  /** Tell the deploy's record how it ended. */
  | { readonly do: 'record'; readonly deployment: string; readonly next: Release }
  /**
   * Delete versions of the batch function. What cannot be deleted, or a job may run from, is kept for a while
   * more.
   */
  | { readonly do: 'retire'; readonly batches: readonly BatchVersion[] }
  /** Nothing until the next tick. `blind`: what cannot be read. `prune`: versions that nobody needs. */
  | {
      readonly do: 'wait';
      readonly reason: string;
      readonly blind?: Blind;
      readonly prune?: readonly string[];
    }
  /** Nothing ever: delete the schedule. */
  | { readonly do: 'stop'; readonly prune?: readonly string[] };

/** What is left to the next tick where AWS does not take it now: no release waits for it. */
export type Postponable = Extract<Action['do'], 'schedule' | 'notify' | 'record'>;

export const write = (next: Release): Action => ({ do: 'write', next });
export const wait = (reason: string, blind?: Blind): Action => ({
  do: 'wait',
  reason,
  ...(blind && { blind }),
});
export const STOP: Action = { do: 'stop' };

/** `todo`: what a person can do. */
export type Blind = { readonly subject: string; readonly why: string; readonly todo: string };
