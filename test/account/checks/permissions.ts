import { paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { finding, type RunCheck } from '../check.ts';
import { fieldsOf, linesOf } from '../logs.ts';
import { asideOf } from '../names.ts';

const DENIED = /AccessDenied|not authorized to perform|AuthorizationError/;

export const permissions: RunCheck = {
  name: 'permissions',
  bullet: 'that IAM on AWS reads the policies as the local one does',
  says: 'What no statement allows is denied, and the service’s answer names the action.',
  page: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html',
  minutes: 10,
  use: {},
  run: async ({ name, clients, signal }) => {
    const denied: string[] = [];
    const functions: string[] = [];
    let lines = 0;
    let gone = 0;
    for await (const page of paginateDescribeLogGroups(
      { client: clients.logs },
      { logGroupNamePrefix: `/aws/lambda/${name}-` },
    ))
      for (const { logGroupName = '' } of page.logGroups ?? [])
        functions.push(logGroupName.replace('/aws/lambda/', ''));
    for (const functionName of functions) {
      signal.throwIfAborted();
      for (const { text } of await linesOf(clients, functionName, 0)) {
        lines += 1;
        if (!DENIED.test(text)) continue;
        // The worker has no permission for the removed model any more, and its sweep asks for it once more.
        if (text.includes(asideOf(name)) || fieldsOf(text).name === 'aside') gone += 1;
        // The action is enough: what else a line has is nobody’s business.
        else denied.push(`${functionName}: ${deniedIn(text)}`);
      }
    }
    return finding(
      lines > 0 && denied.length === 0,
      `In ${lines} lines of ${functions.length} logs, written by functions that hold only the roles of this service: ${[...new Set(denied)].join('; ') || 'nothing was denied'}${gone > 0 ? ` but ${gone} looks of the sweep at the model that was removed` : ''}. The deploy policy was not tried: deploy a service of your own with a role that has it alone.`,
    );
  },
};

function deniedIn(text: string): string {
  const action = /to perform:? ([\w:]+)/.exec(text)?.[1] ?? 'an action that the line does not name';
  const resource = /on resource:? (arn:[^\s"\\]+)/.exec(text)?.[1]?.replace(/\.$/, '');
  return resource === undefined ? action : `${action} on ${resource.split(':').slice(5).join(':')}`;
}
