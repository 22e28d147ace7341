/**
 * Documents of the registry that are written once and added to: what is a version, what was deployed and how
 * it ended. Shapes only.
 */

import type { ModelCard } from '../../card/contract.ts';
import type { GateState } from '../../gate/contract.ts';
import type { Judgement } from '../../judge/contract.ts';
import type { ArtifactOrigin } from '../../origin/contract.ts';
import type { MetricResult, MetricState } from '../../quality/contract.ts';
import type { TensorSpec } from '../../tensor/contract.ts';
import type { Phase } from './parts-contract.ts';

/**
 * `deployments/<id>.json`: what the command line writes before it uploads anything, and what is added to it.
 */
export type Deployment = {
  readonly schema: 1;
  /** A ULID: ids in order are deploys in order. */
  readonly id: string;
  readonly at: string;
  /** ARN of the caller. */
  readonly by: string;
  /** Version of the plugin. */
  readonly plugin: string;
  /** With `--force`. */
  readonly forced?: true;
  readonly models: readonly {
    readonly model: string;
    readonly identity: string;
    readonly source: string;
    readonly layer: string;
    readonly fingerprint: string;
    /** The stage that validated this very artifact, where the deploy asked for that. */
    readonly promoted?: PromotedFrom;
  }[];
  /** How its releases stand, by model: added by the worker. */
  readonly releases?: Readonly<Record<string, DeploymentEnd>>;
  /** Added by the command line where the deploy itself failed. */
  readonly failed?: { readonly at: string; readonly reason: string };
};

/**
 * What another stage of the service found of a version of the same source and identity, when it was asked.
 */
export type PromotedFrom = {
  readonly stage: string;
  /** Name of its stack, Lambda's version there, and id of the release that validated it. */
  readonly stack: string;
  readonly version: string;
  readonly release: string;
  readonly startedAt: string;
  /** When it was promoted there. */
  readonly endedAt?: string;
  readonly gate: Pick<GateState, 'verdict' | 'done' | 'count' | 'reason'> & {
    /** What its labelled rows came to; absent where it measured none, or an older version took it down. */
    readonly metric?: Measured;
  };
  /** The last look of its canary, with the bound of each signal that has one. */
  readonly judged?: Pick<Judgement, 'at' | 'verdict' | 'reason'> & {
    readonly bounds?: Readonly<Record<string, number>>;
  };
  /** Id of the newest bench of that version, and its time. */
  readonly bench?: { readonly id: string; readonly at: string };
};

/** What labelled rows came to. */
export type Measured = Pick<MetricState, 'name'> & Pick<MetricResult, 'verdict' | 'estimate'>;

/** What the worker adds to `deployments/<id>.json`, by model, under `releases`. */
export type DeploymentEnd = {
  readonly release: string;
  readonly phase: Phase;
  readonly at: string;
  readonly version?: string;
  readonly reason?: string;
  readonly gate?: GateState;
  readonly judgements: readonly Judgement[];
};

/** `versions/<model>/<n>.json`, written when the worker first sees a version. */
export type VersionRecord = {
  readonly schema: 1;
  readonly model: string;
  readonly functionName: string;
  readonly version: string;
  readonly identity: string;
  readonly fingerprint: string;
  readonly layer: string;
  readonly source: string;
  /** What it runs from; absent where that is a zip. */
  readonly image?: VersionImage;
  /** What a registry of models knows of the artifact; absent where it came from none. */
  readonly origin?: ArtifactOrigin;
  /** What is told of it, as last deployed; absent where the service declares no card. */
  readonly card?: ModelCard;
  readonly at: string;
};

/** An image at ECR, in the version's account and region. */
export type VersionImage = {
  /** Name of the repository. */
  readonly repository: string;
  readonly tag: string;
  /** What ours is laid over: `host/repository@sha256:<hex>`. */
  readonly base: string;
  /** `sha256:<hex>` of the manifest that the tag named when the version was published; absent: not known. */
  readonly digest?: string;
};

/**
 * `signatures/<model>/<fingerprint>.json`: what clients see of a version, written by the command line before
 * it uploads anything, so that a later deploy can be compared. Versions from before there were such documents
 * have none.
 */
export type SignatureRecord = {
  readonly schema: 1;
  readonly model: string;
  readonly fingerprint: string;
  readonly at: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};
