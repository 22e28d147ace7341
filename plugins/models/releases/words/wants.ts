import type { Provided } from '../../../../core/ports/aws.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import type { WriteBack } from '../../../../core/release/document/parts-contract.ts';
import { BLIND_MS } from '../../../../core/release/state/durations.ts';
import { shouldSay } from '../../../../core/release/state/write-back.ts';
import { provideAgain } from './aws-cli.ts';
import { type Advice, type Say, worse } from './level.ts';
import { sentence } from './phase-advice.ts';
import { moment } from './time.ts';

/** What a release goes on without, and nobody is called for again. Pure. */

/** By itself the framework shows ten minutes, in which a worker that nobody ticks has written nothing. */
export const WORKER_LOG = 'logs -f models-release --startTime 1h';

/**
 * `own`, and that nobody is told, that AWS refused instances or could not start them, or that MLflow does not
 * know what is live.
 *
 * @param held provisioned concurrency by version
 */
export function withWants(
  own: Advice,
  {
    functionName,
    scaled,
    notices,
    writeBack,
  }: Pick<Release, 'functionName' | 'scaled' | 'notices' | 'writeBack'>,
  held: ReadonlyMap<string, Provided>,
  now: number,
  command: Say,
): Advice {
  const found = [
    ...untold(notices, now, command),
    ...(scaled?.refused === undefined ? [] : [cold(scaled.refused, command)]),
    ...[...held].flatMap(([version, has]) =>
      has.state === 'failed' ? [unstarted(functionName, version, has, command)] : [],
    ),
    ...(writeBack?.told && (writeBack.is === 'pending' || writeBack.is === 'gaveUp')
      ? [unwritten(writeBack)]
      : []),
  ];
  if (found.length === 0) return own;
  return {
    ...own,
    level: worse(own.level, 'look'),
    summary: [own.summary, ...found.map(({ is }) => is)].join(' '),
    todo: [...own.todo, ...found.map(({ todo }) => todo)],
  };
}

type Want = { readonly is: string; readonly todo: string };

/** A notice goes out with the tick that it comes from, as a rule. */
function untold([oldest]: Release['notices'], now: number, command: Say): readonly Want[] {
  if (oldest === undefined || now - Date.parse(oldest.at) < BLIND_MS) return [];
  return [
    {
      is: `The alerts topic does not take a notice of ${moment(oldest.at, now)}, so nobody is told.`,
      todo: `The topic must be there, and its policy, and that of its key, must let the release worker publish (docs/alarms.md). See why it may not: \`${command.sls(WORKER_LOG)}\`.`,
    },
  ];
}

const cold = (why: string, command: Say): Want => ({
  is: `AWS refused provisioned concurrency that is declared, and the release goes on without: ${sentence(why, false)}`,
  todo: `Requests may start cold. Lower \`concurrency.provisioned\`, or raise the limit, and deploy: \`${command.sls('deploy')}\`.`,
});

/** AWS gave them, and could not start them: it says so once, and nothing of ours asks again. */
const unstarted = (
  functionName: string,
  version: string,
  { requested, reason }: Provided,
  command: Say,
): Want => ({
  is: `AWS could not start the provisioned concurrency of version ${version}: ${sentence(reason ?? 'it gives no reason', false)}`,
  todo: `Requests may start cold. Once the cause is gone, ask AWS again: \`${command.aws(provideAgain(functionName, version, requested))}\`.`,
});

/** A server that starts anew, or is away for minutes, is nobody's business: somebody was told of this one. */
const unwritten = (so: WriteBack): Want => ({
  is: `MLflow does not know what is live: it ${sentence(so.reason ?? 'was not told', false)}`,
  todo:
    so.is === 'gaveUp'
      ? `Once it answers, set it there: ${shouldSay(so)}. The next release of the model writes it again.`
      : 'See that it can be reached from AWS, and that who is named by `custom.models.mlflow.secret` may edit the model. It is tried again by itself.',
});
