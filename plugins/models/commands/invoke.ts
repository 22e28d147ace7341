import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { exampleRequest } from '../../../core/catalog/example.ts';
import { PAYLOAD_BYTES } from '../../../core/endpoint/contract.ts';
import { errorStatus } from '../../../core/errors/aws-errors.ts';
import { eventOf } from '../../../core/gate/event.ts';
import { waitingFor } from '../../../core/ports/config.ts';
import { plainText } from '../../../core/text/plain.ts';
import { withStop } from '../../../core/text/stop.ts';
import { awsFix, throttleFix } from '../context/aws-fix.ts';
import { type Command, type Context, modelOf, usage } from '../context/context.ts';
import { nameOf } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS } from '../declaration/naming.ts';
import { problemError } from '../problems/errors.ts';

/** `sls models invoke`: one inference through the alias, as a direct invoke. */
export const command: Command = {
  usage: 'Ask a deployed model, through its alias',
  options: {
    model: { usage: 'Name of the model (default: the only one)', shortcut: 'm', type: 'string' },
    data: { usage: 'Inference request, JSON', shortcut: 'd', type: 'string' },
    path: { usage: 'File with the inference request, JSON', shortcut: 'p', type: 'string' },
    stdin: { usage: 'Read the inference request from standard input', type: 'boolean' },
    json: { usage: 'Print the answer as it came', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, print } = context;
    const model = modelOf(context);
    const request = await requestOf(model, context);
    const came = await ask(model, request, context);
    const answer = parsed(came);
    print(flags.json ? came : pretty(answer));
    // The endpoint's own refusals are answers, not failures of the function.
    if (isObject(answer) && 'error' in answer) process.exitCode = 1;
  },
};

/** The request's text, checked to be JSON: anything else Lambda itself would refuse with less to say. */
async function requestOf(model: Model, context: Context): Promise<string> {
  const { flags, service } = context;
  const given = ['data', 'path', 'stdin'].filter(
    (name) => flags[name] !== undefined && flags[name] !== false,
  );
  const [only, second] = given;
  if (only === undefined || second !== undefined) {
    const facts = (await context.facts([model])).get(model.name);
    const example = facts && exampleRequest(facts.signature.inputs);
    const shown = example === undefined ? '{"inputs": […]}' : JSON.stringify(example);
    throw usage(
      '--data',
      `must say what to ask: one of --data, --path and --stdin, not ${given.length}.`,
      `For example: --data '${shown}'`,
    );
  }
  const body = await readBody(only, String(flags[only]), service.dir);
  const bytes = Buffer.byteLength(eventOf(body));
  if (bytes > PAYLOAD_BYTES) {
    throw usage(
      `--${only}`,
      `has ${(bytes / 1024 ** 2).toFixed(1)} MB; Lambda takes ${PAYLOAD_BYTES / 1024 ** 2} MB.`,
      'Send fewer rows at a time.',
    );
  }
  try {
    JSON.parse(body);
  } catch (error) {
    throw usage(
      `--${only}`,
      `is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
      'Write an inference request.',
    );
  }
  return body;
}

async function readBody(source: string, value: string, dir: string): Promise<string> {
  if (source === 'data') return value;
  if (source === 'stdin') return text(process.stdin);
  try {
    return await readFile(resolve(dir, value), 'utf8');
  } catch (error) {
    throw usage(
      '--path',
      `cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Name a file.',
    );
  }
}

/** @returns the answer's text. @throws ProblemError */
async function ask(
  model: Model,
  request: string,
  { aws, plan, progress, service }: Context,
): Promise<string> {
  const { functionCaller } = await import('../../../aws/lambda/call.ts');
  // One bound over all attempts, and not the socket's before it.
  const patience = (model.timeout + STARTING) * 1000;
  const name = nameOf(model, plan.host);
  const caller = functionCaller(waitingFor(aws, 2 * patience), name, ALIAS);
  const signal = AbortSignal.timeout(patience);
  progress(`Asking ${name}:${ALIAS}`);
  try {
    const event = eventOf(request);
    const { text: answered, failed } = await caller.call(event, signal);
    const came = answered || 'null';
    if (!isJson(came))
      throw problemError([
        {
          code: 'MODELS_AWS',
          key: `models.${model.name}`,
          message: 'got an answer that is no JSON, which Lambda does not give.',
          fix: 'Check AWS_ENDPOINT_URL and the network: something else answers there.',
        },
      ]);
    if (failed === undefined) return event === request ? came : bodyIn(came);
    const answer = parsed(came);
    const reason = isObject(answer) && typeof answer.errorMessage === 'string' ? answer.errorMessage : failed;
    throw problemError([
      {
        code: 'MODELS_AWS',
        key: `models.${model.name}`,
        message: `failed: ${withStop(reason)}`,
        fix: `Look into the log of ${name}: \`sls logs -f ${model.name} --stage ${plan.host.stage}\``,
      },
    ]);
  } catch (error) {
    if (!(error instanceof Error) || 'problems' in error) throw error;
    const missing = error.name === 'ResourceNotFoundException';
    if (signal.aborted)
      throw problemError(
        [
          {
            code: 'MODELS_AWS',
            key: `models.${model.name}`,
            message: `did not answer within ${patience / 1000} s, its timeout and ${STARTING} s to start in.`,
            fix: `Look into the log of ${name}: \`sls logs -f ${model.name} --stage ${plan.host.stage}\``,
          },
        ],
        error,
      );
    if (errorStatus(error) === 429)
      throw problemError(
        [
          {
            code: 'MODELS_AWS',
            key: `models.${model.name}`,
            message: `was turned away by Lambda: ${withStop(error.message)}`,
            fix: throttleFix(error),
          },
        ],
        error,
      );
    throw problemError(
      [
        {
          code: missing ? 'MODELS_NOT_DEPLOYED' : 'MODELS_AWS',
          key: `models.${model.name}`,
          message: missing
            ? `has no ${name}:${ALIAS} in ${service.region}.`
            : `cannot be asked: ${withStop(error.message)}`,
          fix: missing
            ? 'Run `sls deploy`, or name another --stage or --region.'
            : awsFix(error, 'Check credentials, --aws-profile and --region.'),
        },
      ],
      error,
    );
  } finally {
    progress(undefined);
    caller.close();
  }
}

/** Seconds beyond the function's timeout: its start, and the way of a request of 6 MB. */
const STARTING = 120;

/** What was asked as an HTTP event, so that every digit arrives, is answered as one. */
function bodyIn(came: string): string {
  const answer = parsed(came);
  return isObject(answer) && typeof answer.body === 'string' ? answer.body : came;
}

/**
 * The answer, in which numbers that a double would change (INT64 beyond 2^53) are printed as they came.
 * https://github.com/tc39/proposal-json-parse-with-source
 */
function parsed(came: string): unknown {
  const revive = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined && context.source !== String(value)
      ? JSON.rawJSON(context.source)
      : value;
  return JSON.parse(came, revive);
}

function isJson(came: string): boolean {
  try {
    JSON.parse(came);
    return true;
  } catch {
    return false;
  }
}

type Output = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: unknown;
};

/** Values that a line shows before it says how many more there are. */
const SHOWN = 10;

/** `probabilities  FP32 [1, 2]  0.12, 0.88`; what is no inference response is shown as it is. */
function pretty(answer: unknown): string {
  const outputs =
    isObject(answer) && Array.isArray(answer.outputs) ? (answer.outputs as readonly Output[]) : undefined;
  if (outputs === undefined) return JSON.stringify(answer, null, 2);
  // Exporters write anything into names.
  const names = outputs.map(({ name }) => plainText(String(name)));
  const width = Math.max(...names.map(({ length }) => length), 0);
  return outputs
    .map(({ datatype, shape, data }, i) => {
      const values = [data].flat(Number.POSITIVE_INFINITY);
      const more = values.length > SHOWN ? `, … (${values.length} values)` : '';
      const line = values
        .slice(0, SHOWN)
        .map((value) => JSON.stringify(value))
        .join(', ');
      return `${(names[i] ?? '').padEnd(width)}  ${datatype} [${shape.join(', ')}]  ${line}${more}`;
    })
    .join('\n');
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
