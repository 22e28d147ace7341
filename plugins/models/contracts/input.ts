import type { Facts, LayerFacts, Model, ServiceOptions } from '../declaration/model.ts';
import type { Host } from './host.ts';

/** What packaging found out: without it a function can be listed, invoked and removed, but not deployed. */
export type Built = {
  readonly facts: Facts;
  /** What functions of its target share, where they do. */
  readonly layer?: LayerFacts;
  /** Absolute path of its zip, where it is deployed as one. */
  readonly zip?: string;
};

/** Everything that the plan follows from. `built` is empty until the models are packaged. */
export type PlanInput = {
  readonly models: readonly Model[];
  readonly options: ServiceOptions;
  readonly host: Host;
  readonly built: ReadonlyMap<string, Built>;
  /** Zips of our own functions by key. */
  readonly zips: ReadonlyMap<string, string>;
  /** Keys that guard or watch a model and have no value. */
  readonly empty?: readonly string[];
};

/** One model's endpoint as the framework compiled it: what its alias is made from. */
export type Endpoint = {
  readonly model: Model;
  readonly facts: Facts;
  readonly layer?: LayerFacts;
  /** Lambda's name. */
  readonly functionName: string;
  readonly functionLogicalId: string;
  readonly versionLogicalId: string;
  readonly aliasLogicalId: string;
  /** sha256 over identity, layer and every versioned property. */
  readonly fingerprint: string;
  /** The batch function of a model that has one. */
  readonly batch?: { readonly functionLogicalId: string; readonly versionLogicalId: string };
};

/** What a release needs of the plan's input. */
export type ReleaseInput = Pick<PlanInput, 'models' | 'host' | 'options' | 'zips'>;
