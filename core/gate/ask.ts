import { errorStatus } from '../errors/aws-errors.ts';
import { isObject } from '../json/is-object.ts';
import type { Invoked, InvokePort, ReferencePort } from '../ports/aws.ts';
import { faultOf, readCase } from './cases.ts';
import { compare, cut, plain, refusalOf } from './compare.ts';
import type { CaseFailure, FailureKind } from './contract.ts';
import { answerIn, eventOf } from './event.ts';
import {
  CONTENT_TYPE,
  expectedOf,
  REFERENCE_FORMATS,
  type ReferenceFormat,
  referenceBody,
} from './reference.ts';
import { type PlainTensor, readTensor } from './tensors.ts';

/** Who is asked, and within how many milliseconds. */
export type Asking = {
  readonly invoke: InvokePort;
  readonly reference: ReferencePort;
  readonly functionName: string;
  readonly version: string;
  readonly patience: number;
};

export type Answered = {
  /** Absent where the case passed. */
  readonly failure?: CaseFailure;
  /** No answer within the patience: the failure stands only if there was enough of it. */
  readonly late?: true;
  /** MB. */
  readonly memory?: number;
};

const failed = (line: number, kind: FailureKind, expected: string, got: string): CaseFailure => ({
  case: line,
  kind,
  differences: [{ at: 'answer', expected, got: cut(plain(got), 200) }],
  more: 0,
});

/**
 * Does the version start, and refuse what is no request, as any version does that loaded its model? Before
 * traffic this finds what no case file is needed for: an init that fails, times out or does not fit into
 * memory.
 */
export async function askToStart(asking: Asking): Promise<Answered> {
  const invoked = await asking.invoke.invoke(asking.functionName, asking.version, '{}', asking.patience);
  if (invoked === undefined) return lateAnswer(0, asking.patience);
  const memory = memoryOf(invoked);
  if (invoked.crashed !== undefined) return { failure: crash(0, invoked), ...memory };
  const answer = answerOf(invoked);
  const refused = refusalOf(answer);
  if (!isObject(answer) || refused === undefined)
    return {
      failure: failed(0, 'refused', 'a refusal of {}', isObject(answer) ? 'an answer' : 'no JSON'),
      ...memory,
    };
  // Only a fault of its own: any other refusal is the right answer here.
  if (/^(INTERNAL|NOT_READY): /.test(refused))
    return { failure: failed(0, 'refused', 'a refusal of {}', refused), ...memory };
  return memory;
}

/** One case: the version's answer against the case's outputs, or the reference's. */
export async function askCase(
  asking: Asking,
  line: number,
  text: string,
  tolerance: number,
  reference: { readonly endpoint: string; readonly memo: Memo } | undefined,
): Promise<Answered> {
  const read = readCase(text);
  const fault = faultOf(read, reference !== undefined);
  if (fault !== undefined || 'fault' in read)
    return { failure: failed(line, 'invalid', 'a case', fault ?? '') };
  const { answer, ...asked } = await askFor(asking, line, read.request);
  if (asked.failure !== undefined) return asked;
  const memory = asked;

  let expected: Parameters<typeof compare>[0] | undefined = read.outputs;
  if (expected === undefined && reference !== undefined) {
    const ours = isObject(answer) && Array.isArray(answer.outputs) ? answer.outputs : [];
    const told = await askReference(asking.reference, reference, read, outputsOf(ours));
    if ('fault' in told) {
      const got = `${reference.endpoint} ${told.fault}`;
      return { failure: failed(line, 'reference', 'an answer to compare with', got), ...memory };
    }
    expected = told;
  }
  const compared = compare(expected ?? [], answer, tolerance);
  if (compared.differences.length === 0) return memory;
  return { failure: { case: line, kind: 'different', ...compared }, ...memory };
}

/**
 * A request, and the version's answer to it.
 * @returns no `answer` where there is none, and why
 */
export async function askFor(
  { invoke, functionName, version, patience }: Asking,
  line: number,
  request: string,
): Promise<Answered & { readonly answer?: unknown }> {
  const invoked = await invoke.invoke(functionName, version, eventOf(request), patience);
  if (invoked === undefined) return lateAnswer(line, patience);
  const memory = memoryOf(invoked);
  if (invoked.crashed !== undefined) return { failure: crash(line, invoked), ...memory };
  const answer = answerOf(invoked);
  const refused = refusalOf(answer);
  if (refused !== undefined) return { failure: failed(line, 'refused', 'outputs', refused), ...memory };
  return { answer, ...memory };
}

/** Which body the reference takes, once one was answered: the others are not tried again. */
export type Memo = { format?: ReferenceFormat };

async function askReference(
  port: ReferencePort,
  { endpoint, memo }: { readonly endpoint: string; readonly memo: Memo },
  { inputs, request }: { readonly inputs: readonly PlainTensor[]; readonly request: string },
  ours: readonly PlainTensor[],
): Promise<ReturnType<typeof expectedOf>> {
  let fault = 'takes no body that can say these inputs; write outputs into the case';
  for (const format of memo.format === undefined ? REFERENCE_FORMATS : [memo.format]) {
    const body = referenceBody(format, inputs, request);
    if (body === undefined) continue;
    const answer = await port.ask(endpoint, CONTENT_TYPE[format], body);
    if ('refused' in answer) {
      fault = `answered ${answer.status} to ${CONTENT_TYPE[format]}: ${cut(plain(answer.refused), 100)}`;
      continue;
    }
    memo.format = format;
    return expectedOf(answer.contentType, answer.body, ours);
  }
  return { fault };
}

const outputsOf = (outputs: readonly unknown[]): readonly PlainTensor[] =>
  outputs.flatMap((output) => {
    const tensor = readTensor(output, '');
    return typeof tensor === 'string' ? [] : [tensor];
  });

const memoryOf = ({ memory }: Invoked): { readonly memory?: number } =>
  memory === undefined ? {} : { memory };

/** @returns undefined where it is no JSON */
export function answerOf({ payload }: Invoked): unknown {
  try {
    return answerIn(payload);
  } catch {
    return undefined;
  }
}

function lateAnswer(line: number, patience: number): Answered {
  const seconds = Math.round(patience / 1000);
  return { failure: failed(line, 'timeout', 'an answer', `none within ${seconds} s`), late: true };
}

/**
 * How the function died. `Sandbox.Timedout` and `Runtime.ExitError` are Lambda's; a kill by memory shows as
 * `signal: killed`:
 * https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-execution.html
 */
function crash(line: number, invoked: Invoked): CaseFailure {
  const answer = answerOf(invoked);
  const type = isObject(answer) && typeof answer.errorType === 'string' ? answer.errorType : undefined;
  const words = isObject(answer) && typeof answer.errorMessage === 'string' ? answer.errorMessage : '';
  const kind = /Timedout|Task timed out/.test(`${type} ${words}`)
    ? 'timeout'
    : /OutOfMemory|signal: killed/.test(`${type} ${words}`)
      ? 'memory'
      : 'crash';
  const got = [type ?? invoked.crashed, words.replace(/^RequestId: \S+ /, '')].filter(Boolean).join(': ');
  return failed(line, kind, 'an answer', got);
}

/**
 * What was asked beside each other, once all of it has ended: what still runs would be in the way of what
 * comes next.
 *
 * @throws what the first that failed threw
 */
export async function allEnded<T>(asked: readonly Promise<T>[]): Promise<readonly T[]> {
  const ended = await Promise.allSettled(asked);
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/**
 * Will asking again help? Throttling, faults of AWS, the network, a version still being made (409) and a
 * right that IAM has not spread yet (403) pass; a version or endpoint that is not there, or a body beyond the
 * limit, does not.
 */
export function willPass(error: unknown): boolean {
  const status = errorStatus(error);
  return status === undefined || status >= 500 || [403, 408, 409, 424, 429].includes(status);
}
