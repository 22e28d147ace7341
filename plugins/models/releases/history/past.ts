import type { ModelCard } from '../../../../core/card/contract.ts';
import type { GateState } from '../../../../core/gate/contract.ts';
import type { Judgement } from '../../../../core/judge/contract.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import type { PromotedFrom } from '../../../../core/release/document/history-contract.ts';
import type { Commanded, Phase } from '../../../../core/release/document/parts-contract.ts';

/** What `sls models history --json` prints of a release. Times are ISO. */
export type Past = {
  readonly model: string;
  readonly release: string;
  readonly startedAt: string;
  /** ARN of who deployed; absent where it is not known. */
  readonly by?: string;
  readonly deployment?: string;
  readonly plugin?: string;
  /** What was run: `sls deploy`, or the framework’s `sls rollback`; absent where it is not known. */
  readonly command?: 'deploy' | 'rollback';
  /** That was with `--force`. */
  readonly forced?: true;
  /** The version that was live, absent for a first one, and the one that was released. */
  readonly from?: string;
  readonly to?: string;
  /** sha256 over the source artifact; absent where it is not known. */
  readonly source?: string;
  /** As the lines of an audit have it. */
  readonly identity?: string;
  readonly fingerprint?: string;
  /** What a registry of models knew of the artifact, and what was told of it. */
  readonly origin?: ArtifactOrigin;
  readonly card?: ModelCard;
  /** The stage that validated it before, where the deploy took it from one. */
  readonly promoted?: PromotedFrom;
  readonly gate?: GateState;
  /** Percent of the traffic that it had at its end, or has; absent where it never had any. */
  readonly weight?: number;
  /** The last step in force: which (from 1) of how many. */
  readonly step?: { readonly number: number; readonly of: number };
  /** The last look of each step. */
  readonly judgements: readonly Judgement[];
  readonly phase: Phase;
  readonly outcome: string;
  /** What persons asked of it and got, oldest first; absent where nothing is known of that. */
  readonly commands?: readonly Omit<Commanded, 'release'>[];
  /** Who had it promoted before its steps were over, whatever came of it since. */
  readonly promotedBy?: string;
  /** Rolled back: the version that has all traffic since. */
  readonly restored?: string;
  /** When, where it was promoted before. */
  readonly rolledBackAt?: string;
  /** When it was promoted, or given up. */
  readonly endedAt?: string;
  /** It ended with its model, which is not deployed any more. */
  readonly gone?: true;
  readonly reason?: string;
};
