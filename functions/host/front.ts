import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PAYLOAD_BYTES } from '../../core/endpoint/contract.ts';
import type { RefusalCode } from '../../core/errors/refusals.ts';
import { HOST_LIMITS } from '../../core/host/contract.ts';
import { METRICS_TYPE, metricsText } from '../../core/host/counts.ts';
import { gatewayAnswer, type HttpAnswer, originForm } from '../../core/host/gateway.ts';
import { guardRefusal } from '../../core/host/guard.ts';
import { BODY_LIMITS } from '../../core/protocol/body.ts';
import type { Behind } from './behind.ts';
import { type Bodies, createBodies, dropRest } from './bodies.ts';
import { createBroken } from './broken.ts';
import { type Described, describeModels } from './described.ts';
import type { Pool, PoolOutcome } from './pool.ts';
import { createRefused, type Refused } from './refused.ts';
import { came, OVERLOADED, outcomeAnswer, refusalAnswer, reply } from './replies.ts';

/** The HTTP side of a host: never blocked by a model, so that probes are answered while all compute. */
export type Front = {
  readonly port: number;
  /** Takes no new connection. Resolves once every request that was begun is answered. */
  readonly close: () => Promise<void>;
};

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly began: number;
};

/** Milliseconds in which what has come is read. */
const UNREAD_MS = 100;

/**
 * @param bodies those that come to other fronts, too, where there are some
 * @throws where the port is taken: an error with the system’s code
 */
export async function openFront(
  behind: Behind,
  port: number,
  address?: string,
  bodies: Bodies = createBodies(),
): Promise<Front> {
  const parts = { behind, described: describeModels(behind), bodies, refused: createRefused() };
  const broken = createBroken();
  let open = 0;
  let emptied: () => void = () => {};
  const server: Server = createServer(
    {
      maxHeaderSize: HOST_LIMITS.headerBytes,
      headersTimeout: HOST_LIMITS.headersMs,
      requestTimeout: HOST_LIMITS.requestMs,
      keepAliveTimeout: HOST_LIMITS.keepAliveMs,
      connectionsCheckingInterval: 1000,
      // Node’s own answer to one without has no body.
      requireHostHeader: false,
    },
    (request, response) => take(request, response),
  );
  server.maxConnections = HOST_LIMITS.connections;
  server.maxHeadersCount = HOST_LIMITS.headers;
  let bound = port;
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    open++;
    response.once('close', () => {
      open--;
      if (open === 0) emptied();
    });
    broken.came(request, response);
    came(response);
    request.url = originForm(request.url);
    answerOne(parts, { request, response, began: performance.now() }, bound);
  };
  // A client that asks first, with `Expect: 100-continue`, is told before it sends.
  server.on('checkContinue', take);
  // What else may be expected is nobody’s: it is as if it was not there.
  server.on('checkExpectation', take);
  server.on('clientError', broken.told);
  server.on('connect', (_, socket) => {
    // Nobody listens to it any more.
    socket.on('error', () => socket.destroy());
    broken.told({ code: 'CONNECT' }, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen({ port, backlog: 4096, ...(address !== undefined && { host: address }) }, resolve);
  });
  const found = server.address();
  if (typeof found === 'object' && found !== null) bound = found.port;
  return {
    port: bound,
    async close() {
      // What is idle is closed with the port, also where a request has come that nobody has read.
      if (parts.refused.release()) await new Promise((resolve) => setTimeout(resolve, UNREAD_MS));
      // The kernel resets connections that wait to be accepted when their socket is closed. Those that have
      // come by now are accepted just before this phase of the event loop:
      // https://nodejs.org/en/learn/asynchronous-work/event-loop-timers-and-nexttick
      await new Promise((resolve) => setImmediate(resolve));
      server.close();
      // A connection may have a request that nobody has read yet.
      do {
        if (open > 0)
          await new Promise<void>((resolve) => {
            emptied = resolve;
          });
        await new Promise((resolve) => setTimeout(resolve, UNREAD_MS));
      } while (open > 0);
      server.closeAllConnections();
    },
  };
}

type Parts = {
  readonly behind: Behind;
  readonly described: Described;
  readonly bodies: Bodies;
  readonly refused: Refused;
};

function answerOne(parts: Parts, exchange: Exchange, port: number): void {
  const { behind, described } = parts;
  const { request } = exchange;
  const { url: target = '/', method = 'GET' } = request;
  const last = behind.state() === 'draining';
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const isProbe = method === 'GET' || method === 'HEAD';
  const answer = refusedAtOnce(behind, request, port) ?? (isProbe && probe(behind, path));
  const name = method === 'POST' ? described.inferred(path) : undefined;
  const pool = name === undefined ? undefined : behind.pool(name);
  if (answer) finish(exchange, answer, last);
  else if (name !== undefined && pool !== undefined) infer(parts, name, pool, exchange);
  // The port is open before the models are there, so that probes are answered.
  else if (method === 'POST' && behind.state() === 'starting')
    finish(exchange, refusalAnswer('NOT_READY', 'The host is starting.'), last);
  // It was told to end before they were.
  else if (name !== undefined)
    finish(exchange, refusalAnswer('NOT_READY', 'The model is not ready to answer.'), last);
  else
    described.answer(request).then(
      (answer) => finish(exchange, answer, last),
      () => finish(exchange, refusalAnswer('INTERNAL', 'The host could not answer.'), true),
    );
}

function refusedAtOnce(
  { local }: Behind,
  { headers, httpVersion }: IncomingMessage,
  port: number,
): HttpAnswer | undefined {
  // https://www.rfc-editor.org/rfc/rfc9112#section-3.2
  if (headers.host === undefined && httpVersion === '1.1')
    return refusalAnswer('INVALID_REQUEST', 'A request of HTTP/1.1 has a Host.');
  const refused = local ? guardRefusal(headers, port) : undefined;
  return refused === undefined ? undefined : gatewayAnswer(403, refused);
}

/** What balancers, orchestrators and Prometheus ask at the root, whatever paths models have. */
function probe(behind: Behind, path: string): HttpAnswer | undefined {
  switch (path) {
    case '/v2/health/live':
      return said(200, '{"live":true}');
    case '/v2/health/ready':
      return readiness(behind) ?? said(200, '{"ready":true}');
    case '/ping':
      // Where several models are, none is the bare one, and the path is not there.
      return readiness(behind);
    case '/metrics':
      return said(200, metricsText(behind.pools().map((pool) => pool.standing())), METRICS_TYPE);
  }
  return undefined;
}

function readiness({ state, pools }: Behind): HttpAnswer | undefined {
  const now = state();
  if (now === 'draining') return refusalAnswer('NOT_READY', 'The host is ending.');
  if (now === 'starting') return refusalAnswer('NOT_READY', 'The host is starting.');
  const down = pools().find((pool) => !pool.isUp());
  return down && refusalAnswer('NOT_READY', `${down.standing().model} has no process that is up.`);
}

const said = (status: number, body: string, type = 'application/json'): HttpAnswer => ({
  status,
  headers: { 'content-type': type, 'cache-control': 'no-store' },
  body: Buffer.from(body),
});

/** Sends an answer that no body was needed for. */
function finish({ request, response }: Exchange, answer: HttpAnswer, last: boolean): void {
  dropRest(request);
  reply(response, answer, last);
}

function infer({ behind, bodies, refused }: Parts, name: string, found: Pool, exchange: Exchange): void {
  const { request, response, began } = exchange;
  let pool = found;
  const draining = (): boolean => behind.state() === 'draining';
  const refuse = (code: RefusalCode, message: string): void =>
    finish(exchange, refusalAnswer(code, message), draining());
  const shed = (): void => {
    pool.shed();
    refused.told(request, response, () => finish(exchange, OVERLOADED, draining()));
  };
  if (!pool.enter()) {
    shed();
    return;
  }
  let holds = true;
  const leave = (): void => {
    if (holds) pool.leave();
    holds = false;
  };
  const begin = (): void => {
    // Who speaks HTTP/1.0 would take it for the answer.
    if (isAsking(request) && request.httpVersion !== '1.0') response.writeContinue();
  };
  void bodies.read(request, PAYLOAD_BYTES, begin, leave).then((read) => {
    if (typeof read === 'string') {
      leave();
      if (read === 'late') shed();
      if (read === 'tooLarge') {
        pool.count({ status: 413, headers: {}, code: 'BODY_TOO_LARGE', body: NOTHING }, began);
        refuse('BODY_TOO_LARGE', BODY_LIMITS);
      }
      return;
    }
    const { body, release } = read;
    // A slow body has no place any more. There may be none now, or other processes in the place of those.
    if (!holds) pool = behind.pool(name) ?? pool;
    if (!holds && !pool.enter()) {
      release();
      shed();
      return;
    }
    holds = true;
    const { method = 'POST', url: target = '/', headers } = request;
    const done = (outcome: PoolOutcome): void => {
      reply(response, outcomeAnswer(outcome), draining());
      release();
      response.off('close', takeBack);
      leave();
      pool.count(outcome, began);
    };
    const takeBack = pool.ask({ id: randomUUID(), method, target, headers }, body, done, release);
    if (!response.writableFinished) response.once('close', takeBack);
  });
}
const NOTHING = Buffer.alloc(0);

const isAsking = ({ headers: { expect } }: IncomingMessage): boolean =>
  expect !== undefined && /\b100-continue\b/i.test(expect);
