import type { Release } from '../../../../../core/release/document/contract.ts';
import type { AliasTarget } from '../../../../../core/release/document/parts-contract.ts';
import type { CommandEvent } from '../../../../../core/release/document/worker-contract.ts';
import type { Status } from '../../../../../plugins/models/releases/status.ts';

/**
 * A service of two models as the steps and the agreement see it: in memory (`service.ts`), or on a local AWS
 * (the soak).
 */

export const MODELS = ['a', 'b'] as const;
export type Name = (typeof MODELS)[number];

/** What a version does: its kind is a part of what it is. */
export type Kind = 'good' | 'gate' | 'bad';
/** `good-3`: a version that behaves so, and its number among all. */
export type Fingerprint = `${Kind}-${number}`;
export const kindOf = (fingerprint: string): Kind => fingerprint.split('-')[0] as Kind;

export type Template = Readonly<Record<Name, Fingerprint>>;

/** A command that ended; `killed`: by a signal, and nobody saw an exit code. */
export type Ended = { readonly code: 0 | 1; readonly output: string };
export type KilledAt = 'before the upload' | 'after the upload' | 'in the operation';

export type Offering = {
  readonly force?: boolean;
  readonly wait?: boolean;
  /** With a resource of the stack's own that fails after the aliases. */
  readonly isBroken?: boolean;
  readonly killed?: KilledAt;
};

type Named = { readonly fingerprint?: string };
/** What is looked at of a document; fingerprints are ours. */
export type Recorded = Pick<Release, 'phase' | 'reason'> & {
  readonly stable?: Named;
  readonly candidate?: Named;
  readonly refused: readonly (Named & { readonly at: string })[];
};

export type Subject = {
  /** Milliseconds of the worker's clock. */
  now(): number;
  /** `sls deploy`. @returns undefined where it was killed */
  deploy(template: Template, options?: Offering): Promise<Ended | undefined>;
  /** Time passes; busy: with traffic, until every release is decided. */
  minutes(count: number, isBusy: boolean): Promise<void>;
  /** Looks once what goes on by itself has ended. */
  quiet(look: () => Promise<void>): Promise<void>;
  /** `sls models <verb>`. @returns whether it was done */
  command(model: Name, verb: CommandEvent['command']['verb'], to?: string): Promise<boolean>;
  /** Somebody else moves the alias, or deletes it. */
  moveAlias(model: Name, version: string): Promise<void>;
  loseAlias(model: Name): Promise<void>;
  /** Somebody deletes what ticks the model. */
  loseSchedules(model: Name): Promise<void>;
  /** Somebody deletes what is known of its release. */
  loseDocument(model: Name): Promise<void>;
  status(model: Name): Promise<Pick<Status, 'level' | 'summary' | 'traffic'>>;
  /** What serves which share (percent), as Lambda has it. */
  traffic(model: Name): Promise<Readonly<Partial<Record<Fingerprint, number>>> | undefined>;
  document(model: Name): Promise<Recorded | undefined>;
  schedules(model: Name): Promise<number>;
  /** Fingerprints of the versions that hold instances. */
  held(model: Name): Promise<readonly string[]>;
  /** Numbers of its published versions, oldest first. */
  published(model: Name): Promise<readonly string[]>;
  contentOf(model: Name, version: string): Promise<Fingerprint | undefined>;
};

/** Shares in percent, from an alias's weights. */
export function sharesOf(
  { version, weights }: AliasTarget,
  contentOf: (version: string) => Fingerprint | undefined,
): Readonly<Partial<Record<Fingerprint, number>>> {
  const others = Object.entries(weights);
  const rest = 1 - others.reduce((sum, [, weight]) => sum + weight, 0);
  const shares: Partial<Record<Fingerprint, number>> = {};
  for (const [one, share] of [[version, rest] as const, ...others]) {
    const fingerprint = contentOf(one) ?? 'good-0';
    shares[fingerprint] = Math.round(((shares[fingerprint] ?? 0) + share * 100) * 10) / 10;
  }
  return shares;
}
