import type { Facts, Model, ServiceOptions } from '../declaration/model.ts';
import type { Problem } from '../problems/errors.ts';
import type { Alarm, AlarmKind } from './alarm.ts';
import type { Json, Resource } from './cloudformation.ts';
import type { FunctionDefinition, Host } from './host.ts';
import type { Endpoint, PlanInput } from './input.ts';

/**
 * One thing that models add to a service. The plan folds over `plan/features.ts` and knows none by name:
 * inventory, needed policy and cost are what the fold counts. Each part is pure, and absent where the feature
 * has none.
 */
export type Feature = {
  readonly name: string;
  /** Functions to add to the service, by key; also before anything is packaged. */
  readonly functions?: (input: PlanInput) => Functions;
  /** Resources to add to the stack, by logical id. */
  readonly resources?: (input: PlanInput, endpoints: readonly Endpoint[], fold: Fold) => Resources;
  /** The framework's own compiled resources that it changes, by logical id. */
  readonly changes?: (input: PlanInput, compiled: Compiled, endpoints: readonly Endpoint[]) => Compiled;
  /** What a role that the service names must allow for it. */
  readonly statements?: (input: PlanInput) => readonly Json[];
  /** Services that take such a role for it, beside Lambda: its trust policy must name them. */
  readonly trusted?: (input: PlanInput) => readonly string[];
  /** What is wrong by the declarations and the service alone. */
  readonly problems?: (models: readonly Model[], host: Host, options: ServiceOptions) => readonly Problem[];
  /** What it adds, in a person's words. What nobody claims is listed by its type. */
  readonly claims?: (input: PlanInput, fold: Fold) => readonly Claim[];
  readonly alarmKinds?: readonly AlarmKind[];
  /** Alarms that are of no kind, since they follow from reference data. @param actions ARNs of topics */
  readonly alarms?: (model: Model, host: Host, known: Known, actions: readonly unknown[]) => readonly Alarm[];
  /** Graphs of a model on the dashboard, as CloudWatch has them. */
  readonly graphs?: (model: Model, host: Host, known: Known) => readonly object[];
  /** Dollars a month of a model without a single request, by cause. */
  readonly standing?: (model: Model, host: Host, fold: Fold) => Dollars;
  /** Dollars a month of a model's requests, by cause; equal causes of several features are added. */
  readonly monthly?: (model: Model, facts: Facts, use: Use) => Dollars;
};

export type Functions = Readonly<Record<string, FunctionDefinition>>;
export type Resources = Readonly<Record<string, Resource>>;
/** Resources of the framework's template, where nothing is known of their form. */
export type Compiled = Readonly<Record<string, Json>>;
export type Dollars = Readonly<Record<string, number>>;
/** Requests a month, and the seconds that one takes; and those of INIT, if it starts an instance. */
export type Use = { readonly requests: number; readonly duration: number; readonly init: number };

/** Facts by model, once it is packaged. */
export type Known = ReadonlyMap<string, Pick<Facts, 'drift'>>;

/** What all features together say of a model, for those that show or send it on. */
export type Fold = {
  readonly alarmKinds: readonly AlarmKind[];
  readonly alarms: (model: Model, actions?: readonly unknown[]) => readonly Alarm[];
  readonly graphs: (model: Model) => readonly object[];
};

/** Some of what is added, under one name: a function counts with all that the framework makes of it. */
export type Claim = {
  readonly what: string;
  readonly name: string;
  /** Keys of functions, and logical ids of resources; what is not there counts nothing. */
  readonly functions?: readonly string[];
  readonly resources?: readonly string[];
};
