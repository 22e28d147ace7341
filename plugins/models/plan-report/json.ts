import { IDLE_SECONDS } from '../../../core/capacity/environments/cold-share.ts';
import type { Context } from '../context/context.ts';
import type { Model, ServiceOptions } from '../declaration/model.ts';
import { monitorCost, sweepCost, total } from '../plan/cost.ts';
import { startsOf } from '../plan/endpoint/cost.ts';
import { neededPolicy, neededTrust } from '../plan/plan.ts';
import { mlflowLine } from '../plan/release/mlflow.ts';
import { MONTH, PRICES } from '../plan/shared/prices.ts';
import type { Live } from '../releases/ask-live.ts';
import { capacitiesOf, forecastIn, type PlannedModel, type PlanReport, packaged } from './report.ts';

/** The plan, for programs. */
export function planJson(
  { items, lines, idle, images, live }: PlanReport,
  { plan, service }: Context,
): string {
  const input = packaged(plan, { lines });
  const policy = neededPolicy(input);
  const monitor = monitorCost(plan.models);
  return JSON.stringify(
    {
      stack: service.stack,
      region: service.region,
      resources: items.reduce((sum, item) => sum + item.resources, 0),
      creates: items,
      capacity: capacitiesOf(plan.models),
      releases: plan.models.map((model) => ({
        name: model.name,
        strategy: model.release.strategy,
        steps: model.release.steps,
        forecast: forecastIn(model),
        signature: live.get(model.name)?.comparison,
        ...originJson(model, lines, live, plan.options),
      })),
      cost: {
        currency: 'USD',
        prices: { region: PRICES.region, year: PRICES.year, sources: PRICES.sources },
        idleLife: { seconds: IDLE_SECONDS, from: 'assumed' },
        models: lines.map(({ model, facts, standing, times, cost }) => ({
          name: model.name,
          zipBytes: facts.zipBytes,
          ...(facts.image && { image: facts.image }),
          duration: times.duration,
          init: times.init,
          ...standing,
          ...(cost !== undefined && {
            traffic: model.traffic,
            coldShare: startsOf(model, {
              requests: (model.traffic ?? 0) * MONTH,
              duration: times.duration.ms / 1000,
            }).cold,
            ...cost,
            total: total(cost) + total(standing),
          }),
        })),
        idle,
        ...(images > 0 && { images }),
        sweeps: plan.models.length === 0 ? 0 : sweepCost(),
        ...(monitor > 0 && { monitor }),
        ...(plan.options.dashboard && { dashboard: PRICES.dashboard }),
      },
      ...(policy !== undefined && { policy, trust: neededTrust(input) }),
    },
    null,
    2,
  );
}

const originJson = (
  { name, artifact }: Model,
  lines: readonly PlannedModel[],
  live: ReadonlyMap<string, Live>,
  options: ServiceOptions,
) => {
  const { origin, promoted, signedBy } = lines.find(({ model }) => model.name === name)?.facts ?? {};
  const before = live.get(name)?.origin;
  const mlflow = mlflowLine(options, artifact.reference, origin);
  return {
    ...(origin && { origin }),
    ...(signedBy && { signedBy }),
    ...(promoted && { promoted }),
    ...(before && { liveOrigin: before }),
    ...(mlflow !== undefined && { mlflow }),
  };
};
