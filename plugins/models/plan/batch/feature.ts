import type { Claim, Feature } from '../../contracts/feature.ts';
import { hasNamedRole, nameOf, providerRole } from '../../contracts/host.ts';
import type { PlanInput } from '../../contracts/input.ts';
import { placeOf } from '../../declaration/keys/units.ts';
import { batchKey, batchLogicalId, bucketLogicalId, roleLogicalId } from '../../declaration/naming.ts';
import { MONTH, PRICES } from '../shared/prices.ts';
import { BATCH_ALARMS } from './alarms.ts';
import { batchFunctions, batching, batchName, batchRole, batchStatements } from './functions.ts';
import { batchGraph } from './graph.ts';
import { machineStatements } from './machine.ts';
import {
  batchResources,
  bucketProblems,
  madeBuckets,
  ruledInputs,
  ruleId,
  watchedBuckets,
} from './resources.ts';

/**
 * Requests a month to a queue that is empty: five pollers, each of which waits for 20 seconds at most:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const POLLS = (5 * MONTH) / 20;

const claims = ({ models, host }: PlanInput): readonly Claim[] => [
  ...batching(models).flatMap((model): Claim[] => {
    const id = (what: string): string => batchLogicalId(model.name, what);
    const [key, name] = [batchKey(model.name), batchName(model, host)];
    return [
      { what: 'function', name, functions: [key], resources: [roleLogicalId(key)] },
      // The one of failed objects, and the policy of both.
      { what: 'queue', name, resources: [id('Queue'), id('FailedQueue'), id('QueuePolicy')] },
      ...ruledInputs(model).map((input) => ({
        what: 'rule',
        name: placeOf(input),
        resources: [ruleId(model, input)],
      })),
      { what: 'state machine', name, resources: [id('Machine'), id('MachineRole')] },
    ];
  }),
  ...watchedBuckets(models).map((name) => ({
    what: 'bucket events',
    name,
    resources: [bucketLogicalId(name, 'Events')],
  })),
  ...madeBuckets(models).map((name) => ({
    what: 'bucket',
    name,
    resources: [bucketLogicalId(name, 'Bucket'), bucketLogicalId(name, 'BucketPolicy')],
  })),
];

/** Objects in S3, scored by a second function of the model. */
export const batchFeature: Feature = {
  name: 'batch',
  functions: ({ models, host, options, built }) => batchFunctions(models, host, options, built),
  resources: ({ models, host, options }, endpoints) => ({
    ...Object.fromEntries(
      endpoints.flatMap(({ model, facts }) =>
        batching([model])
          .filter(() => !hasNamedRole(model, host))
          .map((one) => [roleLogicalId(batchKey(one.name)), batchRole(one, host, options, facts)]),
      ),
    ),
    ...batchResources(models, host),
  }),
  statements: ({ models, host, options, built }) => [
    ...batching(models)
      .filter((model) => hasNamedRole(model, host))
      .flatMap((model) => batchStatements(model, host, options, built.get(model.name)?.facts)),
    ...(providerRole(host.provider) === undefined
      ? []
      : batching(models).flatMap((model) => machineStatements(model, host))),
  ],
  // State machines run in it.
  trusted: ({ models, host }) =>
    providerRole(host.provider) === undefined || batching(models).length === 0
      ? []
      : ['states.amazonaws.com'],
  problems: bucketProblems,
  claims,
  alarmKinds: BATCH_ALARMS,
  graphs: (model, host) => (model.batch === undefined ? [] : [batchGraph(model, nameOf(model, host), host)]),
  standing: ({ batch }) => ({ queue: batch === undefined ? 0 : POLLS * PRICES.queueRequest }),
};
