import { SWEEP_EVERY } from '../../../../core/release/document/worker-contract.ts';
import type { Claim, Feature } from '../../contracts/feature.ts';
import { nameOf, providerRole } from '../../contracts/host.ts';
import type { PlanInput } from '../../contracts/input.ts';
import { ALIAS, aliasLogicalId, RELEASE, roleLogicalId, SWEEP } from '../../declaration/naming.ts';
import { PRICES } from '../shared/prices.ts';
import { RELEASE_ALARMS } from './alarms.ts';
import {
  GROUP,
  releaseFunctions,
  releaseResources,
  releaseStatements,
  SCHEDULE_ROLE,
  tickStatement,
  workerName,
} from './functions.ts';

const claims = ({ models, host }: PlanInput): readonly Claim[] => [
  ...models.map((model) => ({
    what: 'alias',
    name: `${nameOf(model, host)}:${ALIAS}`,
    resources: [aliasLogicalId(model.name)],
  })),
  { what: 'function', name: workerName(host), functions: [RELEASE], resources: [roleLogicalId(RELEASE)] },
  { what: 'schedule group', name: 'of the releases', resources: [GROUP, SCHEDULE_ROLE] },
  {
    what: 'schedule',
    name: `sweep over the releases, every ${SWEEP_EVERY / 60} minutes`,
    resources: [SWEEP],
  },
];

/** The worker that moves the aliases, what ticks it, and the aliases. */
export const releaseFeature: Feature = {
  name: 'release',
  functions: releaseFunctions,
  resources: (input, endpoints) => releaseResources(input, endpoints),
  statements: (input) =>
    providerRole(input.host.provider) === undefined
      ? []
      : [...releaseStatements(input), tickStatement(input.host)],
  // The ticks of a release run in it.
  trusted: ({ host }) => (providerRole(host.provider) === undefined ? [] : ['scheduler.amazonaws.com']),
  claims,
  alarmKinds: RELEASE_ALARMS,
  standing: () => ({ sweep: PRICES.metric }),
};
