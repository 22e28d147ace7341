import { CAPACITY_OPTIONS, withoutCapacity } from '../capacity/options.ts';
import { DURATION, requestTimes, timeFlags } from '../capacity/times.ts';
import { type Command, NO_MODELS } from '../context/context.ts';
import { idleCost, imagesCost, monthlyCost, standingCost } from '../plan/cost.ts';
import { inventory } from '../plan/inventory.ts';
import { planJson } from '../plan-report/json.ts';
import type { PlannedModel, PlanReport } from '../plan-report/report.ts';
import { planText } from '../plan-report/text.ts';
import { askLive } from '../releases/ask-live.ts';
import { PROMOTE_FROM, PROMOTE_FROM_OPTION } from '../stages/option.ts';
import { targetOf } from '../targets/targets.ts';

/**
 * `sls models plan`: what a deploy would create, what that costs a month, and how signatures differ from the
 * live ones. Only the last part is asked of AWS, and everything else is shown without it.
 */
export const command: Command = {
  usage: 'Show what a deploy creates, what it costs a month, and what changes for clients',
  options: {
    duration: {
      usage: `Milliseconds that a request takes (default: by the bench of the live version, else ${DURATION})`,
      type: 'string',
    },
    init: {
      usage: 'Milliseconds of a cold start’s INIT phase (default: by that bench, else assumed)',
      type: 'string',
    },
    ...CAPACITY_OPTIONS,
    [PROMOTE_FROM]: PROMOTE_FROM_OPTION,
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    if (context.flags.capacity === true) {
      const { planCapacity } = await import('../capacity/plan-capacity.ts');
      return planCapacity(context);
    }
    withoutCapacity(context.flags);
    const { models, flags, print, plan } = context;
    if (models.length === 0 && !flags.json) return print(NO_MODELS);
    const flagged = timeFlags(flags);
    const facts = await context.facts(models);
    const live = await askLive(
      context,
      [...facts].map(([model, { signature }]) => ({ model, signature })),
    );
    const lines = models.flatMap((model): PlannedModel[] => {
      const found = facts.get(model.name);
      if (found === undefined) return [];
      const times = requestTimes(model, found, flagged, live.get(model.name));
      const line = { model, facts: found, standing: standingCost(model, plan.host, facts), times };
      if (model.traffic === undefined) return [line];
      const { duration, init } = times;
      const cost = monthlyCost(model, found, model.traffic, duration.ms / 1000, init.ms / 1000);
      return [{ ...line, cost }];
    });
    // Functions of one target and architecture share what they run in.
    const shared = new Map(
      lines.flatMap((line) =>
        line.facts.image === undefined
          ? [[`${targetOf(line.model).kind} ${line.model.architecture}`, line.facts.runtimeBytes] as const]
          : [],
      ),
    );
    const idle = idleCost(
      facts.values(),
      [...shared.values()].reduce((sum, bytes) => sum + bytes, 0),
    );
    const images = imagesCost(facts.values());
    const report: PlanReport = { items: inventory(plan, facts), lines, idle, images, live };
    print(flags.json ? planJson(report, context) : planText(report, context));
  },
};
