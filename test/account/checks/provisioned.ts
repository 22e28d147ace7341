import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteScheduledActionCommand,
  DeregisterScalableTargetCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { aliasOf } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import type { Clients } from '../clients.ts';
import { functionOf } from '../names.ts';
import { until } from '../wait.ts';

/** Seconds ahead that the scheduled action is set to. */
const AHEAD = 120;
/** Seconds by which it may be late. */
const LATE = 300;
const PATIENCE = 900;
/** Lambda keeps so many for functions that have nothing of their own, and gives nobody the last of them. */
const KEPT = 100;

export const provisioned: RunCheck = {
  name: 'provisioned',
  bullet: 'how long provisioned concurrency takes to be ready',
  says: 'Lambda starts what was asked for within minutes; Application Auto Scaling changes it at the time of a scheduled action.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html',
  minutes: 40,
  use: { provisionedGbSecond: 40 * 60 * 1.8 },
  run: async ({ name, clients, signal }) => {
    const FunctionName = functionOf(name);
    const { version: Qualifier } = await aliasOf(clients, FunctionName);
    const { lambda, scaling } = clients;
    const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
    const free = AccountLimit?.UnreservedConcurrentExecutions ?? 0;
    if (free <= KEPT)
      return {
        verdict: 'not run',
        seen: `The account has ${free} concurrent executions, and ${KEPT} of them cannot be provisioned. Ask AWS for a higher quota.`,
      };
    const ready = () =>
      until('one instance is ready', { patience: PATIENCE, every: 2, signal }, async () =>
        (await stateOf(clients, FunctionName, Qualifier)) === 'READY' ? Date.now() : undefined,
      );
    const target = {
      ServiceNamespace: 'lambda',
      ResourceId: `function:${FunctionName}:${Qualifier}`,
      ScalableDimension: 'lambda:function:ProvisionedConcurrency',
    } as const;
    try {
      const asked = Date.now();
      await lambda.send(
        new PutProvisionedConcurrencyConfigCommand({
          FunctionName,
          Qualifier,
          ProvisionedConcurrentExecutions: 1,
        }),
      );
      const direct = ((await ready()) - asked) / 1000;
      await lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));

      await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 0, MaxCapacity: 1 }));
      const at = Math.ceil((Date.now() + AHEAD * 1000) / 1000) * 1000;
      await scaling.send(
        new PutScheduledActionCommand({
          ...target,
          ScheduledActionName: 'smcheck',
          Schedule: `at(${new Date(at).toISOString().slice(0, 19)})`,
          ScalableTargetAction: { MinCapacity: 1, MaxCapacity: 1 },
        }),
      );
      await pause(Math.max(0, at - Date.now()), undefined, { signal });
      const acted = await until('the scheduled action', { patience: PATIENCE, every: 2, signal }, async () =>
        (await stateOf(clients, FunctionName, Qualifier)) === undefined ? undefined : Date.now(),
      );
      const late = (acted - at) / 1000;
      const scheduled = ((await ready()) - at) / 1000;
      return finding(
        late <= LATE,
        `One instance of 1769 MB was ready ${direct.toFixed(0)} s after it was asked for. A scheduled action acted ${late.toFixed(0)} s after its time, and its instance was ready after ${scheduled.toFixed(0)} s. Scaling by use was not tried.`,
      );
    } finally {
      const action = { ...target, ScheduledActionName: 'smcheck' };
      await scaling.send(new DeleteScheduledActionCommand(action)).catch(() => {});
      await scaling.send(new DeregisterScalableTargetCommand(target)).catch(() => {});
      await lambda
        .send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
        .catch(() => {});
    }
  },
};

/** `IN_PROGRESS`, `READY`, `FAILED`; undefined where none is asked for. */
async function stateOf(
  { lambda }: Clients,
  FunctionName: string,
  Qualifier: string,
): Promise<string | undefined> {
  try {
    const found = await lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
    if (found.Status === 'FAILED') throw new Error(`no instance came up: ${found.StatusReason}`);
    return found.Status;
  } catch (error) {
    if (error instanceof Error && error.name === 'ProvisionedConcurrencyConfigNotFoundException')
      return undefined;
    throw error;
  }
}
