import type { InvokePort, ReferencePort } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

/** What a version does with an event: what it throws is a crash, as in Lambda. */
export type FakeHandler = (event: unknown) => unknown;

/**
 * Lambda’s Invoke, in memory: handlers by version; the first request of each, and those beyond the idle
 * instances, start cold.
 */
export function fakeInvoke(
  handlers: Readonly<Record<string, FakeHandler>>,
  options: {
    readonly chaos?: Chaos;
    readonly clock?: () => number;
    readonly pause?: (milliseconds: number) => Promise<void>;
    /** MB that each invocation reports. */
    readonly memory?: number;
  } = {},
) {
  const {
    chaos = calm,
    clock = Date.now,
    pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    memory = 100,
  } = options;
  const idle = new Map<string, number>();
  const events: { readonly version: string; readonly event: unknown }[] = [];
  const port: InvokePort = {
    invoke: async (functionName, version, payload, patience) => {
      await chaos('before invoke');
      const handler = handlers[version];
      if (handler === undefined)
        throw Object.assign(new Error(`Function not found: ${functionName}:${version}`), {
          name: 'ResourceNotFoundException',
          $metadata: { httpStatusCode: 404 },
        });
      const warm = idle.get(version) ?? 0;
      if (warm > 0) idle.set(version, warm - 1);
      const event: unknown = JSON.parse(payload);
      events.push({ version, event });
      const started = clock();
      const work = (async () => {
        try {
          return { payload: JSON.stringify(await handler(event)) ?? 'null' };
        } catch (error) {
          const { name, message } = error as Error;
          return {
            payload: JSON.stringify({ errorType: name, errorMessage: message }),
            crashed: 'Unhandled',
          };
        }
      })();
      const answer = await Promise.race([work, pause(patience).then(() => undefined)]);
      idle.set(version, (idle.get(version) ?? 0) + 1);
      if (answer === undefined) return undefined;
      return { ...answer, duration: clock() - started, memory, ...(warm === 0 && { init: 1 }) };
    },
  };
  return { port, events };
}

export type FakeContainer = (
  contentType: string,
  body: string,
) =>
  | { readonly contentType: string; readonly body: string }
  | { readonly refused: string; readonly status: number };

/** SageMaker’s InvokeEndpoint, in memory: containers by endpoint. */
export function fakeReference(containers: Readonly<Record<string, FakeContainer>>, chaos: Chaos = calm) {
  const asked: { readonly contentType: string; readonly body: string }[] = [];
  const port: ReferencePort = {
    ask: async (endpoint, contentType, body) => {
      await chaos('before reference');
      const container = containers[endpoint];
      if (container === undefined)
        throw Object.assign(new Error(`Endpoint ${endpoint} of account 1 not found.`), {
          name: 'ValidationError',
          $metadata: { httpStatusCode: 400 },
        });
      asked.push({ contentType, body });
      return container(contentType, body);
    },
  };
  return { port, asked };
}
