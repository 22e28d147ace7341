import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { UNCOUNTED } from '../../core/endpoint/contract.ts';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { Invoked, InvokePort } from '../../core/ports/aws.ts';

const CONTEXT = Buffer.from(JSON.stringify({ custom: { [UNCOUNTED]: true } })).toString('base64');

/**
 * Lambda's synchronous invocation, which the endpoint counts nowhere, with the end of the log:
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export function lambdaInvoke(lambda: LambdaClient): InvokePort {
  return {
    invoke: async (functionName, version, payload, patience) => {
      const abortSignal = AbortSignal.timeout(Math.max(1, Math.ceil(patience)));
      try {
        const { Payload, FunctionError, LogResult } = await lambda.send(
          new InvokeCommand({
            FunctionName: functionName,
            Qualifier: version,
            Payload: payload,
            LogType: 'Tail',
            ClientContext: CONTEXT,
          }),
          { abortSignal },
        );
        return {
          payload: Payload?.transformToString() ?? '',
          ...(FunctionError !== undefined && { crashed: FunctionError }),
          ...reportOf(Buffer.from(LogResult ?? '', 'base64').toString('utf8')),
        };
      } catch (error) {
        if (abortSignal.aborted && /^(AbortError|TimeoutError)$/.test(errorName(error) ?? ''))
          return undefined;
        throw error;
      }
    },
  };
}

/**
 * What Lambda says of an invocation at the end of its log, as text or, where the function logs so, as JSON.
 * Instances that are used again report the most memory that any of their invocations took.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
 *
 * @returns milliseconds and MB; nothing where the log has no report (its system level may be set above it)
 */
export function reportOf(log: string): Pick<Invoked, 'duration' | 'billed' | 'init' | 'memory'> {
  const lines = log.split('\n');
  const text = lines.findLast((line) => line.startsWith('REPORT RequestId: '));
  if (text !== undefined) {
    const field = (name: string): number | undefined =>
      numberOf(new RegExp(`\t${name}: ([\\d.]+) (?:ms|MB)`).exec(text)?.[1]);
    return only({
      duration: field('Duration'),
      billed: field('Billed Duration'),
      init: field('Init Duration'),
      memory: field('Max Memory Used'),
    });
  }
  const json = lines.findLast((line) => line.includes('"platform.report"'));
  if (json === undefined) return {};
  const field = (name: string): number | undefined =>
    numberOf(new RegExp(`"${name}":\\s*([\\d.]+)`).exec(json)?.[1]);
  return only({
    duration: field('durationMs'),
    billed: field('billedDurationMs'),
    init: field('initDurationMs'),
    memory: field('maxMemoryUsedMB'),
  });
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

type Told = Readonly<Record<keyof ReturnType<typeof reportOf>, number | undefined>>;

const only = ({ duration, billed, init, memory }: Told): ReturnType<typeof reportOf> => ({
  ...(duration !== undefined && { duration }),
  ...(billed !== undefined && { billed }),
  ...(init !== undefined && { init }),
  ...(memory !== undefined && { memory }),
});
