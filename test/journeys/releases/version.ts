/**
 * Small functions in a model's place: they answer as an endpoint does, count by the endpoint's own meter, and
 * fail as asked.
 */
import { dirname } from 'node:path';
import { ownFile } from '../../../plugins/models/disk/own-file.ts';
import { slowEdgesOf } from '../../../plugins/models/plan/watch/metrics.ts';
import { importPath } from '../../../plugins/models/ship/bundle.ts';
import { bundled } from '../../bundled.ts';

/** A request is one number: `EASY` ones are answered by every version that starts. */
export const EASY = 0;
export const HARD = 1;

/** What a version does with a hard request. */
export type Behaviour = 'answers' | 'lags' | 'errs' | 'throws' | 'dawdles' | 'hangs' | 'eats memory';

export type Kind = {
  readonly hard?: Behaviour;
  /** It does not start, or each provisioned instance takes `LASTS` to do so. */
  readonly init?: 'fails' | 'lasts';
  /** What it multiplies a request by. */
  readonly factor?: number;
  /** Its objective, milliseconds; default: none. The deploy declares it, too. */
  readonly p95?: number;
};

const HARD_ONES: Readonly<Record<Behaviour, string>> = {
  answers: '',
  // The meter measures the real clock, and timers go by the fast one.
  lags: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);',
  errs: `meter.failed(); return { error: 'y[0] is not finite', code: 'NON_FINITE_OUTPUT' };`,
  throws: `throw new Error('it cannot');`,
  dawdles: 'await new Promise((resolve) => setTimeout(resolve, 40_000));',
  hangs: 'await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));',
  'eats memory':
    'for (const held = []; ; await new Promise(setImmediate)) held.push(Buffer.alloc(32 << 20, 1));',
};

/** Milliseconds of the real clock: no worker is as late to look at what it has asked for. */
const LASTS = 8000;

const INITS: Readonly<Record<NonNullable<Kind['init']>, string>> = {
  fails: `throw new Error('it does not start');`,
  lasts: `if (process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${LASTS});`,
};

const METER = ownFile('functions/infer/metrics');

/** @returns source of `handler.mjs`; equal kinds give equal code */
export function versionCode({ hard = 'answers', init, factor = 2, p95 }: Kind = {}): Promise<string> {
  const manifest = { model: 'm', slowEdges: slowEdgesOf(p95) };
  const source = `
    import { createMeter } from ${importPath(METER)};
    ${init === undefined ? '' : INITS[init]}
    const meter = createMeter(${JSON.stringify(manifest)}, process.env, false);
    export const handler = async (event, context) => {
      if (!Array.isArray(event.inputs)) return { error: 'no inputs', code: 'INVALID_REQUEST' };
      const [asked] = event.inputs[0].data;
      const started = meter.now();
      if (asked >= ${HARD}) { ${HARD_ONES[hard]} }
      if (context.clientContext?.custom?.modelsUncounted !== true) meter.answered(started, '');
      return {
        model_version: process.env.AWS_LAMBDA_FUNCTION_VERSION,
        parameters: { initialization: process.env.AWS_LAMBDA_INITIALIZATION_TYPE },
        outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [asked * ${factor}] }],
      };
    };`;
  return bundled(source, dirname(METER), 'version');
}

export const requestOf = (asked: number) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [asked] }],
});

/** A case file of one case. */
export const caseOf = (asked: number, expected: number): string =>
  `${JSON.stringify({ ...requestOf(asked), outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [expected] }] })}\n`;
