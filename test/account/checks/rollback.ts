import { ListVersionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { aliasOf } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { functionOf, stackOf } from '../names.ts';
import { DEPLOY } from '../prices.ts';
import type { Scene } from '../scene.ts';
import { atRest } from '../stacks.ts';

export const rollback: RunCheck = {
  name: 'rollback',
  bullet: 'CloudFormation’s own timing: rollbacks in mid-update',
  says: 'A resource that fails rolls the update back, and DescribeStacks shows that before the resources are asked again; RetainExceptOnCreate deletes what was made in the same operation.',
  page: 'https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html',
  minutes: 50,
  use: { ...DEPLOY, lambdaGbSecond: 4000 },
  run: async (scene) => {
    const before = await there(scene);
    const refused = await failedDeploy(scene, { version: 3 });
    const broken = await failedDeploy(scene, { version: 2, broken: true });
    const isBack = (one: Ended): boolean =>
      one.code === 1 &&
      one.state === 'UPDATE_ROLLBACK_COMPLETE' &&
      one.live === before.live &&
      one.others === 0 &&
      one.versions === before.versions;
    const text = (one: Ended): string =>
      `${one.state} after ${one.seconds.toFixed(0)} s, exit code ${one.code}, the alias on version ${one.live} as before${one.others === 0 ? '' : ' with weights'}, ${one.versions} versions (${before.versions} before)`;
    return finding(
      isBack(refused) && isBack(broken),
      `A version that its gate refuses: ${text(refused)}. A resource that fails after the alias was changed: ${text(broken)}. ServiceTimeout was not reached.`,
    );
  },
};

type There = { readonly live: string; readonly others: number; readonly versions: number };
type Ended = There & { readonly code: number; readonly seconds: number; readonly state: string | undefined };

async function there({ clients, name }: Scene): Promise<There> {
  const { version, others } = await aliasOf(clients, functionOf(name));
  const { Versions = [] } = await clients.lambda.send(
    new ListVersionsByFunctionCommand({ FunctionName: functionOf(name) }),
  );
  return { live: version, others: Object.keys(others).length, versions: Versions.length - 1 };
}

async function failedDeploy(scene: Scene, change: Parameters<Scene['deploy']>[0]): Promise<Ended> {
  const since = Date.now();
  const { code } = await scene.deploy(change);
  // The command ends with the first failure, the stack when it is back.
  const { state } = await atRest(scene.clients, stackOf(scene.name), scene.signal);
  return { ...(await there(scene)), code, seconds: (Date.now() - since) / 1000, state };
}
