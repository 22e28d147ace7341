import { InvokeCommand, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { lambdaClient } from '../clients/lambda.ts';

/** A function that is called from this side, and waited for. */
export type LambdaCaller = {
  /**
   * @param payload JSON
   * @param signal ends all attempts together
   * @returns the answer's text, empty where there is none, and Lambda's word for a function that failed
   */
  call(payload: string, signal: AbortSignal): Promise<{ readonly text: string; readonly failed?: string }>;
  close(): void;
};

/** @param qualifier a version or an alias; absent: the function as it is */
export function functionCaller(config: LambdaClientConfig, name: string, qualifier?: string): LambdaCaller {
  const lambda = lambdaClient(config);
  return {
    call: async (payload, signal) => {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: name, Qualifier: qualifier, Payload: payload }),
        { abortSignal: signal },
      );
      const text = Payload?.transformToString() ?? '';
      return { text, ...(FunctionError !== undefined && { failed: FunctionError }) };
    },
    close: () => lambda.destroy(),
  };
}
