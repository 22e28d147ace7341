import { expect, it } from 'vitest';
import type { InvokePort, ReferencePort } from '../../core/ports/aws.ts';

/** What both, the fakes and the adapters, must be given. */
export type GateSubject = {
  readonly invoke: InvokePort;
  readonly reference: ReferencePort;
  /**
   * A function whose version 1 runs CONTRACT_HANDLER, with 256 MB.
   */
  readonly functionName: string;
  /**
   * An endpoint whose container answers a body `bad` with 400 and `no`, any other with `<content
   * type>|<body>` as text/plain.
   */
  readonly endpoint: string;
};

/** Answers its event; throws for `{crash}`, waits for `{wait}` milliseconds. */
export const CONTRACT_HANDLER = `async (event) => {
  if (event.crash) throw new RangeError(event.crash);
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  return event;
}`;

export function gateContract(subject: () => GateSubject): void {
  it('a version answers with its report, cold at first', async () => {
    const { invoke, functionName } = subject();
    const first = await invoke.invoke(functionName, '1', '{"a":["é",1]}', 20_000);
    expect(JSON.parse(first?.payload ?? '')).toEqual({ a: ['é', 1] });
    expect(first?.crashed).toBeUndefined();
    expect(first?.init).toBeGreaterThan(0);
    expect(first?.memory).toBeGreaterThan(0);
    expect(first?.memory).toBeLessThanOrEqual(256);
    const second = await invoke.invoke(functionName, '1', '{"wait":20}', 20_000);
    expect(second?.init).toBeUndefined();
    expect(second?.duration).toBeGreaterThanOrEqual(19);
    expect(second?.duration).toBeLessThan(20_000);
  });

  it('a crash is an answer that says so', async () => {
    const { invoke, functionName } = subject();
    const crashed = await invoke.invoke(functionName, '1', '{"crash":"far"}', 20_000);
    expect(crashed?.crashed).toBe('Unhandled');
    expect(JSON.parse(crashed?.payload ?? '')).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'far',
    });
  });

  it('an answer is waited for as long as asked, and no longer', async () => {
    const { invoke, functionName } = subject();
    const began = Date.now();
    expect(await invoke.invoke(functionName, '1', '{"wait":9000}', 300)).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(8500);
  });

  it('a version that is not there is refused', async () => {
    const { invoke, functionName } = subject();
    await expect(invoke.invoke(functionName, '99', '{}', 20_000)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('a reference is asked in a content type, and its container’s refusal is an answer', async () => {
    const { reference, endpoint } = subject();
    expect(await reference.ask(endpoint, 'text/csv', '1,2\n')).toEqual({
      contentType: 'text/plain',
      body: 'text/csv|1,2\n',
    });
    expect(await reference.ask(endpoint, 'application/json', 'bad')).toEqual({ refused: 'no', status: 400 });
  });

  it('an endpoint that is not there is refused', async () => {
    const { reference } = subject();
    await expect(reference.ask('no-such', 'text/csv', '1')).rejects.toMatchObject({
      name: 'ValidationError',
    });
  });
}
