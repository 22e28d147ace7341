import { DeleteAliasCommand, GetPolicyCommand } from '@aws-sdk/client-lambda';
import { commandsIn, sendCommand } from '../../journeys/aws-cli.ts';
import { aliasOf } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import type { Clients } from '../clients.ts';
import { inferUrl, JSON_BODY, sendSigned } from '../http.ts';
import { functionOf } from '../names.ts';
import { DEPLOY } from '../prices.ts';
import { until } from '../wait.ts';

export const deletedAlias: RunCheck = {
  name: 'deleted-alias',
  bullet: 'an alias that is deleted and made again',
  says: 'A policy’s statements belong to the alias that they were added to; an alias that is made again has none.',
  page: 'https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html',
  minutes: 20,
  use: { ...DEPLOY, httpRequest: 40 },
  run: async (scene) => {
    const { name, account, clients, known, sls, deploy, signal } = scene;
    const FunctionName = functionOf(name);
    const url = await inferUrl(scene);
    const body = Buffer.from(JSON.stringify(known.request));
    const answered = async (): Promise<number> => (await sendSigned(scene, url, JSON_BODY, body)).status;
    const before = {
      version: (await aliasOf(clients, FunctionName)).version,
      policy: await statements(clients, FunctionName),
    };
    await clients.lambda.send(new DeleteAliasCommand({ FunctionName, Name: 'live' }));
    const gone = (await sls('models', 'status', '--model', 'employment')).text;
    const { code } = await deploy({});
    const again = {
      version: (await aliasOf(clients, FunctionName)).version,
      policy: await statements(clients, FunctionName),
    };
    const without = await answered();
    const commands = commandsIn((await sls('models', 'status', '--model', 'employment')).text);
    for (const command of commands) await sendCommand(clients.lambda, account.region, command);
    // A permission counts a while after Lambda has taken it.
    const patience = { patience: 60, every: 2, signal };
    const status = await until('the gateway reaches the alias', patience, async () =>
      (await answered()) === 200 ? 200 : undefined,
    ).catch(answered);
    const after = { policy: await statements(clients, FunctionName), status };
    return finding(
      /The alias is gone/.test(gone) &&
        code === 1 &&
        again.version === before.version &&
        again.policy === 0 &&
        commands.length > 0 &&
        after.policy === before.policy &&
        after.status === 200,
      `Deleted and deployed again (exit code ${code}): on version ${again.version} as before, with ${again.policy} of ${before.policy} permissions, and the gateway answers ${without}. After the ${commands.length} commands that status shows: ${after.policy} permissions, and it answers ${after.status}.`,
    );
  },
};

async function statements({ lambda }: Clients, FunctionName: string): Promise<number> {
  try {
    const { Policy = '{}' } = await lambda.send(new GetPolicyCommand({ FunctionName, Qualifier: 'live' }));
    return ((JSON.parse(Policy) as { readonly Statement?: readonly unknown[] }).Statement ?? []).length;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return 0;
    throw error;
  }
}
