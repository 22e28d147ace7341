import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { makeFunction, withAndWithout } from '../lambda.ts';

const DEEP = 20_000;

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
describe('payloads', () => {
  it('reach the function and come back as they were written, and must be JSON', async () => {
    const { on, off } = await withAndWithout('exact', async (aws) => {
      const code = `export const handler = async (event) => {
        if (!Array.isArray(event)) return event;
        let depth = 0;
        for (let at = event; Array.isArray(at); at = at[0]) depth++;
        return depth; };`;
      await makeFunction(aws, { name: 'same', code });
      const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
      const send = (payload: string): Promise<string> =>
        lambda.send(new InvokeCommand({ FunctionName: 'same', Payload: payload })).then(
          (answer) => answer.Payload?.transformToString() ?? '',
          (error: Error) => error.name,
        );
      const result = {
        text: await send('{ "s": "\\ud800 \u2028",\n\t"__proto__": {"a": 1}, "n": 1e-7 }'),
        infinite: await send('{"n":1e999}'),
        deep: await send('['.repeat(DEEP) + ']'.repeat(DEEP)),
        nan: await send('{"n":NaN}'),
        none: await send('inputs=1'),
      };
      lambda.destroy();
      return result;
    });
    expect(on).toEqual({
      text: '{"s":"\\ud800 \u2028","__proto__":{"a":1},"n":1e-7}',
      infinite: '{"n":null}',
      deep: String(DEEP),
      nan: 'InvalidRequestContentException',
      none: 'InvalidRequestContentException',
    });
    expect(off).not.toEqual(on);
  });
});
