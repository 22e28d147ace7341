import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { type CatalogModel, EXTENSIONS, LIVE, PLATFORM } from '../../core/catalog/contract.ts';
import { PAYLOAD_BYTES } from '../../core/endpoint/contract.ts';
import { isRefusal, refusal } from '../../core/errors/refusals.ts';
import type { HttpAnswer } from '../../core/host/gateway.ts';
import { modelMetadata, serverMetadata, yesOrNo } from '../../core/protocol/grpc/answered.ts';
import { whomOf } from '../../core/protocol/grpc/asked.ts';
import { type GrpcStatus, grpcStatusOf } from '../../core/protocol/grpc/status.ts';
import { errorAnswer } from '../../core/protocol/http.ts';
import type { Behind } from './behind.ts';
import type { Bodies } from './bodies.ts';
import type { Exchange } from './exchange.ts';
import type { Pool, PoolOutcome } from './pool.ts';
import type { Refused } from './refused.ts';
import { asHttp, OVERLOADED, outcomeAnswer, refusalAnswer } from './replies.ts';
import { turns } from './turns.ts';

/** What calls of one front share. */
export type CallMeans = { readonly bodies: Bodies; readonly refused: Refused };

/** The protocol’s service. https://github.com/kserve/open-inference-protocol */
const METHODS = {
  ServerLive: (_, __, exchange) => exchange.finish(yesOrNo(true)),
  ServerReady: ({ state, pools }, _, exchange) =>
    exchange.finish(yesOrNo(state() === 'serving' && pools().every((pool) => pool.isUp()))),
  ServerMetadata: ({ catalog }, _, exchange) => {
    const { service, version } = catalog();
    exchange.finish(serverMetadata(service, version, EXTENSIONS));
  },
  ModelReady: (behind, means, exchange) =>
    void aboutModel(behind, means, exchange, (_, pool) => yesOrNo(pool?.isUp() === true)),
  ModelMetadata: (behind, means, exchange) =>
    void aboutModel(behind, means, exchange, ({ name, signature: { inputs, outputs } }, pool) => {
      const versions = pool === undefined ? [] : [pool.standing().version];
      return modelMetadata(name, versions, PLATFORM, inputs, outputs);
    }),
  ModelInfer: (behind, means, exchange) => void infer(behind, means, exchange),
} satisfies Readonly<Record<string, (behind: Behind, means: CallMeans, exchange: Exchange) => void>>;

export type GrpcMethod = keyof typeof METHODS;

export const isMethod = (name: string): name is GrpcMethod => Object.hasOwn(METHODS, name);

/** Answers a call, whatever it says. */
export function answerMethod(behind: Behind, means: CallMeans, method: GrpcMethod, exchange: Exchange): void {
  METHODS[method](behind, means, exchange);
}

const asStatus = ({ status, headers, body }: HttpAnswer): GrpcStatus =>
  grpcStatusOf(status, headers, body.toString());

const statusFor = (error: unknown): GrpcStatus =>
  asStatus(
    isRefusal(error) ? asHttp(errorAnswer(error)) : refusalAnswer('INTERNAL', 'The host could not answer.'),
  );

/** Names and versions. */
const QUESTION_BYTES = 16 * 1024;

async function aboutModel(
  behind: Behind,
  { bodies }: CallMeans,
  exchange: Exchange,
  answer: (model: CatalogModel, pool: Pool | undefined) => Uint8Array,
): Promise<void> {
  const read = await bodies.read(exchange.request, QUESTION_BYTES, nothing, nothing);
  if (typeof read === 'string') {
    exchange.finish(asStatus(unread(read, QUESTION_BYTES)));
    return;
  }
  try {
    const { message } = await unframed(read.body, exchange.request.headers, QUESTION_BYTES);
    const { model, version } = whomOf(message);
    const pool = behind.pool(model);
    exchange.finish(answer(modelOf(behind, model, version), pool));
  } catch (error) {
    exchange.finish(statusFor(error));
  } finally {
    read.release();
  }
}

const nothing = (): void => {};

const unread = (how: 'tooLarge' | 'late' | 'gone', most: number): HttpAnswer =>
  how === 'tooLarge'
    ? refusalAnswer('BODY_TOO_LARGE', `The message may have ${most} bytes.`)
    : refusalAnswer('OVERLOADED', 'The message came slowly, and its memory went to others; try again.');

/** @throws Refusal `NOT_FOUND` where no such model, or version of it, is here */
function modelOf({ catalog, pool }: Behind, name: string, version: string): CatalogModel {
  const model = catalog()
    .groups.flatMap(({ models }) => models)
    .find((one) => one.name === name);
  if (model === undefined) throw refusal('NOT_FOUND', 'No such model here.');
  const own = pool(name)?.standing().version;
  if (version !== '' && version !== LIVE && own !== undefined && version !== own)
    throw refusal('NOT_FOUND', 'No such version of this model.');
  return model;
}

type Unframed = {
  readonly message: Buffer;
  /** The same as it came. */
  readonly packed: Buffer;
  readonly packing: 'identity' | 'gzip' | 'deflate';
};

const UNPACK = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** Messages that are unpacked at a time: a small one may become 6 MB, and nobody counts those. */
const UNPACKING = 4;
const inTurn = turns(UNPACKING);

/**
 * The one message of a call.
 * @param most bytes of it, unpacked
 * @throws Refusal `INVALID_REQUEST`, `INVALID_ENCODING`, `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE`
 */
async function unframed(
  body: Buffer,
  headers: IncomingHttpHeaders,
  most: number = PAYLOAD_BYTES,
): Promise<Unframed> {
  if (body.length < 5 || body.readUInt32BE(1) !== body.length - 5 || (body[0] as number) > 1)
    throw refusal('INVALID_REQUEST', 'The call must have one message, and have it whole.');
  const packed = body.subarray(5);
  if (body[0] === 0) return { message: packed, packed, packing: 'identity' };
  const packing = headers['grpc-encoding'];
  if (packing !== 'gzip' && packing !== 'deflate')
    throw refusal('UNSUPPORTED_MEDIA_TYPE', 'grpc-encoding must be gzip, deflate or identity.');
  try {
    const message = await inTurn(() => UNPACK[packing](packed, { maxOutputLength: most }));
    return { message, packed, packing };
  } catch (error) {
    const isLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw isLarge
      ? refusal('BODY_TOO_LARGE', `The message may have ${most} bytes when unpacked.`)
      : refusal('INVALID_ENCODING', 'The compressed message is broken.');
  }
}

async function infer(behind: Behind, { bodies, refused }: CallMeans, exchange: Exchange): Promise<void> {
  const { request, began } = exchange;
  const shed = (pool: Pool | undefined): void => {
    pool?.shed();
    const tell = (waited: number): void => {
      const status = asStatus(OVERLOADED);
      exchange.finish({ ...status, again: Math.max(0, (status.again ?? 0) - waited) });
    };
    exchange.whenOver(refused.later(request, tell));
  };
  /** Whose place this call has. */
  let held: Pool | undefined;
  const leave = (): void => {
    held?.leave();
    held = undefined;
  };
  // The message says which model it is for; where there is one, nothing of it need be read.
  const [only, second] = behind.pools();
  const alone = second === undefined ? only : undefined;
  if (alone !== undefined) {
    if (!alone.enter()) return shed(alone);
    held = alone;
  }
  const read = await bodies.read(request, PAYLOAD_BYTES + 5, nothing, leave);
  if (typeof read === 'string') {
    leave();
    if (read === 'late') shed(alone);
    if (read === 'tooLarge') {
      const answer = unread(read, PAYLOAD_BYTES);
      alone?.count({ ...answer, code: 'BODY_TOO_LARGE' }, began);
      exchange.finish(asStatus(answer));
    }
    return;
  }
  const { body, release } = read;
  let pool: Pool | undefined;
  let call: Unframed;
  let name: string;
  try {
    call = await unframed(body, request.headers);
    const whom = whomOf(call.message);
    name = modelOf(behind, whom.model, whom.version).name;
    pool = behind.pool(name);
  } catch (error) {
    release();
    leave();
    exchange.finish(statusFor(error));
    return;
  }
  if (pool === undefined) {
    release();
    leave();
    exchange.finish(asStatus(refusalAnswer('NOT_READY', 'The model is not ready to answer.')));
    return;
  }
  if (held !== pool) {
    leave();
    if (!pool.enter()) {
      release();
      return shed(pool);
    }
    held = pool;
  }
  const taken = pool;
  const done = (outcome: PoolOutcome): void => {
    release();
    leave();
    taken.count(outcome, began);
    const answer = outcomeAnswer(outcome);
    const id = answer.headers['x-request-id'];
    exchange.finish(
      answer.status < 400 ? answer.body : asStatus(answer),
      typeof id === 'string' ? { 'x-request-id': id } : {},
    );
  };
  const asked = {
    id: randomUUID(),
    method: 'POST',
    target: `/v2/models/${name}/infer`,
    headers: metadataOf(request.headers),
    grpc: call.packing,
  };
  exchange.whenOver(pool.ask(asked, call.packed, done, release));
}

/** A call’s metadata, without what HTTP/2 and gRPC say themselves, nor what a body over HTTP would. */
function metadataOf(headers: IncomingHttpHeaders): Record<string, string | string[] | undefined> {
  const kept = Object.entries(headers).filter(
    ([name]) => !/^(:|grpc-|te$|content-|accept-encoding$|inference-header-)/.test(name),
  );
  return { host: String(headers[':authority'] ?? ''), ...Object.fromEntries(kept) };
}
