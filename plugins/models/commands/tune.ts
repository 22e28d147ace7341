import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { lambdaClient } from '../../../aws/clients/lambda.ts';
import { lambdaInvoke } from '../../../aws/lambda/invoke.ts';
import { setMemorySize } from '../../../aws/lambda/memory-size.ts';
import { temporaryStacks } from '../../../aws/temporary-stacks.ts';
import { isObject } from '../../../core/json/is-object.ts';
import { waitingFor } from '../../../core/ports/config.ts';
import { awsFix } from '../context/aws-fix.ts';
import { type Command, type Context, modelOf } from '../context/context.ts';
import type { Host } from '../contracts/host.ts';
import { ownVersion } from '../disk/own-version.ts';
import { benchRequests } from '../measure/requests.ts';
import { isProblemError, problemError } from '../problems/errors.ts';
import { untilInterrupted } from '../serve/interrupt.ts';
import { tuneDocument } from '../tune/document.ts';
import { LEAST_INVOCATIONS, tuneOptions } from '../tune/options.ts';
import { quoteOf } from '../tune/quote.ts';
import { measureSizes } from '../tune/sizes.ts';
import { readTunedSource } from '../tune/source.ts';
import { tuneName, tuneTemplate } from '../tune/template.ts';
import { withTemporary } from '../tune/temporary.ts';
import { otherwiseDeployed, quoteText, tuneText } from '../tune/tune-words.ts';

/** What a shell expects of a command that Ctrl-C ended. */
const INTERRUPTED = 130;
/** Milliseconds beyond the longest that a run may take, for its removal. */
const REMOVING = 900_000;
/** Milliseconds beyond a function's timeout: its start. */
const STARTING = 120_000;

/** `sls models tune`: memory sizes by latency and cost, of a function that is made for it. */
export const command: Command = {
  usage: 'Measure memory sizes by latency and cost, on a temporary function, and say which to write',
  options: {
    model: { usage: 'Name of the model (default: the only one)', shortcut: 'm', type: 'string' },
    memory: { usage: 'Sizes in MB, for example 512,1024,1769 (default: from 128 to 3008)', type: 'string' },
    slo: { usage: 'Objective, for example p99=50 in ms (default: latency.p95)', type: 'string' },
    invocations: {
      usage: `Warm requests of each size, ${LEAST_INVOCATIONS} or more (default: enough to be sure of the percentile, 130 for p95)`,
      type: 'string',
    },
    path: {
      usage: 'File of requests, JSON lines of {inputs, outputs} (default: the gate’s cases)',
      shortcut: 'p',
      type: 'string',
    },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const model = modelOf(context);
    const { flags, notice, print, service } = context;
    const facts = (await context.facts([model])).get(model.name);
    if (facts === undefined) throw new Error(`Nothing is known of ${model.name}.`);
    const options = tuneOptions(model, facts, flags);
    const path = typeof flags.path === 'string' ? flags.path : undefined;
    const requests = await benchRequests(model, facts.signature, path, service.dir, notice);
    const { host } = context.plan;
    const name = tuneName(host, model.name);
    const measured = await refusalsTold(context, model.name, async (ended) => {
      const source = await readTunedSource(model, context);
      const tuned = { ...model, ...source.deployed };
      const [first = model.memory] = options.sizes;
      const template = tuneTemplate(model, facts, host, context.options, source, first);
      const quote = quoteOf(tuned, facts, options);
      const files = facts.remote.length;
      for (const words of otherwiseDeployed(model, tuned)) notice(words);
      notice(quoteText(name, { ...options, timeout: tuned.timeout, files }, quote));
      if (source.leftOut.length > 0)
        notice(
          `It gets no ${source.leftOut.join(', ')} of the environment: only CloudFormation knows their values.`,
        );
      const owner = {
        machine: createHash('sha256').update(hostname()).digest('hex').slice(0, 12),
        pid: process.pid,
        until: Date.now() + quote.most.seconds * 1000 + REMOVING,
      };
      const stacks = temporaryStacks(context.aws);
      const lambda = lambdaClient(waitingFor(context.aws, tuned.timeout * 1000 + STARTING));
      const pause = async (ms: number): Promise<void> => sleep(ms);
      try {
        const done = await withTemporary(
          {
            ...{ model: model.name, region: service.region, stacks, owner, pause, ended, notice, isAlive },
            stack: { name, template, ...stackSettings(host) },
            now: Date.now,
            progress: context.progress,
          },
          () =>
            measureSizes({
              ...{ model: tuned, requests, ended, functionName: name, signature: facts.signature },
              ...{ sizes: options.sizes, invocations: options.invocations, progress: context.progress },
              pause,
              invoke: lambdaInvoke(lambda).invoke,
              resize: (memory, round) =>
                setMemorySize(lambda, name, memory, `${memory} MB, round ${round}`, { pause, ended }),
            }),
        );
        return { ...done, tuned };
      } finally {
        lambda.destroy();
        stacks.close();
      }
    });
    const document = tuneDocument(measured.made.tuned, facts, options, measured.made.found, {
      at: new Date().toISOString(),
      plugin: await ownVersion(),
      function: name,
      asked: `requests ${requests.from}`,
      interrupted: measured.interrupted,
    });
    print(flags.json ? JSON.stringify(document, null, 2) : tuneText(document));
    if (document.interrupted) process.exitCode = INTERRUPTED;
    else if (document.choice.kind === 'none') process.exitCode = 1;
    const { left } = measured.made;
    if (left === undefined) return;
    if (!flags.json) throw left;
    // One document on stdout.
    context.warning(left.message);
    process.exitCode = 1;
  },
};

/** Works until a person interrupts; what AWS refuses is told as a problem, which names the action. */
async function refusalsTold<T>(
  { progress, notice, service }: Context,
  model: string,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<{ readonly made: T; readonly interrupted: boolean }> {
  const ending = new AbortController();
  const over = new AbortController();
  void untilInterrupted(over.signal).then(() => {
    if (over.signal.aborted) return;
    notice('Interrupted. What was made is removed now; a second time leaves that to the next tune.');
    ending.abort();
  });
  try {
    return { made: await work(ending.signal), interrupted: ending.signal.aborted };
  } catch (error) {
    if (!(error instanceof Error) || isProblemError(error)) throw error;
    throw problemError(
      [
        {
          code: 'MODELS_AWS',
          key: `models.${model}`,
          message: `cannot be tuned in ${service.region}: ${error.message.replace(/[.]?$/, '.')}`,
          fix: awsFix(
            error,
            'Check credentials, --aws-profile and --region; docs/deploy-policy.md lists what tune needs.',
          ),
        },
      ],
      error,
    );
  } finally {
    over.abort();
    progress(undefined);
  }
}

/** Does a process of this machine still run? */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The tags that the service's own stack has, and the role that CloudFormation takes for it. */
function stackSettings({ provider }: Host): {
  readonly tags: Readonly<Record<string, string>>;
  readonly role?: string;
} {
  const texts = (value: unknown): readonly (readonly [string, string])[] =>
    isObject(value) ? Object.entries(value).map(([key, one]) => [key, String(one)]) : [];
  const role = provider.iam?.deploymentRole ?? provider.cfnRole;
  return {
    tags: Object.fromEntries([...texts(provider.stackTags), ...texts(provider.tags)]),
    ...(typeof role === 'string' && { role }),
  };
}
