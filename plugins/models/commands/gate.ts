import { lambdaAliases } from '../../../aws/lambda/aliases.ts';
import { lambdaInvoke } from '../../../aws/lambda/invoke.ts';
import { sagemakerReference } from '../../../aws/reference.ts';
import { errorName } from '../../../core/errors/aws-errors.ts';
import type { CaseFailure, GateState } from '../../../core/gate/contract.ts';
import { gateFix } from '../../../core/gate/fix.ts';
import { type GatePorts, runGate } from '../../../core/gate/gate.ts';
import { failuresTable } from '../../../core/gate/table.ts';
import { textIn } from '../../../core/json/fields.ts';
import type { InvokePort } from '../../../core/ports/aws.ts';
import { waitingFor } from '../../../core/ports/config.ts';
import type { LiveVersion, RowScores } from '../../../core/quality/contract.ts';
import { withStop } from '../../../core/text/stop.ts';
import { awsFix } from '../context/aws-fix.ts';
import { type Command, type Context, modelOf, usage } from '../context/context.ts';
import { nameOf } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS } from '../declaration/naming.ts';
import { keptPost } from '../measure/post.ts';
import { unreachedFix } from '../measure/unreached.ts';
import { problemError } from '../problems/errors.ts';
import { askHttp, inferUrl, type Posted } from '../serve/ask.ts';
import { askHere } from '../serve/here.ts';
import { type GateFiles, gateFiles } from '../ship/gate/files.ts';

/** `sls models gate`: what a release checks before traffic, manually, on AWS or on this machine. */
export const command: Command = {
  usage: 'Ask a version the cases of its gate, as a release does before any traffic',
  options: {
    model: { usage: 'Name of the model (default: the only one)', shortcut: 'm', type: 'string' },
    qualifier: {
      usage: 'Version to ask (default: the candidate that has a share of the traffic, else the live one)',
      shortcut: 'q',
      type: 'string',
    },
    url: { usage: 'Ask a running `sls models serve` at this address instead', type: 'string' },
    local: { usage: 'Ask the model on this machine, without AWS and without a server', type: 'boolean' },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const model = modelOf(context);
    const { flags, print, progress } = context;
    const given = ['qualifier', 'url', 'local'].filter(
      (name) => flags[name] !== undefined && flags[name] !== false,
    );
    if (given.length > 1)
      throw usage(`--${given[1]}`, `does not go with --${given[0]}.`, 'Name one of them.');
    const files = await readFiles(model, context);
    const asked = await (flags.local === true
      ? askHere(model, context, keptPost, (invoke) =>
          ask({ invoke, functionName: model.name, version: 'local' }, model, files, context),
        )
      : typeof flags.url === 'string'
        ? ask(await atUrl(model, flags.url), model, files, context)
        : onAws(model, context, (target) => ask(target, model, files, context))
    ).finally(() => progress(undefined));
    print(flags.json ? JSON.stringify(asked, null, 2) : spoken(asked));
    if (asked.gate.verdict === 'pass') return;
    if (flags.json) process.exitCode = 1;
    else throw failed(model, asked);
  },
};

type Target = {
  readonly invoke: InvokePort;
  readonly functionName: string;
  readonly version: string;
  /** What labelled rows are compared with, where it is another one. */
  readonly live?: LiveVersion;
};
type Asked = {
  readonly model: string;
  readonly version: string;
  readonly gate: GateState;
  readonly failures: readonly CaseFailure[];
};

/** The case file and the labelled rows; what is wrong with them is told before anybody is asked. */
async function readFiles(
  model: Model,
  { service, notice, facts, progress }: Context,
): Promise<GateFiles | undefined> {
  const { name, gate } = model;
  const found = gate === undefined ? undefined : (await facts([model])).get(name);
  if (gate === undefined || found === undefined) {
    notice(`models.${name} has no gate: only whether the version starts is checked.`);
    return undefined;
  }
  const files = await gateFiles(model, found, { serviceDir: service.dir, progress });
  for (const line of files?.notices ?? []) notice(`models.${name}: ${line}`);
  return files;
}

/** Milliseconds: a slice is all of it, since nothing here ends a command but the person before it. */
const BUDGET = 15 * 60 * 1000;
/**
 * Milliseconds that a container of SageMaker has, and the way there and back:
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
 */
const REFERENCE = 75_000;
/** Slices in a row that get no further, as where AWS refuses, before we say so. */
const TRIES = 5;

async function ask(
  { invoke, functionName, version, live }: Target,
  { name, latency, memory }: Model,
  files: GateFiles | undefined,
  { aws, progress, service }: Context,
): Promise<Asked> {
  const { sageMakerRuntimeClient } = await import('../../../aws/clients/sagemaker-runtime.ts');
  const sagemaker = sageMakerRuntimeClient(waitingFor(aws, REFERENCE));
  let count = 0;
  let missing = false;
  const ports: GatePorts = {
    clock: Date.now,
    pause: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    reference: sagemakerReference(sagemaker),
    invoke: {
      invoke: (...args) => {
        progress(`Asking ${name}, version ${version}: ${++count} requests`);
        return invoke.invoke(...args).catch((error: unknown) => {
          missing ||= errorName(error) === 'ResourceNotFoundException';
          throw error;
        });
      },
    },
  };
  const settings = {
    memory,
    ...(files && { gate: files.settings }),
    ...(latency !== undefined && { p95: latency.p95 }),
  };
  const failures: CaseFailure[] = [];
  let state: GateState | undefined;
  let scores: RowScores | undefined;
  try {
    for (let tries = 0; state?.verdict === undefined; ) {
      if (tries === TRIES) throw awsProblem(name, state?.reason ?? 'There is no answer.');
      if (state?.reason !== undefined) await ports.pause(2000);
      const before = askedIn(state);
      const outcome = await runGate(ports, {
        functionName,
        version,
        settings,
        state,
        budgetMs: BUDGET,
        casesText: files?.casesText,
        metric: files?.rowsText === undefined ? undefined : { text: files.rowsText, live, scores },
      });
      // The gate's own words are of a release, where the version was just made: here its number was written
      // manually.
      if (missing) throw noVersion(name, functionName, version, service.stage);
      failures.push(...outcome.failures);
      state = outcome.state;
      scores = outcome.scores;
      tries = askedIn(state) > before ? 0 : tries + 1;
    }
  } finally {
    sagemaker.destroy();
  }
  return { model: name, version, gate: state, failures };
}

/** Cases and labelled rows that are done. */
const askedIn = (state: GateState | undefined): number => (state?.done ?? 0) + (state?.metric?.done ?? 0);

async function onAws<T>(model: Model, context: Context, work: (target: Target) => Promise<T>): Promise<T> {
  const { lambdaClient } = await import('../../../aws/clients/lambda.ts');
  const { aws, flags, plan, service } = context;
  const lambda = lambdaClient(aws);
  // Each invocation has a bound of its own within the budget, and not the socket's before it.
  const patient = lambdaClient(waitingFor(aws, 2 * BUDGET));
  const functionName = nameOf(model, plan.host);
  try {
    const alias =
      typeof flags.qualifier === 'string' && model.gate?.metric?.worseThanLive === undefined
        ? undefined
        : await lambdaAliases(lambda).get(functionName, ALIAS);
    // The candidate where it has traffic already; before that a person names it.
    const version =
      typeof flags.qualifier === 'string'
        ? flags.qualifier
        : (Object.keys(alias?.weights ?? {})[0] ?? alias?.version);
    if (version === undefined) throw notDeployed(model.name, `${functionName}:${ALIAS}`, service.region);
    const live = alias === undefined || alias.version === version ? undefined : { version: alias.version };
    return await work({ invoke: lambdaInvoke(patient), functionName, version, ...(live && { live }) });
  } catch (error) {
    if (!(error instanceof Error) || 'problems' in error) throw error;
    throw awsProblem(model.name, error.message, error);
  } finally {
    lambda.destroy();
    patient.destroy();
  }
}

/** A running `serve`, or anything else that speaks the protocol. */
async function atUrl(model: Model, url: string): Promise<Target> {
  const base = inferUrl(url, model);
  // What it keeps open keeps no process.
  const { post } = keptPost(base);
  const said = await post('{}', AbortSignal.timeout(60_000)).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw usage(
      '--url',
      `${base.origin} does not answer: ${withStop(why)}`,
      unreachedFix(error) ?? 'Start `sls models serve`.',
    );
  });
  // A refusal of `{}` is what a version that starts answers: nobody else's may be taken for it.
  if (isNobody(said))
    throw usage(
      '--url',
      `${base.origin} does not answer for ${model.name}: ${base.pathname} gave HTTP ${said.status}.`,
      'Name a server that has it and asks nobody who they are: `sls models serve` is one, and `sls models proxy` signs for a deployed one.',
    );
  return { invoke: askHttp(post), functionName: model.name, version: base.origin };
}

/** Does another server answer, or one that has no such model, sends on, or guards it? */
function isNobody({ status, body }: Posted): boolean {
  if (status === 404 || (status >= 300 && status < 400)) return true;
  if (status < 400 || status >= 500) return false;
  try {
    return textIn(JSON.parse(body), 'error') === undefined;
  } catch {
    return true;
  }
}

/** `churn, version 7: pass` and the failed cases. */
function spoken({ model, version, gate, failures }: Asked): string {
  const head = `${model}, version ${version}: ${gate.verdict}`;
  if (gate.verdict === 'pass') return `${head}. ${gate.reason ?? ''}`;
  return failures.length === 0 ? head : `${head}\n\n${failuresTable(failures)}\n`;
}

const failed = ({ name }: Model, { version, gate }: Asked): Error =>
  problemError([
    {
      code: 'MODELS_GATE',
      key: `models.${name}.gate`,
      message: `does not let version ${version} pass.${gate.reason === undefined ? '' : ` ${withStop(gate.reason)}`}`,
      fix: `${gateFix(gate)}.`,
    },
  ]);

const noVersion = (name: string, functionName: string, version: string, stage: string): Error =>
  problemError([
    {
      code: 'MODELS_NOT_DEPLOYED',
      key: `models.${name}`,
      message: `has no version ${version}: ${functionName} never had it, or it was pruned since.`,
      fix: `Name one that \`sls models history --model ${name} --stage ${stage}\` shows with --qualifier, or leave it out: the one that serves is asked then.`,
    },
  ]);

const notDeployed = (name: string, what: string, region: string): Error =>
  problemError([
    {
      code: 'MODELS_NOT_DEPLOYED',
      key: `models.${name}`,
      message: `has no ${what} in ${region}.`,
      fix: 'Run `sls deploy`, name another --stage or --region, or ask on this machine with --local.',
    },
  ]);

const awsProblem = (name: string, reason: string, cause?: unknown): Error =>
  problemError(
    [
      {
        code: 'MODELS_AWS',
        key: `models.${name}`,
        message: `cannot be asked: ${withStop(reason)}`,
        fix: awsFix(cause, 'Check credentials, --aws-profile and --region.'),
      },
    ],
    cause,
  );
