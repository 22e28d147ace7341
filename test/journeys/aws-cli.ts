/**
 * Runs a printed command of the AWS CLI with the SDK, with exactly its arguments: a shell’s words, then the
 * CLI’s options.
 */
import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../local-aws/start.ts';

/** Lines of a command's output that are commands of the AWS CLI. */
export const commandsIn = (output: string): readonly string[] =>
  output.split('\n').flatMap((line) => /(?:^|\s)(aws lambda (?!get-)[a-z-]+ --.*)$/.exec(line)?.[1] ?? []);

/** As POSIX says of single quotes and of the backslash between them. */
function wordsOf(command: string): readonly string[] {
  const words = command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|\\(.)/g, '$1$2'));
}

/**
 * What the CLI would send, by its names of options: https://docs.aws.amazon.com/cli/latest/reference/lambda/
 */
function inputOf(options: readonly string[]): Readonly<Record<string, unknown>> {
  const input: Record<string, unknown> = {};
  for (let at = 0; at < options.length; at += 1) {
    const option = options[at] ?? '';
    if (!option.startsWith('--')) throw new Error(`${option} is no option`);
    const no = option.startsWith('--no-');
    const next = options[at + 1];
    const name = option
      .slice(no ? 5 : 2)
      .split('-')
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join('')
      .replace(/OrgId$/, 'OrgID');
    if (next === undefined || next.startsWith('--')) input[name] = !no;
    else {
      at += 1;
      input[name] = next.startsWith('{') ? JSON.parse(next) : /^Maximum/.test(name) ? Number(next) : next;
    }
  }
  return input;
}

export async function runAws(aws: LocalAws, command: string): Promise<void> {
  const lambda = new LambdaClient(client(aws.endpoint));
  await sendCommand(lambda, REGION, command).finally(() => lambda.destroy());
}

/**
 * Sends what the CLI would.
 *
 * @throws Error where the command is for another region, or none that is known here
 */
export async function sendCommand(lambda: LambdaClient, region: string, command: string): Promise<void> {
  const [program, service, verb, ...options] = wordsOf(command);
  const { Region, ...input } = inputOf(options);
  if (program !== 'aws' || service !== 'lambda' || Region !== region)
    throw new Error(`not for here: ${command}`);
  switch (verb) {
    case 'add-permission':
      await lambda.send(new AddPermissionCommand(input as never));
      break;
    case 'create-function-url-config':
      await lambda.send(new CreateFunctionUrlConfigCommand(input as never));
      break;
    case 'put-function-event-invoke-config':
      await lambda.send(new PutFunctionEventInvokeConfigCommand(input as never));
      break;
    default:
      throw new Error(`unknown: ${command}`);
  }
}
