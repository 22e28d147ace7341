import type { Facts, LayerFacts, Model, ServiceOptions } from '../declaration/model.ts';
import type { Json, Statement } from './cloudformation.ts';
import type { Claim, Resources } from './feature.ts';
import type { Host } from './host.ts';
import type { Built } from './input.ts';

/** Which of a model's functions runs: each has a handler of its own in what is built. */
export type Room = 'infer' | 'batch';

/**
 * What an artifact becomes: code and runtime of the functions that run it. Roles, routes, alarms and releases
 * are the same for all. This half is pure; the one that touches the disk is its `Builder`.
 */
export type Target = {
  readonly kind: string;
  /** Models that say so of `package` become it. */
  readonly package: Model['package'];
  /**
   * Code, runtime, environment and room of a function that runs the model.
   *
   * @param built undefined before it is packaged
   */
  readonly properties: (
    model: Model,
    host: Host,
    options: ServiceOptions,
    built: Built | undefined,
    room: Room,
  ) => Json;
  /** What loading the model needs of the function's role. */
  readonly statements: (
    facts: Facts | undefined,
    host: Host,
    options: ServiceOptions,
  ) => readonly Statement[];
  /** What functions share that run in it, by logical id. */
  readonly resources: (host: Host, runtimes: readonly LayerFacts[]) => Resources;
  readonly claims: (models: readonly Model[]) => readonly Claim[];
  /** Name of the repository that its images are in; absent of a target that makes none. */
  readonly repository?: (model: Model, host: Host) => string;
  /** Stands for what it runs in in a version's fingerprint: another one is another version. */
  readonly identity: (built: Pick<Built, 'facts' | 'layer'>) => string;
};
