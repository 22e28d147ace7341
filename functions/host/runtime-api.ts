import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { pathToFileURL } from 'node:url';

type Handler = (event: unknown, context: object) => Promise<unknown>;

type Heard = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/**
 * The host as Lambda's runtime, in an image function: one request at a time, in this very process, since
 * Lambda itself ends what outlasts its time. Never returns while Lambda has it.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 * @param api host and port, as `AWS_LAMBDA_RUNTIME_API` says them
 * @param file path of the handler
 * @throws what the handler's initialisation threw, once Lambda has been told; and where Lambda cannot go on
 */
export async function serveLambda(api: string, file: string): Promise<never> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = (method: 'GET' | 'POST', path: string, body?: string): Promise<Heard> =>
    new Promise((resolve, reject) => {
      // Without a limit: the next request may be hours away, with the instance frozen.
      const sent = request(`http://${api}/2018-06-01/runtime/${path}`, { method, agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const { statusCode: status = 0, headers } = answer;
          const body = Buffer.concat(chunks).toString('utf8');
          if (goesOn(status, method)) resolve({ status, headers, body });
          else reject(new Error(`Lambda’s Runtime API answered ${status} to ${path}.`));
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });

  let handler: Handler;
  try {
    ({ handler } = (await import(pathToFileURL(file).href)) as { handler: Handler });
  } catch (error) {
    await call('POST', 'init/error', JSON.stringify(asError(error)));
    throw error;
  }
  for (;;) {
    const { headers, body } = await call('GET', 'invocation/next');
    const id = String(headers['lambda-runtime-aws-request-id'] ?? '');
    process.env._X_AMZN_TRACE_ID = String(headers['lambda-runtime-trace-id'] ?? '');
    let path = `invocation/${id}/response`;
    let said: string;
    try {
      said = JSON.stringify((await handler(JSON.parse(body), contextOf(id, headers))) ?? null);
    } catch (error) {
      path = `invocation/${id}/error`;
      said = JSON.stringify(asError(error));
    }
    const { status } = await call('POST', path, said);
    // Beyond Lambda's limit, for one: then it wants to know that there is no answer.
    if (status === 413) {
      const tooLarge = {
        errorType: 'ResponseSizeTooLarge',
        errorMessage: 'The answer is beyond Lambda’s limit.',
      };
      await call('POST', `invocation/${id}/error`, JSON.stringify(tooLarge));
    }
  }
}

/**
 * By 500 it says that nothing can be done any more, and that the runtime is to end. What it does not take, as
 * of an answer that is too late, is of that answer alone; and what is no request cannot be computed.
 */
const goesOn = (status: number, method: 'GET' | 'POST'): boolean =>
  method === 'GET' ? status === 200 : status < 500;

function contextOf(id: string, headers: IncomingHttpHeaders): object {
  const { env } = process;
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionName: env.AWS_LAMBDA_FUNCTION_NAME ?? '',
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION ?? '',
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'] ?? '',
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '',
    awsRequestId: id,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME ?? '',
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME ?? '',
    clientContext: parsed(headers['lambda-runtime-client-context']),
    identity: parsed(headers['lambda-runtime-cognito-identity']),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** Whatever the caller wrote there: what is no JSON is as good as absent. */
function parsed(header: string | readonly string[] | undefined): unknown {
  try {
    return typeof header === 'string' ? JSON.parse(header) : undefined;
  } catch {
    return undefined;
  }
}

function asError(error: unknown): object {
  if (!(error instanceof Error))
    return { errorType: typeof error, errorMessage: String(error), stackTrace: [] };
  const stackTrace = (error.stack ?? '').split('\n').slice(1);
  return { errorType: error.name, errorMessage: error.message, stackTrace };
}
