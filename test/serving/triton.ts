import { join } from 'node:path';
import { messageFields } from '../open-inference.ts';
import { runPython } from '../python.ts';

/** A request and its expected answer, both in the protocol's JSON. */
export type TritonCase = { readonly inputs: readonly object[]; readonly outputs: readonly object[] };

/** How many lines triton_client.py prints: a check that is left out by mistake would else go unseen. */
export const TRITON_CHECKS = 25;

/**
 * Lets NVIDIA's client check one model: health, metadata, JSON and binary each way, gzip and deflate, request
 * ids, versions, refusals.
 * @param url of the server, a prefix included
 * @returns a line a check; throws with the first one that does not hold
 */
export async function tritonChecks(url: string, model: string, expected: TritonCase): Promise<string[]> {
  const script = join(import.meta.dirname, 'triton_client.py');
  const text = await runPython(script, [url.replace(/^http:\/\//, ''), model], {
    input: JSON.stringify({ inputs: expected.inputs, outputs: expected.outputs }),
    timeout: 280_000,
  });
  return text.trimEnd().split('\n');
}

/** As many lines does triton_grpc.py print. */
export const TRITON_GRPC_CHECKS = 21;

/**
 * Lets NVIDIA's gRPC client check one model: health, metadata, raw and in contents, gzip and deflate, ids,
 * parameters, versions, several at once, refusals; and whether our tests write the messages that it reads.
 * @returns a line a check; throws with the first one that does not hold
 */
export async function tritonGrpcChecks(port: number, model: string, expected: TritonCase): Promise<string[]> {
  const { inputs, outputs } = expected;
  const text = await runPython(join(import.meta.dirname, 'triton_grpc.py'), [`127.0.0.1:${port}`, model], {
    input: JSON.stringify({ inputs, outputs, messages: messageFields() }),
    timeout: 280_000,
  });
  return text.trimEnd().split('\n');
}
