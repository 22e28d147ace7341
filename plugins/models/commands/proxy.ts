import { isNoStack, stackOutputs } from '../../../aws/stack.ts';
import { withStop } from '../../../core/text/stop.ts';
import { type Command, type Context, usage } from '../context/context.ts';
import { groupsOf, isDomainAlone } from '../plan/endpoint/routes.ts';
import { problemError } from '../problems/errors.ts';
import { forwarder } from '../serve/forward.ts';
import { untilInterrupted } from '../serve/interrupt.ts';
import { listen, portOf } from '../serve/listen.ts';
import { apiBase, type OutsideApi, type StackOutputs } from '../serve/upstream.ts';

const PORT = '8081';

/** `sls models proxy`: the deployed service for clients and browsers that cannot sign. Ends with Ctrl-C. */
export const command: Command = {
  usage: 'Sign requests on this machine for any client and pass them to the deployed service',
  options: {
    port: { usage: `Port on 127.0.0.1 (default: ${PORT}; 0 picks a free one)`, type: 'string' },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { models, service, aws, flags, print } = context;
    const port = portOf(flags.port, PORT);
    const groups = groupsOf(models);
    if (groups.length === 0) throw nothingOpen();
    const { credentials } = aws;
    if (credentials === undefined) throw awsProblem(service.stack, 'There are no credentials.');
    const base = await findBase(context);

    const ending = untilInterrupted();
    const server = await listen(port, forwarder({ base, region: service.region, credentials }));
    try {
      const shown = groups.flatMap(({ path, models: members }) => {
        const root = `${server.url}${path === '/' ? '' : path}`;
        return members.map(({ name }) => ({ name, url: `${root}/v2/models/${name}`, docs: `${root}/docs` }));
      });
      print(
        flags.json
          ? JSON.stringify({ url: server.url, port: server.port, to: base, models: shown }, null, 2)
          : spoken(shown, base),
      );
      await ending;
    } finally {
      await server.close();
    }
  },
};

async function findBase({ service, aws, plan }: Context): Promise<string> {
  if (isDomainAlone(plan.host))
    throw usage(
      'provider.httpApi.disableDefaultEndpoint',
      'is true, so the API is reached by a domain of its own alone, which is not known here.',
      'Ask that domain with requests that are signed for execute-api, or use `sls models invoke`.',
    );
  const outside = outsideApi(plan.host.provider.httpApi?.id, service.region);
  let outputs: StackOutputs;
  try {
    outputs = Object.fromEntries(await stackOutputs(aws, service.stack));
  } catch (error) {
    if (isNoStack(error)) throw notDeployed(service.stack, 'does not exist');
    throw awsProblem(service.stack, error instanceof Error ? error.message : String(error));
  }
  const base = apiBase(outputs, process.env.AWS_ENDPOINT_URL, outside);
  if (base === undefined) throw notDeployed(service.stack, 'has no HTTP API of its own');
  return base;
}

/** @throws ProblemError where nobody but CloudFormation can tell which it is */
function outsideApi(id: unknown, region: string): OutsideApi | undefined {
  // As the framework has it.
  if (!id) return undefined;
  if (typeof id === 'string') return { id, region };
  throw usage(
    'provider.httpApi.id',
    'is what only CloudFormation resolves, so the API’s address is not known here.',
    `Write the id as a text, for example \${cf:<stack of the API>.HttpApiId}, which the framework resolves.`,
  );
}

function spoken(
  shown: readonly { readonly name: string; readonly url: string; readonly docs: string }[],
  base: string,
): string {
  const width = Math.max('docs'.length, ...shown.map(({ name }) => name.length));
  const docs = [...new Set(shown.map((model) => model.docs))];
  return [
    ...shown.map(({ name, url }) => `${name.padEnd(width)}  ${url}`),
    ...docs.map((page) => `${'docs'.padEnd(width)}  ${page}`),
    '',
    `Requests are signed with your credentials and passed to ${base}. Ctrl-C ends it.`,
  ].join('\n');
}

const nothingOpen = () =>
  problemError([
    {
      code: 'MODELS_USAGE',
      key: 'models',
      message: 'No model has `http`: there is nothing to pass requests to.',
      fix: 'Add `http: {}` to a model and deploy, or use `sls models invoke`.',
    },
  ]);

const notDeployed = (stack: string, what: string) =>
  problemError([
    {
      code: 'MODELS_NOT_DEPLOYED',
      key: stack,
      message: `The stack ${what}.`,
      fix: 'Run `sls deploy` with this stage and region first.',
    },
  ]);

const awsProblem = (stack: string, text: string) =>
  problemError([
    {
      code: 'MODELS_AWS',
      key: stack,
      message: `The stack could not be read: ${withStop(text)}`,
      fix: 'Check --aws-profile, --region and cloudformation:DescribeStacks.',
    },
  ]);
