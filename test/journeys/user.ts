/** Users of the local AWS who may do what docs/deploy-policy.md says, and no more. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../local-aws/start.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { blocks } from '../unit/docs/pages.ts';

export type Statement = {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
};

export type User = {
  /** Environment of a command that is theirs. */
  readonly env: LocalAws['env'];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** This, and nothing else. */
  may(statements: readonly Statement[]): Promise<void>;
};

export async function makeUser(aws: LocalAws, UserName: string): Promise<User> {
  const call = async <T>(work: (iam: IAMClient) => Promise<T>): Promise<T> => {
    const iam = new IAMClient(client(aws.endpoint));
    return work(iam).finally(() => iam.destroy());
  };
  const { AccessKey } = await call(async (iam) => {
    await iam.send(new CreateUserCommand({ UserName }));
    return iam.send(new CreateAccessKeyCommand({ UserName }));
  });
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
  return {
    env: { ...aws.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    credentials: { accessKeyId, secretAccessKey },
    may: async (Statement) => {
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      await call((iam) =>
        iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'documented', PolicyDocument })),
      );
    },
  };
}

/** The statements of the page's policy that has this text (a Sid, an ARN), for a service in the stage dev. */
export function documented(
  sid: string,
  names: Readonly<Record<'SERVICE', string>> & Readonly<Record<string, string>>,
): readonly Statement[] {
  const found = blocks('json').find(
    ({ page, text }) => page === 'docs/deploy-policy.md' && text.includes(`"${sid}"`),
  );
  const text = Object.entries({ ...names, ACCOUNT, REGION, STAGE: 'dev' }).reduce(
    (policy, [name, value]) => policy.replaceAll(name, value),
    found?.text ?? '',
  );
  const policy = JSON.parse(text) as { readonly Statement: readonly Statement[] } | readonly Statement[];
  return 'Statement' in policy ? policy.Statement : policy;
}
