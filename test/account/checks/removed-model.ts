import { paginateDescribeStackEvents } from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { aliasLogicalId } from '../../../plugins/models/declaration/naming.ts';
import { finding, type RunCheck } from '../check.ts';
import { asideOf, stackOf } from '../names.ts';
import { DEPLOY } from '../prices.ts';

export const removedModel: RunCheck = {
  name: 'removed-model',
  bullet: 'that the tag by which CloudFormation marks what a stack made',
  says: 'A policy may compare aws:ResourceTag of a function, and CloudFormation gives aws:cloudformation:stack-id to what it makes.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control.html',
  minutes: 20,
  use: DEPLOY,
  run: async ({ name, clients, ensure }) => {
    const FunctionName = asideOf(name);
    await clients.lambda.send(new GetFunctionCommand({ FunctionName }));
    // Version 2 with it: other checks need it, and a deploy takes minutes.
    await ensure({ aside: false, version: 2 });
    const isThere = await clients.lambda.send(new GetFunctionCommand({ FunctionName })).then(
      () => true,
      (error: Error) => {
        if (error.name === 'ResourceNotFoundException') return false;
        throw error;
      },
    );
    const statuses: string[] = [];
    for await (const page of paginateDescribeStackEvents(
      { client: clients.cloudFormation },
      { StackName: stackOf(name) },
    ))
      for (const { LogicalResourceId, ResourceStatus = '' } of page.StackEvents ?? [])
        if (LogicalResourceId === aliasLogicalId('aside') && ResourceStatus.startsWith('DELETE_'))
          statuses.unshift(ResourceStatus);
    return finding(
      !isThere && statuses.at(-1) === 'DELETE_COMPLETE',
      `A deploy without the model ${FunctionName}, in the stack ${stackOf(name)}: its alias went ${statuses.join(', ') || 'without an event'}; the function is ${isThere ? 'still there' : 'gone'}.`,
    );
  },
};
