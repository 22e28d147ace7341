import type { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { setMemorySize } from '../../../../aws/lambda/memory-size.ts';

const refusal = (name: string, status: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

/** Lambda, which says one thing after the other; an error is thrown. */
function lambda(...says: readonly (Error | object)[]) {
  const asked: string[] = [];
  const client = {
    send: async (command: object) => {
      asked.push(command.constructor.name.replace(/Command$/, ''));
      const said = says[asked.length - 1] ?? { LastUpdateStatus: 'Successful' };
      if (said instanceof Error) throw said;
      return said;
    },
  } as unknown as LambdaClient;
  return { client, asked };
}

const set = (client: LambdaClient, ended = new AbortController().signal) =>
  setMemorySize(client, 'shop-dev-churn', 512, '512 MB, round 1', { pause: async () => {}, ended });

const [UPDATE, LOOK] = ['UpdateFunctionConfiguration', 'GetFunctionConfiguration'];

describe('another memory size', () => {
  it('is asked for once more where an update, whose answer was lost, is under way', async () => {
    const { client, asked } = lambda(refusal('ResourceConflictException', 409), {
      LastUpdateStatus: 'InProgress',
    });
    expect(await set(client)).toBe('ok');
    expect(asked).toEqual([UPDATE, LOOK, LOOK, UPDATE, LOOK]);
  });

  it('is given up where others update it without end', async () => {
    const always = Array.from({ length: 200 }, () => refusal('ResourceConflictException', 409));
    const { client } = lambda(...always.flatMap((error) => [error, { LastUpdateStatus: 'Successful' }]));
    await expect(set(client)).rejects.toThrow('ResourceConflictException');
  });

  it('that the account may not have is refused, and another error is none of that', async () => {
    const { client } = lambda(refusal('InvalidParameterValueException', 400));
    expect(await set(client)).toEqual({ refused: 'InvalidParameterValueException' });
    await expect(set(lambda(refusal('TooManyRequestsException', 429)).client)).rejects.toThrow('TooMany');
  });
});
