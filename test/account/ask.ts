import { GetAliasCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import type { Clients } from './clients.ts';
import type { Known } from './scene.ts';

/** Asking the model by Lambda's API, as a back end would. */
export type Answer = {
  readonly version: string;
  /** The endpoint's own answer; undefined where the function failed. */
  readonly outputs?: Known['answer']['outputs'];
  /** Why there is no answer: a code, or Lambda's word. Never the payload. */
  readonly failure?: string;
  /** Milliseconds that the caller waited. */
  readonly ms: number;
  /** From Lambda's own line about the invocation. */
  readonly initMs?: number;
  readonly durationMs?: number;
  /** How the start of its environment failed, which Lambda then made again: `timeout`, `error`. */
  readonly failedInit?: string;
};

/**
 * What Lambda's own lines say about an invocation. A start that fails has no Init Duration in the REPORT.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export function timesIn(log: string): Pick<Answer, 'initMs' | 'durationMs' | 'failedInit'> {
  const milliseconds = (name: string): number | undefined => {
    const found = new RegExp(`(?:^|\\t)${name}: ([\\d.]+) ms`, 'm').exec(
      log.slice(log.lastIndexOf('REPORT RequestId')),
    );
    return found === null ? undefined : Number(found[1]);
  };
  const initMs = milliseconds('Init Duration');
  const durationMs = milliseconds('(?:REPORT RequestId: \\S+\\s+)?Duration');
  const [, failedInit] = /^INIT_REPORT .*Status: (\w+)/m.exec(log) ?? [];
  return {
    ...(initMs !== undefined && { initMs }),
    ...(durationMs !== undefined && { durationMs }),
    ...(failedInit !== undefined && { failedInit }),
  };
}

export async function ask(
  { lambda }: Clients,
  functionName: string,
  qualifier: string,
  request: unknown,
): Promise<Answer> {
  const since = performance.now();
  const {
    ExecutedVersion = '',
    FunctionError,
    Payload,
    LogResult = '',
  } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      Qualifier: qualifier,
      Payload: JSON.stringify(request),
      LogType: 'Tail',
    }),
  );
  const ms = performance.now() - since;
  const times = { ms, ...timesIn(Buffer.from(LogResult, 'base64').toString()) };
  if (FunctionError !== undefined) return { version: ExecutedVersion, failure: FunctionError, ...times };
  const answer = JSON.parse(Payload?.transformToString() ?? '{}') as {
    readonly outputs?: Known['answer']['outputs'];
    readonly code?: string;
  };
  return answer.outputs === undefined
    ? { version: ExecutedVersion, failure: answer.code ?? 'no answer', ...times }
    : { version: ExecutedVersion, outputs: answer.outputs, ...times };
}

/** The largest difference between these outputs and the known ones; infinite where one is missing. */
export function difference(outputs: Known['answer']['outputs'] | undefined, known: Known): number {
  const differences = known.answer.outputs.map(({ name, data }) => {
    const found = outputs?.find((output) => output.name === name)?.data;
    if (found === undefined || found.length !== data.length) return Number.POSITIVE_INFINITY;
    return Math.max(...data.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN))));
  });
  return Math.max(...differences.map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value)));
}

/** Where an alias points, and the weight of the other version. */
export async function aliasOf(
  { lambda }: Clients,
  FunctionName: string,
  Name = 'live',
): Promise<{ readonly version: string; readonly others: Readonly<Record<string, number>> }> {
  const { FunctionVersion = '', RoutingConfig } = await lambda.send(
    new GetAliasCommand({ FunctionName, Name }),
  );
  return { version: FunctionVersion, others: RoutingConfig?.AdditionalVersionWeights ?? {} };
}
