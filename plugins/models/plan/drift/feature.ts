import type { Feature } from '../../contracts/feature.ts';
import { providerRole } from '../../contracts/host.ts';
import { DRIFT, lambdaName, roleLogicalId } from '../../declaration/naming.ts';
import { driftAlarms } from './alarms.ts';
import { driftCost, driftStanding } from './cost.ts';
import { driftGraph } from './graph.ts';
import { drifting, monitorFunction, monitorProblems, monitorRole, monitorStatements } from './monitor.ts';

/** The monitor of drift, and what alarms and shows what it finds. */
export const driftFeature: Feature = {
  name: 'drift',
  functions: ({ models, host, options, zips }) => {
    const definition = monitorFunction(models, host, options, zips.get(DRIFT));
    return definition === undefined ? {} : { [DRIFT]: definition };
  },
  resources: ({ models, host, options }) =>
    drifting(models).length > 0 && providerRole(host.provider) === undefined
      ? { [roleLogicalId(DRIFT)]: monitorRole(models, host, options) }
      : {},
  statements: ({ models, host, options }) =>
    drifting(models).length > 0 && providerRole(host.provider) !== undefined
      ? monitorStatements(models, host, options)
      : [],
  problems: (models, host) => monitorProblems(models, host),
  claims: ({ host }) => [
    {
      what: 'function',
      name: lambdaName(host.service, host.stage, DRIFT),
      functions: [DRIFT],
      resources: [roleLogicalId(DRIFT)],
    },
  ],
  alarms: (model, host, known, actions) => {
    const drift = known.get(model.name)?.drift;
    return drift === undefined ? [] : driftAlarms(model, drift, host, actions);
  },
  graphs: (model, host, known) => {
    const graph = driftGraph(model, known.get(model.name)?.drift, host);
    return graph === undefined ? [] : [graph];
  },
  standing: driftStanding,
  monthly: driftCost,
};
