import { createHash } from 'node:crypto';
import { AUDIT_BYTES, type Manifest } from '../../core/endpoint/contract.ts';
import type { EndpointRequest } from '../../core/protocol/event.ts';
import type { Answer } from '../../core/protocol/http.ts';
import { principalOf } from '../../core/protocol/principal.ts';
import type { InferRequest } from '../../core/protocol/request.ts';
import type { Tensor } from '../../core/tensor/datatypes.ts';
import { fromHalf } from '../../core/tensor/half.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { levelOf } from './emf.ts';

/** A request at its end. */
export type Decision = {
  readonly outcome: 'answered' | 'refused' | 'failed';
  readonly status: number;
  /** The code of what was not answered. */
  readonly code?: string;
  readonly request: EndpointRequest;
  /** Lambda's id of the invocation, as in its own lines and in CloudTrail. */
  readonly requestId: string;
  /** Is it traffic? */
  readonly counted: boolean;
  /** Milliseconds in the handler. */
  readonly took: number;
  /** The request, once it is understood. */
  readonly asked?: InferRequest | undefined;
  /** What the answer is made of; and the answer before its source gave it its shape. */
  readonly outputs?: Tensors | undefined;
  readonly answer: Answer;
};

/**
 * One log line a decision, for those who must account for it later: who asked, which version decided, and how
 * it ended. It holds nothing of a request's body, only `x-request-id` of its headers, and only what
 * `predictions` asks for of an answer.
 *
 * @returns the line with its newline, in ASCII
 */
export function createAudit(
  { model, identity, signature }: Pick<Manifest, 'model' | 'identity' | 'signature'>,
  { predictions }: NonNullable<Manifest['audit']>,
  environment: NodeJS.ProcessEnv,
): (decision: Decision) => string {
  const version = environment.AWS_LAMBDA_FUNCTION_VERSION ?? '$LATEST';
  const marks = {
    audit: 1,
    model,
    function: environment.AWS_LAMBDA_FUNCTION_NAME ?? model,
    version,
    identity,
  };
  const head = `${JSON.stringify(marks).slice(0, -1)},"timestamp":"`;
  const level = levelOf(environment);
  const tall = signature.inputs.find(({ shape: [first] }) => first === -1)?.name;
  return (decision) => {
    const { outcome, status, code, request, requestId, counted, took, asked } = decision;
    let line = `${head}${new Date().toISOString()}"${level},"requestId":${quoted(requestId)}`;
    if (request.id !== requestId) line += `,"id":${quoted(request.id)}`;
    line += `,"source":"${request.source}"`;
    const principal = principalOf(request);
    if (principal !== undefined) line += `,"auth":"${principal.auth}","principal":${quoted(principal.name)}`;
    if (!counted) line += ',"uncounted":true';
    line += `,"outcome":"${outcome}","status":${status}`;
    if (code !== undefined) line += `,"code":${quoted(code)}`;
    if (asked !== undefined)
      line += `,"rows":${tall === undefined ? 1 : (asked.tensors[tall]?.shape[0] ?? 1)}`;
    line += `,"ms":${Math.round(took * 1000) / 1000}`;
    if (predictions && outcome === 'answered') line += predicted(decision);
    return `${line}}\n`;
  };
}

/**
 * The outputs asked for, in one form whatever the client's is; where they are too many, what proves them to
 * who has the answer.
 */
function predicted({ asked, outputs = {}, answer }: Decision): string {
  const wanted = (asked?.outputs ?? []).map(({ spec: { name } }) => ({
    name,
    tensor: outputs[name] as Tensor,
  }));
  const length = wanted.reduce((sum, { tensor }) => sum + leastLength(tensor), 0);
  if (length <= AUDIT_BYTES) {
    const tensors = wanted.map(
      ({ name, tensor }) =>
        `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join()}],"data":[${elements(tensor)}]}`,
    );
    const text = ascii(`[${tensors.join()}]`);
    if (text.length <= AUDIT_BYTES) return `,"outputs":${text}`;
  }
  const sent = answer.value === undefined ? answer.body : JSON.stringify(answer.value);
  const sha256 = createHash('sha256').update(sent).digest('hex');
  return `,"answer":{"bytes":${Buffer.byteLength(sent)},"sha256":"${sha256}"}`;
}

/** Characters that its elements take at the least: nothing of a picture is written to find it too long. */
function leastLength({ datatype, data }: Tensor): number {
  if (datatype !== 'BYTES') return 2 * data.length;
  return (data as string[]).reduce((sum, text) => sum + text.length + 3, 0);
}

/** As JSON, but what JSON cannot say, and binary answers have, as texts: "NaN", "Infinity". */
function elements({ datatype, data }: Tensor): string {
  switch (datatype) {
    case 'BYTES':
      return JSON.stringify(data).slice(1, -1);
    case 'BOOL':
      return Array.from(data as Uint8Array, (byte) => byte !== 0).join();
    case 'FP16':
      return Array.from(data as Uint16Array, (bits) => float(fromHalf(bits))).join();
    case 'FP32':
    case 'FP64':
      return Array.from(data as Float64Array, float).join();
    default:
      return data.join();
  }
}

const float = (x: number): string => (Number.isFinite(x) ? (Object.is(x, -0) ? '-0' : String(x)) : `"${x}"`);

const quoted = (text: string): string => ascii(JSON.stringify(text));

/** Only texts of JSON have anything else, and there it may be escaped. */
function ascii(json: string): string {
  return /^[ -~]*$/.test(json)
    ? json
    : json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
