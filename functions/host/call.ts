import { gunzipSync, inflateSync } from 'node:zlib';
import { isRefusal } from '../../core/errors/refusals.ts';
import type { HostAsked } from '../../core/host/contract.ts';
import type { HttpAnswer } from '../../core/host/gateway.ts';
import { inferResponse } from '../../core/protocol/grpc/answered.ts';
import { type AskedOverHttp, overHttp } from '../../core/protocol/grpc/asked.ts';
import { errorAnswer } from '../../core/protocol/http.ts';
import { asHttp } from './replies.ts';

const UNPACKED = { identity: (bytes: Buffer) => bytes, gzip: gunzipSync, deflate: inflateSync } as const;

/**
 * Answers a call of gRPC by asking over HTTP. It is done in the model’s process: the front has other requests
 * to take meanwhile.
 */
export async function answerCall(
  asked: HostAsked,
  packing: NonNullable<HostAsked['grpc']>,
  packed: Buffer,
  ask: (asked: HostAsked, body: Buffer) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  let call: AskedOverHttp;
  try {
    // The front has unpacked it once, and knows its size.
    call = overHttp(UNPACKED[packing](packed));
  } catch (error) {
    if (isRefusal(error)) return asHttp(errorAnswer(error));
    throw error;
  }
  const { headers, body, raw } = call;
  const said = await ask({ ...asked, headers: { ...asked.headers, ...headers } }, Buffer.from(body.buffer));
  return said.status < 400
    ? { ...said, body: Buffer.from(inferResponse(said.headers, said.body, raw).buffer) }
    : said;
}
