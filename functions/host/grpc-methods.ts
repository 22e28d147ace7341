import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type CatalogModel, EXTENSIONS, LIVE, PLATFORM } from '../../core/catalog/contract.ts';
import { PAYLOAD_BYTES } from '../../core/endpoint/contract.ts';
import { isRefusal, refusal } from '../../core/errors/refusals.ts';
import type { HttpAnswer } from '../../core/host/gateway.ts';
import { modelMetadata, serverMetadata, yesOrNo } from '../../core/protocol/grpc/answered.ts';
import { whomOf } from '../../core/protocol/grpc/asked.ts';
import { type GrpcStatus, grpcStatusOf } from '../../core/protocol/grpc/status.ts';
import { errorAnswer } from '../../core/protocol/http.ts';
import type { Behind } from './behind.ts';
import type { Exchange } from './exchange.ts';
import type { CallMessage, Messages, Unread } from './grpc-message.ts';
import type { Pool, PoolOutcome } from './pool.ts';
import type { Refused } from './refused.ts';
import { asHttp, OVERLOADED, outcomeAnswer, refusalAnswer } from './replies.ts';

/** What calls of one front share. */
export type CallMeans = { readonly messages: Messages; readonly refused: Refused };

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
    void aboutModel(behind, means, exchange, (_, pool) =>
      yesOrNo(behind.state() === 'serving' && pool?.isUp() === true),
    ),
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
  { messages }: CallMeans,
  exchange: Exchange,
  answer: (model: CatalogModel, pool: Pool | undefined) => Uint8Array,
): Promise<void> {
  try {
    const read = await messages.read(exchange.request, QUESTION_BYTES, () => {});
    if (typeof read === 'string') {
      exchange.finish(asStatus(unread(read, QUESTION_BYTES)));
      return;
    }
    try {
      const { model, version } = whomOf(read.message);
      const pool = behind.pool(model);
      exchange.finish(answer(modelOf(behind, model, version), pool));
    } finally {
      read.release();
    }
  } catch (error) {
    exchange.finish(statusFor(error));
  }
}

function unread(how: Unread, most: number): HttpAnswer {
  if (how === 'tooLarge') return refusalAnswer('BODY_TOO_LARGE', `The message may have ${most} bytes.`);
  return how === 'crowded'
    ? CROWDED
    : refusalAnswer('OVERLOADED', 'The message came slowly, and its memory went to others; try again.');
}

const CROWDED = refusalAnswer('OVERLOADED', 'Too many calls wait for their message; try again.');

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

async function infer(behind: Behind, { messages, refused }: CallMeans, exchange: Exchange): Promise<void> {
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
  let read: Awaited<ReturnType<Messages['read']>>;
  try {
    read = await messages.read(request, PAYLOAD_BYTES, leave);
  } catch (error) {
    leave();
    exchange.finish(statusFor(error));
    return;
  }
  if (typeof read === 'string') {
    leave();
    if (read === 'late') shed(alone);
    if (read === 'crowded') {
      alone?.shed();
      // At once: what waits to be told takes the same memory.
      exchange.finish(asStatus(CROWDED));
    }
    if (read === 'tooLarge') {
      const answer = unread(read, PAYLOAD_BYTES);
      alone?.count({ ...answer, code: 'BODY_TOO_LARGE' }, began);
      exchange.finish(asStatus(answer));
    }
    return;
  }
  const { release } = read;
  const call: CallMessage = read;
  let pool: Pool | undefined;
  let name: string;
  try {
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
