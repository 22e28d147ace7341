import type middy from '@middy/core';
import { type Manifest, UNCOUNTED } from '../../core/endpoint/contract.ts';
import { isModelFault, isRefusal, REFUSALS, type Refusal } from '../../core/errors/refusals.ts';
import { nodeBase64 } from '../../core/node/base64.ts';
import type { Log } from '../../core/ports/log.ts';
import { type EndpointRequest, readEvent, writeAnswer } from '../../core/protocol/event.ts';
import { type Answer, errorAnswer } from '../../core/protocol/http.ts';
import type { InferRequest } from '../../core/protocol/request.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { createAudit, type Decision } from '../runtime/audit.ts';
import type { Drifted } from '../runtime/drift.ts';
import { placeInCode } from '../runtime/log.ts';
import type { Meter } from './metrics.ts';

/** What is done around each request: its event is read, its answer is written, counted and audited. */

/** A request on its way through. */
export type Call = {
  readonly request: EndpointRequest;
  /** Lambda's id of the invocation. */
  readonly requestId: string;
  /** When it began, by the meter's clock. */
  readonly started: number;
  /** Is it traffic? */
  readonly counted: boolean;
  /** Scores of the model's outputs; undefined until it has run: what asks for no inference is not counted. */
  scores: string | undefined;
  drift: Drifted | undefined;
  /** The request, once it is understood; and what the answer is made of. */
  asked: InferRequest | undefined;
  outputs: Tensors | undefined;
};

/** The line of a request's audit; empty where none is declared. */
export type AuditLine = (call: Call, end: Pick<Decision, 'outcome' | 'status' | 'code' | 'answer'>) => string;

export function auditOf(manifest: Manifest, meter: Meter): AuditLine {
  if (manifest.audit === undefined) return () => '';
  const line = createAudit(manifest, manifest.audit, process.env);
  return (call, end) => line({ ...call, ...end, took: meter.now() - call.started });
}

type Middleware = middy.MiddlewareObj<unknown, unknown>;

/**
 * The event becomes a Call on the way in, an Answer becomes what the event's source expects on the way out,
 * and is counted.
 */
export const events = (meter: Meter, audit: AuditLine): Middleware => ({
  before(state) {
    const started = meter.now();
    state.event = {
      request: readEvent(state.event, state.context),
      requestId: state.context?.awsRequestId ?? '',
      started,
      counted: isTraffic(state.context),
      scores: undefined,
      drift: undefined,
      asked: undefined,
      outputs: undefined,
    } satisfies Call;
  },
  after(state) {
    const call = state.event as Call;
    const answer = state.response as Answer;
    const { request, started, counted, scores, drift } = call;
    state.response = writeAnswer(request, answer, nodeBase64);
    if (scores === undefined) return;
    const audited = audit(call, { outcome: 'answered', status: answer.status, answer });
    if (counted) meter.answered(started, scores, drift, audited);
    else meter.uncounted(audited);
  },
});

/**
 * A version that is asked for by its number was chosen by no alias. The judge compares what the alias's coin
 * has chosen, and alarms count errors by the alias's invocations: somebody who tests a candidate is in
 * neither. Lambda's client context is whatever the caller of a direct invocation wrote into it.
 */
function isTraffic(context: unknown): boolean {
  const { clientContext, invokedFunctionArn } = (context ?? {}) as {
    readonly clientContext?: { readonly custom?: Record<string, unknown> | null } | null;
    readonly invokedFunctionArn?: unknown;
  };
  return clientContext?.custom?.[UNCOUNTED] !== true && !isOfVersion(invokedFunctionArn);
}

/**
 * By which ARN Lambda was asked: `arn:aws:lambda:<region>:<account>:function:<name>:<qualifier>`, the last a
 * number, which no alias is called. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
const isOfVersion = (arn: unknown): boolean => typeof arn === 'string' && /^(?:[^:]*:){7}\d+$/.test(arn);

/** Every error becomes an answer. A line each in the log: the code and the place, never a value. */
export const errors = (meter: Meter, audit: AuditLine, log: Log): Middleware => ({
  onError(state) {
    const call = state.event as Call;
    const { request, counted } = call;
    const refused = isRefusal(state.error) && !isModelFault(state.error);
    const { answer, code } = answerOf(state.error, request, log);
    state.response = writeAnswer(request, answer, nodeBase64);
    const outcome = refused ? 'refused' : 'failed';
    const audited = audit(call, { outcome, status: answer.status, code, answer });
    if (!counted) meter.unanswered(audited);
    else if (refused) meter.rejected(audited);
    else meter.failed(audited);
  },
});

function answerOf(
  error: unknown,
  { id, source }: EndpointRequest,
  log: Log,
): { answer: Answer; code: string } {
  if (isRefusal(error)) {
    const { status, code, message } = error;
    const reason = WITHHELD.has(error) ? 'The transform says why, to the client alone.' : message;
    const fields = { code, status, reason, requestId: id, source };
    if (status < 500) log.warn('Refused.', fields);
    else log.error('Failed.', fields);
    return { answer: errorAnswer(error), code };
  }
  const code = 'INTERNAL';
  log.error('Failed.', { code, status: 500, reason: placeInCode(error), requestId: id, source });
  const message = 'The endpoint failed; its log says where.';
  return { answer: errorAnswer({ status: REFUSALS[code].status, code, message }), code };
}

/**
 * A transform's refusal: its message may hold what came in, so the client gets it, and the log does not. All
 * that came in would be more than an answer carries.
 */
export function withheld(refused: Refusal): Refusal {
  if (refused.message.length > LONGEST) refused.message = `${refused.message.slice(0, LONGEST)}…`;
  WITHHELD.add(refused);
  return refused;
}
/** Characters. */
const LONGEST = 16 * 1024;
const WITHHELD = new WeakSet<Error>();
