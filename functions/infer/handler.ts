import middy from '@middy/core';
import type { Manifest } from '../../core/endpoint/contract.ts';
import { prime } from '../../core/endpoint/prime.ts';
import { ownRefusal, refusal } from '../../core/errors/refusals.ts';
import { nodeBase64 } from '../../core/node/base64.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Session } from '../../core/ports/session.ts';
import { inferAnswer, inferValue, type Responder, tensorOf } from '../../core/protocol/answer.ts';
import { readBody, splitBody, type Zlib } from '../../core/protocol/body.ts';
import { type Answer, allowHeader, jsonAnswer } from '../../core/protocol/http.ts';
import { type InferRequest, readRequest, readValue, type Shapes } from '../../core/protocol/request.ts';
import { routeOf } from '../../core/protocol/route.ts';
import { readInvocation } from '../../core/protocol/sagemaker.ts';
import type { AnyTransform } from '../../core/protocol/transform.ts';
import { answersOf, feedsOf, lentTo } from '../../core/protocol/transform-result.ts';
import type { Tensor } from '../../core/tensor/datatypes.ts';
import { borrow, FRESH_MEMORY } from '../../core/tensor/memory.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import type { Drifted } from '../runtime/drift.ts';
import { createLog, placeInCode } from '../runtime/log.ts';
import { openSession } from '../runtime/session.ts';
import { auditOf, type Call, errors, events, withheld } from './call.ts';
import { createMeter, type Meter, type Out } from './metrics.ts';

const zlib = (): Zlib => process.getBuiltinModule('node:zlib');

/** What Lambda calls. */
export type Handler = (
  event: unknown,
  context?: { readonly awsRequestId?: string; readonly invokedFunctionArn?: string },
) => Promise<unknown>;

type Endpoint = {
  readonly responder: Responder;
  /** What clients see. */
  readonly shapes: Shapes;
  readonly manifest: Manifest;
  readonly transform: AnyTransform;
  readonly session: Session;
  readonly meter: Meter;
  readonly log: Log;
};

/**
 * Loads the model, then gives the Lambda handler of one endpoint: the Open Inference Protocol v2 by HTTP API,
 * REST API, function URL and load balancer, SageMaker's shape beside it, and the protocol's request itself by
 * direct invocation. The generated entry awaits it, so that loading is part of Lambda's initialisation, and a
 * failure of it is shown as such.
 *
 * The handler answers whatever comes; a request cannot make it throw.
 *
 * @param out where metrics go; default: standard output, from which Lambda takes them to CloudWatch
 */
export async function createHandler(
  manifest: Manifest,
  transform: AnyTransform = {},
  out?: Out,
): Promise<Handler> {
  const log = createLog(manifest.model);
  let session: Session;
  try {
    session = await openSession(manifest, process.env);
  } catch (error) {
    log.error('The model could not be loaded.', {
      model: manifest.model,
      identity: manifest.identity,
      reason: error instanceof Error ? error.message : String(error),
    });
    throw error;
  }
  const responder = { model: manifest.model, version: process.env.AWS_LAMBDA_FUNCTION_VERSION ?? '$LATEST' };
  const primed = prime(session, manifest.graph ?? manifest.signature, process.env, log);
  const meter = createMeter(manifest, process.env, primed, out);
  const audit = auditOf(manifest, meter);
  const endpoint = { responder, shapes: shapesOf(manifest), manifest, transform, session, meter, log };
  // Lambda's own deadline ends what takes too long: a timer cannot fire while ONNX Runtime has the thread.
  return middy<unknown, unknown>({ timeoutEarlyInMillis: 0 })
    .use(events(meter, audit))
    .use(errors(meter, audit, log))
    .handler((call) => answerTo(endpoint, call as Call)) as unknown as Handler;
}

function shapesOf({ signature, columns, missing, finite }: Manifest): Shapes {
  return {
    ...signature,
    ...(columns && { columns }),
    ...(missing && { missing }),
    ...(finite && { finite }),
  };
}

function answerTo(endpoint: Endpoint, call: Call): Answer | Promise<Answer> {
  const { responder, shapes, manifest } = endpoint;
  const { request } = call;
  if (request.source === 'direct') return inferDirectly(endpoint, call);
  const route = routeOf(request.path, responder.model, responder.version, manifest.bare);
  if (route.kind === 'unknown')
    throw refusal('NOT_FOUND', 'Nothing is at this path, or no such model or version.');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== route.allow)
    throw refusal('METHOD_NOT_ALLOWED', `This path takes ${route.allow}.`, allowHeader(route.allow));
  switch (route.kind) {
    case 'ready':
      return jsonAnswer(200, { name: responder.model, ready: true });
    case 'metadata':
      return jsonAnswer(200, {
        name: responder.model,
        versions: [responder.version],
        platform: 'onnxruntime_onnx',
        inputs: shapes.inputs,
        outputs: shapes.outputs,
      });
    case 'infer':
      return inferOver(endpoint, call);
    case 'invocations':
      return inferAsSageMaker(endpoint, call);
  }
}

async function inferDirectly(endpoint: Endpoint, call: Call): Promise<Answer> {
  const asked = readValue(call.request.event, endpoint.shapes);
  const tensors = await compute(endpoint, asked, call);
  const value = inferValue(endpoint.responder, asked.id, asked.outputs, tensors);
  return { status: 200, headers: {}, body: '', value };
}

async function inferAsSageMaker(endpoint: Endpoint, call: Call): Promise<Answer> {
  const { responder, shapes } = endpoint;
  const body = readBody(call.request, nodeBase64, zlib);
  const { asked, answer } = readInvocation(call.request, body, shapes, responder);
  return answer(await compute(endpoint, asked, call));
}

/** Large requests share memory, one after another; but a transform may keep what it was given. */
function inferOver(endpoint: Endpoint, call: Call): Answer | Promise<Answer> {
  const { responder, shapes, transform } = endpoint;
  const { request } = call;
  if (transform.pre !== undefined || transform.post !== undefined) return inferTransformed(endpoint, call);
  const isLarge = (request.body?.length ?? 0) > LARGE_BODY;
  const memory = isLarge ? borrow() : FRESH_MEMORY;
  try {
    const { json, tail } = splitBody(readBody(request, nodeBase64, zlib, memory), request.headers);
    const asked = readRequest(json, shapes, tail, memory);
    return inferAnswer(responder, asked.id, asked.outputs, runModel(endpoint, asked, asked.tensors, call));
  } finally {
    memory.giveBack();
  }
}

async function inferTransformed(endpoint: Endpoint, call: Call): Promise<Answer> {
  const { json, tail } = splitBody(readBody(call.request, nodeBase64, zlib), call.request.headers);
  const asked = readRequest(json, endpoint.shapes, tail);
  const tensors = await transformed(endpoint, asked, call);
  return inferAnswer(endpoint.responder, asked.id, asked.outputs, tensors);
}
/** Characters. */
const LARGE_BODY = 16 * 1024;

/** Transform, model, scores, transform. @returns at least the outputs asked for */
function compute(endpoint: Endpoint, asked: InferRequest, call: Call): Tensors | Promise<Tensors> {
  const { pre, post } = endpoint.transform;
  if (pre === undefined && post === undefined) return runModel(endpoint, asked, asked.tensors, call);
  return transformed(endpoint, asked, call);
}

async function transformed(endpoint: Endpoint, asked: InferRequest, call: Call): Promise<Tensors> {
  const { transform, manifest, log } = endpoint;
  const { pre, post } = transform;
  call.asked = asked;
  const info = { id: asked.id, parameters: asked.parameters };
  const graph = manifest.graph ?? manifest.signature;
  const feeds =
    pre === undefined
      ? asked.tensors
      : feedsOf(await guard(() => pre(lentTo(asked.tensors), info), log), graph.inputs);
  const results = runModel(endpoint, asked, feeds, call);
  if (post === undefined) return results;
  call.outputs = answersOf(await guard(() => post(results, info), log), manifest.signature.outputs);
  return call.outputs;
}

function runModel(endpoint: Endpoint, asked: InferRequest, feeds: Tensors, call: Call): Tensors {
  const { manifest, transform, session, meter } = endpoint;
  const { outputs } = asked;
  call.asked = asked;
  // With all outputs wanted and none left out, ONNX Runtime needs no list; a transform may look at any of
  // them, and every answer is to be scored.
  const graph = manifest.graph ?? manifest.signature;
  const all = transform.post !== undefined || outputs.length === graph.outputs.length;
  let needed: string[] | undefined;
  if (!all) needed = wantedOf(outputs, manifest);
  else if (graph.omitted.length > 0) needed = graph.outputs.map(({ name }) => name);
  let computed: ReturnType<Session['run']>;
  try {
    computed = session.run(feeds, needed);
  } catch (error) {
    throw modelFailure(error);
  }
  const results: Record<string, Tensor> = Object.create(null);
  for (const name in computed) {
    const tensor = tensorOf(computed[name] as Parameters<typeof tensorOf>[0]);
    if (tensor !== undefined) results[name] = tensor;
  }
  call.outputs = results;
  call.scores = meter.score(results);
  if (call.counted) call.drift = driftOf(endpoint, feeds, results);
  return results;
}

/** What a request is scored from is fetched, asked for or not. */
function wantedOf(outputs: InferRequest['outputs'], { signals = [], drift }: Manifest): string[] {
  const drifting = drift?.signals.filter(({ of }) => of === 'output') ?? [];
  return [
    ...new Set([
      ...outputs.map(({ spec }) => spec.name),
      ...signals.map(({ output }) => output),
      ...drifting.map(({ tensor }) => tensor),
    ]),
  ];
}

/** Scoring is for those who watch: whatever a transform hands over, the client gets the answer. */
function driftOf({ meter, log }: Endpoint, inputs: Tensors, outputs: Tensors): Drifted | undefined {
  try {
    return meter.drift?.(inputs, outputs);
  } catch (error) {
    log.warn('The drift of a request could not be scored.', { reason: placeInCode(error) });
    return undefined;
  }
}

/**
 * ONNX Runtime’s message holds values of the inputs; the operator and its node’s name are the model’s own.
 */
function modelFailure(error: unknown): Error {
  const node = /while running (\w+) node\. Name:'([^']*)'/.exec(error instanceof Error ? error.message : '');
  const place =
    node === null ? '' : ` The operator ${node[1]} (node ${JSON.stringify(node[2])}) refused its own.`;
  return refusal('MODEL_FAILED', `The model could not compute these inputs.${place}`);
}

async function guard(work: () => Tensors | Promise<Tensors>, log: Log): Promise<Tensors> {
  try {
    return await work();
  } catch (error) {
    const refused = ownRefusal(error);
    // A gateway takes whole numbers alone, and would answer a 502 for another.
    if (refused !== undefined && Number.isInteger(refused.status)) throw withheld(refused);
    log.error('The transform failed.', { reason: placeInCode(error) });
    throw refusal('TRANSFORM_FAILED', 'The model’s own transform failed; the endpoint’s log says where.');
  }
}
