import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';
import {
  type Aliases,
  deletedBesideModels,
  deletedFunctions,
  goneLines,
  isMadeFunction,
  type LogicalIds,
  lastLines,
  ofAnotherStack,
} from '../../../../../plugins/models/releases/removed-models.ts';
import { deployed, live, minutes } from '../../../core/release/traffic.ts';

/** A registry that knows these models, and a stack that has these aliases. */
async function lines(
  known: readonly string[],
  aliases: readonly string[],
  declared: readonly string[],
  release?: Release,
): Promise<{ readonly lines: readonly string[]; readonly asked: number }> {
  let asked = 0;
  const documents = {
    models: async () => known,
    release: async (model: string) => ({
      etag: '1',
      text: '{}',
      ...(release && { release }),
      core: { schema: 1, functionName: `shop-dev-${model}`, alias: 'live', highest: 1 },
    }),
  };
  const found = await goneLines(documents, declared, async () => {
    asked += 1;
    return new Set(aliases);
  });
  return { lines: found, asked };
}

describe('what a deploy says of models that are no longer declared', () => {
  it('nothing where all are, and the stack is not asked', async () => {
    expect(await lines(['churn'], ['ChurnLiveAlias'], ['churn', 'fraud'])).toEqual({ lines: [], asked: 0 });
  });

  it('that they are deleted with their endpoints', async () => {
    const { lines: printed } = await lines(
      ['churn', 'fraud'],
      ['ChurnLiveAlias', 'FraudLiveAlias'],
      ['churn'],
    );
    expect(printed).toEqual([
      'fraud: is no longer declared, and this deploy deletes it with its endpoint shop-dev-fraud.',
    ]);
  });

  it('that a release which runs ends with it', async () => {
    const w = await deployed();
    await minutes(w, 3, { 3: 0.01, 4: 0.01 });
    const { lines: printed } = await lines(['fraud'], ['FraudLiveAlias'], ['churn'], w.state());
    expect(printed[0]).toContain(
      'endpoint shop-dev-fraud. Its release (JUDGING, version 4 at 5 %) ends with it. If churn is its new name',
    );
  });

  it('what a rename is, where others are new', async () => {
    const { lines: printed } = await lines(['fraud'], ['FraudLiveAlias'], ['fraud-v2', 'scoring']);
    expect(printed).toEqual([
      'fraud: is no longer declared, and this deploy deletes it with its endpoint shop-dev-fraud. ' +
        'If fraud-v2 or scoring is its new name: a rename is a delete and a create, without a canary.',
    ]);
  });

  it('nothing of those that an earlier deploy deleted: the registry keeps their history', async () => {
    expect(await lines(['churn', 'fraud'], ['ChurnLiveAlias'], ['churn'])).toEqual({ lines: [], asked: 1 });
  });
});

describe('what a deploy without any model says', () => {
  const aliases =
    (...ids: readonly string[]) =>
    async () =>
      new Set(ids);
  const denied = () => Promise.reject(new Error('AccessDenied'));

  it('is nothing where there were none, and then the registry is not looked for', async () => {
    expect(await lastLines(aliases(), denied)).toEqual([]);
    expect(await lastLines(denied, denied)).toEqual([]);
  });

  it('is what it deletes', async () => {
    const read = async () => ['fraud: is no longer declared'];
    expect(await lastLines(aliases('FraudLiveAlias'), read)).toEqual(['fraud: is no longer declared']);
  });

  it('is how many where the registry does not tell which', async () => {
    expect(await lastLines(aliases('FraudLiveAlias'), denied)).toEqual([
      '1 model is no longer declared, and this deploy deletes its endpoint.',
    ]);
    expect(await lastLines(aliases('FraudLiveAlias', 'ChurnLiveAlias'), async () => undefined)).toEqual([
      '2 models are no longer declared, and this deploy deletes their endpoints.',
    ]);
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
describe('a function that somebody deleted', () => {
  const target = { model: 'churn', functionName: 'shop-dev-churn', alias: 'live' };
  const found = async (isThere: boolean, aliases: Aliases, functionName = target.functionName) => {
    const recorded = new Map([['churn', (await deployed()).state() as Release]]);
    const there = isThere ? recorded : new Map();
    return deletedFunctions([{ ...target, functionName }], recorded, there, aliases);
  };
  const stacked: Aliases = async () => new Set(['ChurnLiveAlias']);

  it('and the stack still has is refused, with the way out', async () => {
    expect((await found(false, stacked)).map(formatProblem)).toEqual([
      'models.churn: Somebody deleted its function shop-dev-churn, and the stack still has it. CloudFormation does not make it again: leave the model out of one deploy, and declare it again in the next. [MODELS_NOT_DEPLOYED]',
    ]);
  });

  it('is no obstacle where the stack has it no more, gets another name for it, or cannot be asked', async () => {
    expect(await found(false, async () => new Set())).toEqual([]);
    expect(await found(false, stacked, 'shop-dev-other')).toEqual([]);
    expect(await found(false, () => Promise.reject(new Error('AccessDenied')))).toEqual([]);
  });

  it('is not asked for where it is there', async () => {
    expect(await found(true, () => Promise.reject(new Error('asked')))).toEqual([]);
  });
});

describe('a function that the stack of another name made', () => {
  const AT = 'arn:aws:cloudformation:us-east-1:123456789012:stack';
  const told = async (made: string, aliases: Aliases, functionName = 'shop-dev-churn') => {
    const recorded = (await live()).state() as Release;
    const release = { ...recorded, stack: `${AT}/${made}/1`, functionName: 'shop-dev-churn' };
    return ofAnotherStack(
      [{ model: 'churn', functionName, alias: 'live' }],
      new Map([['churn', release]]),
      { stack: 'shop-dev', stage: 'dev' },
      aliases,
    );
  };
  const none: Aliases = async () => new Set();

  it('is refused with the name that the stack has', async () => {
    expect((await told('shop', none)).map(formatProblem).join()).toContain('Set provider.stackName: shop.');
  });

  it('is none of the same stack, of a nested one, of a name that it does not get, or of a stack that cannot be asked', async () => {
    expect(await told('shop-dev', none)).toEqual([]);
    expect(await told('shop-dev-ReleasesNestedStack-1ABC', none)).toEqual([]);
    expect(await told('shop', none, 'store-dev-churn')).toEqual([]);
    expect(await told('shop', () => Promise.reject(new Error('denied')))).toEqual([]);
    expect(await told('shop', async () => new Set(['ChurnLiveAlias']))).toEqual([]);
  });
});

describe('a function of ours that is no model’s own', () => {
  const id = 'ModelsDashreleaseLambdaFunction';
  const worker = { key: 'models', id, functionName: 'shop-dev-models-release' };
  const stacked = async () => new Set([id]);
  const found = async (exists: () => Promise<boolean>, functions: LogicalIds) =>
    (await deletedBesideModels([worker], { exists, functions })).map(formatProblem);

  it('and that somebody deleted is refused, with what makes it again', async () => {
    expect(await found(async () => false, stacked)).toEqual([
      'models: Somebody deleted the function shop-dev-models-release, and the stack still has it. No deploy makes it again, but a drift-aware change set should: docs/release.md, “A deleted function”, has the commands. [MODELS_NOT_DEPLOYED]',
    ]);
  });

  it('is no obstacle of a stack that is gone or was never complete, nor to whoever may not ask', async () => {
    const denied = () => Promise.reject(new Error('AccessDenied'));
    expect(
      await found(
        async () => false,
        async () => new Set(),
      ),
    ).toEqual([]);
    expect(await found(async () => false, denied)).toEqual([]);
    expect(await found(denied, stacked)).toEqual([]);
  });

  it('is none that a failed deploy never made: its other functions and aliases are there', async () => {
    const named = (status: string, type = 'AWS::Lambda::Function') => isMadeFunction({ id, type, status });
    const made = ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_FAILED', 'DELETE_FAILED'];
    const never = ['CREATE_FAILED', 'CREATE_IN_PROGRESS', 'DELETE_COMPLETE'];
    expect([...made, ...never].filter((status) => named(status))).toEqual(made);
    expect(named('CREATE_COMPLETE', 'AWS::IAM::Role')).toBe(false);
    const others = async () => new Set(['ChurnLambdaFunction', 'ModelsDashdriftLambdaFunction']);
    expect(await found(async () => false, others)).toEqual([]);
  });
});
