import type { BenchAnswer } from '../../../core/capacity/contract.ts';
import { answerOf } from '../../../core/gate/ask.ts';
import { compare, refusalOf } from '../../../core/gate/compare.ts';
import { isObject } from '../../../core/json/is-object.ts';
import type { Invoked } from '../../../core/ports/aws.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import type { BenchRequest } from './requests.ts';

export type Checked = Pick<BenchAnswer, 'outcome'> & {
  /** What is wrong, for a person. */
  readonly words?: string;
  /** Who refused it, where the model never saw it: Lambda that throttles, or a gateway. */
  readonly by?: 'lambda' | 'gateway';
  /** What to do, where that is known of a request without an answer. */
  readonly fix?: string;
};

/**
 * Whether answers are right. One that has the very text of an answer that was right is right; others are
 * compared as the gate compares, so that the generator has little to do.
 */
export function checker(
  requests: readonly BenchRequest[],
  { outputs }: Signature,
  tolerance: number,
): (index: number, invoked: Invoked | undefined) => Checked {
  const right = new Map<number, string>();
  return (index, invoked) => {
    if (invoked === undefined) return { outcome: 'late', words: 'no answer in time' };
    const at = index % requests.length;
    if (invoked.crashed === undefined && right.get(at) === invoked.payload) return { outcome: 'ok' };
    const answer = answerOf(invoked);
    if (invoked.crashed !== undefined)
      return { outcome: 'failed', words: `${invoked.crashed} ${invoked.payload.slice(0, 200)}` };
    const refused = refusalOf(answer);
    if (refused !== undefined) return { outcome: 'refused', words: refused };
    const said = isObject(answer) && answer.outputs === undefined ? answer.message : undefined;
    if (typeof said === 'string') return { outcome: 'refused', words: said.slice(0, 200), by: 'gateway' };
    const wrong = faultIn(answer, requests[at], outputs, tolerance);
    if (wrong !== undefined) return { outcome: 'wrong', words: wrong };
    right.set(at, invoked.payload);
    return { outcome: 'ok' };
  };
}

function faultIn(
  answer: unknown,
  request: BenchRequest | undefined,
  outputs: Signature['outputs'],
  tolerance: number,
): string | undefined {
  if (request?.outputs !== undefined) {
    const [first] = compare(request.outputs, answer, tolerance).differences;
    return first && `${first.at}: expected ${first.expected}, got ${first.got}`;
  }
  const given =
    isObject(answer) && Array.isArray(answer.outputs) ? answer.outputs.filter(isObject) : undefined;
  if (given === undefined) return 'expected outputs, got none';
  const missing = outputs.find(
    ({ name, datatype }) => !given.some((one) => one.name === name && one.datatype === datatype),
  );
  return missing && `expected the output ${missing.name} of ${missing.datatype}, got none`;
}
