import { describe, expect, it } from 'vitest';
import { isMalformed } from '../../../../../core/registry/document.ts';
import type { Registry } from '../../../../../core/registry/port.ts';
import { command as batch } from '../../../../../plugins/models/commands/batch.ts';
import { command as card } from '../../../../../plugins/models/commands/card.ts';
import { command as drift } from '../../../../../plugins/models/commands/drift.ts';
import { command as history } from '../../../../../plugins/models/commands/history.ts';
import { command as hold } from '../../../../../plugins/models/commands/hold.ts';
import { command as promote } from '../../../../../plugins/models/commands/promote.ts';
import { command as report } from '../../../../../plugins/models/commands/report.ts';
import { command as resume } from '../../../../../plugins/models/commands/resume.ts';
import { command as rollback } from '../../../../../plugins/models/commands/rollback.ts';
import { command as status } from '../../../../../plugins/models/commands/status.ts';
import {
  type Command,
  type Context,
  mustName,
  runCommand,
} from '../../../../../plugins/models/context/context.ts';
import {
  wellDeclaredModel,
  wellDeclaredModels,
} from '../../../../../plugins/models/context/well-declared.ts';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import type { Problem } from '../../../../../plugins/models/problems/errors.ts';
import { aliasTarget } from '../../../../../plugins/models/releases/alias-target.ts';
import { chosenModel } from '../../../../../plugins/models/releases/chosen.ts';
import { openRegistry, registryFix } from '../../../../../plugins/models/releases/open.ts';
import { startServer } from '../../../../fakes/hanging.ts';
import { fakeWorld, LIVE } from '../../../../fakes/world.ts';
import { live } from '../../../core/release/traffic.ts';

const problem: Problem = {
  code: 'MODELS_INVALID_VALUE',
  key: 'models.fraud.memory',
  message: '64 is below 128 MB.',
  fix: 'Write 128 or more.',
};

describe('a problem elsewhere in serverless.yml', () => {
  const verbs = { status, history, promote, rollback, hold, resume, drift, report };
  /** What a command says, with nothing of it done. */
  async function outcomeOf(command: Pick<Command, 'onProblems'>, flags: Context['flags'] = {}) {
    const printed: string[] = [];
    const warned: string[] = [];
    let hasRun = false;
    const run = async (): Promise<void> => {
      hasRun = true;
    };
    const context = {
      flags,
      problems: [problem, { ...problem, key: 'custom.models.alerts' }],
      print: (text: string) => printed.push(text),
      warning: (text: string) => warned.push(text),
      progress: () => {},
    } as unknown as Context;
    const failed = await runCommand({ ...command, usage: '', options: {}, run }, context).catch(
      (error: Error) => error.message,
    );
    process.exitCode = undefined;
    return { printed, warned, hasRun, failed };
  }

  it.each(Object.entries(verbs))('is a warning for %s, which goes on', async (_, command) => {
    const warned = [
      'models.fraud.memory: 64 is below 128 MB. Write 128 or more. [MODELS_INVALID_VALUE]',
      'custom.models.alerts: 64 is below 128 MB. Write 128 or more. [MODELS_INVALID_VALUE]',
    ];
    expect(await outcomeOf(command)).toEqual({ printed: [], warned, hasRun: true, failed: undefined });
    expect(await outcomeOf(command, { json: true })).toEqual({
      printed: [],
      warned,
      hasRun: true,
      failed: undefined,
    });
  });

  it('stops a command that reads the declarations', async () => {
    expect(await outcomeOf(card)).toMatchObject({
      warned: [],
      hasRun: false,
      failed: expect.stringContaining('64'),
    });
  });

  describe('and models of which one is declared wrongly', () => {
    const parsed = parseModels({
      churn: { artifact: 'a.onnx', batch: [{ input: 's3://inbox/a/', output: 's3://outbox/a/' }] },
      fraud: { artifact: 'b.onnx', memory: 64 },
    });
    const given = (flags: Context['flags']) => {
      const warned: string[] = [];
      const { models, names, problems } = parsed;
      return {
        models,
        declared: names,
        problems,
        flags,
        warned,
        warning: (line: string) => warned.push(line),
      };
    };

    it('lets a command go on with the others, which fails in the end', () => {
      const all = given({});
      expect(wellDeclaredModels(all).map(({ name }) => name)).toEqual(['churn']);
      expect(all.warned).toEqual(['Left out, since serverless.yml is wrong there: fraud.']);
      expect(process.exitCode).toBe(1);
      process.exitCode = undefined;
      const one = given({ model: 'churn' });
      expect(wellDeclaredModels(one).map(({ name }) => name)).toEqual(['churn']);
      expect(one.warned).toEqual([]);
      expect(process.exitCode).toBeUndefined();
      expect(() => wellDeclaredModels({ ...all, models: [] })).toThrow('models.fraud.memory');
    });

    it('takes no other model for the one that is meant', () => {
      expect(() => wellDeclaredModel(given({}))).toThrow('--model: is missing. Name one of churn, fraud.');
      expect(() => wellDeclaredModel(given({ model: 'fraud' }))).toThrow('models.fraud.memory');
      expect(() => wellDeclaredModel(given({ model: 'fruad' }))).toThrow(
        'fruad is not a model of this service.',
      );
    });

    it.each([
      [{ failed: true }, true],
      [{ status: true }, true],
      [{ input: 's3://inbox/a/b.csv' }, false],
      [{ adopt: true }, false],
    ])('lets batch look, and start nothing: %j', async (flags, isLooking) => {
      const printed: string[] = [];
      const { warned, ...rest } = given({ ...flags, model: 'churn' });
      const aws = {
        region: 'eu-west-1',
        credentials: () => Promise.reject(new Error('asked')),
      };
      const context = {
        ...rest,
        aws,
        service: { name: 'shop', stage: 'dev', region: 'eu-west-1', stack: 'shop-dev' },
        plan: { host: { service: 'shop', stage: 'dev', functions: {} } },
        print: (line: string) => printed.push(line),
        progress: () => {},
      } as unknown as Context;
      const failed = await runCommand(batch, context).catch((error: Error) => error.message);
      expect(warned.filter((line) => line.includes('models.fraud.memory'))).toHaveLength(isLooking ? 1 : 0);
      expect(failed).toContain(isLooking ? 'asked' : 'models.fraud.memory');
    });
  });
});

describe('which model a command is about', () => {
  const recorded = async (): Promise<readonly string[]> => ['churn', 'gone'];
  const of = (declared: readonly string[], model?: string) =>
    chosenModel({ declared, flags: { ...(model !== undefined && { model }) } }, recorded);

  it.each([
    ['the only one that is declared', ['churn'], undefined, 'churn'],
    ['one that is named', ['churn', 'fraud'], 'fraud', 'fraud'],
    ['one that only the registry knows', ['churn'], 'gone', 'gone'],
  ])('%s', async (_, declared, model, wanted) => {
    expect(await of(declared, model)).toBe(wanted);
  });

  it('the only one of the registry, where none is declared', async () => {
    expect(await chosenModel({ declared: [], flags: {} }, async () => ['gone'])).toBe('gone');
  });

  it('none that nobody knows, and says whom', async () => {
    await expect(of(['fraud'], 'chrun')).rejects.toThrow(
      '--model: chrun is neither declared nor in the registry. Name one of fraud, churn, gone. [MODELS_USAGE]',
    );
    await expect(of([])).rejects.toThrow('--model: is missing. Name one of churn, gone.');
  });

  it('is asked for before AWS is, where several are declared', () => {
    expect(() => mustName({ declared: ['a', 'b'], flags: {} })).toThrow(
      '--model: is missing. Name one of a, b.',
    );
    expect(() => mustName({ declared: ['a', 'b'], flags: { model: 'a' } })).not.toThrow();
  });
});

describe('where a model is served', () => {
  const host = { service: 'shop', stage: 'dev' } as Host;
  const service = { name: 'shop', stage: 'dev' };
  const { models } = parseModels({
    churn: { artifact: 'a.onnx' },
    named: { artifact: 'a.onnx', function: { name: 'own-name' } },
  });
  const documents = (functionName?: string): Pick<Registry, 'release'> => ({
    release: async () =>
      functionName === undefined
        ? undefined
        : {
            etag: '',
            text: '',
            core: { schema: 1, functionName, alias: 'live', highest: 1 },
          },
  });
  const at = (
    model: string,
    recorded: string | undefined,
    deployed: readonly string[] = [],
    given: readonly Model[] = models,
  ) =>
    aliasTarget(model, { models: given, host }, service, documents(recorded), async (name) =>
      deployed.includes(name),
    ).then(({ functionName }) => functionName);

  it('as declared, before a first release', async () => {
    expect(await at('churn', undefined)).toBe('shop-dev-churn');
    expect(await at('named', undefined)).toBe('own-name');
  });

  it('as its document says, where its declaration is broken or gone', async () => {
    expect(await at('named', 'own-name', [], [])).toBe('own-name');
    expect(await at('gone', 'shop-dev-gone')).toBe('shop-dev-gone');
  });

  it('as its document says, where the declared name is not deployed yet', async () => {
    expect(await at('named', 'old-name', ['old-name'])).toBe('old-name');
    expect(await at('named', 'old-name', ['old-name', 'own-name'])).toBe('own-name');
  });

  it('by the usual name, where nothing tells', async () => {
    expect(await at('unknown', undefined)).toBe('shop-dev-unknown');
  });

  it('also to who may not read the registry; a damaged document is told', async () => {
    const denied = { release: () => Promise.reject(new Error('AccessDenied')) };
    const exists = async (): Promise<boolean> => true;
    expect(await aliasTarget('churn', { models, host }, service, denied, exists)).toMatchObject({
      functionName: 'shop-dev-churn',
    });
    const w = fakeWorld();
    w.objects.objects.set(LIVE, { text: '{', etag: '1' });
    await expect(aliasTarget('churn', { models, host }, service, w.world.registry, exists)).rejects.toSatisfy(
      isMalformed,
    );
  });
});

describe('a document that is damaged', () => {
  /** AWS, as far as the registry goes: a caller, and one object. */
  async function fixFor(text: string): Promise<string> {
    const server = await startServer((request, response) => {
      if (request.method === 'POST')
        response.end(
          '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/me</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
        );
      else response.end(text);
    });
    const before = process.env.AWS_ENDPOINT_URL;
    process.env.AWS_ENDPOINT_URL = server.url;
    const credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
    const service = { name: 'shop', stage: 'prod', region: 'eu-west-1' };
    const { documents, close } = await openRegistry(
      { region: 'eu-west-1', credentials },
      service,
      '127.0.0.1',
    );
    try {
      await documents.release('churn');
      throw new Error('not damaged');
    } catch (error) {
      return registryFix(error, 'otherwise');
    } finally {
      close();
      await server.close();
      if (before === undefined) delete process.env.AWS_ENDPOINT_URL;
      else process.env.AWS_ENDPOINT_URL = before;
    }
  }

  it('is put back, or moved aside after the weight is gone; deleting it is never advised', async () => {
    const text = JSON.stringify((await live()).state()).replace('"highest"', '"hihgest"');
    const fix = await fixFor(text);
    expect(
      fix
        .replaceAll('. Without', '.\nWithout')
        .replaceAll('; ', ';\n')
        .replace(': `aws s3api', ':\n`aws s3api'),
    ).toMatchInlineSnapshot(`
      "Put an earlier version of s3://127.0.0.1/models/1/eu-west-1/shop/prod/releases/churn/live.json back:
      \`aws s3api list-object-versions --bucket 127.0.0.1 --prefix models/1/eu-west-1/shop/prod/releases/churn/live.json --region eu-west-1\` lists those that a bucket with versioning keeps, \`aws s3api copy-object --bucket 127.0.0.1 --key models/1/eu-west-1/shop/prod/releases/churn/live.json --copy-source '127.0.0.1/models/1/eu-west-1/shop/prod/releases/churn/live.json?versionId=<id>' --region eu-west-1\` puts one back.
      Without one, take the weight away first: \`aws lambda update-alias --function-name shop-dev-churn --name live --routing-config 'AdditionalVersionWeights={}' --region eu-west-1\`;
      then move the object aside: \`aws s3 mv s3://127.0.0.1/models/1/eu-west-1/shop/prod/releases/churn/live.json s3://127.0.0.1/models/1/eu-west-1/shop/prod/releases/churn/live.json.damaged --region eu-west-1\`;
      then \`sls deploy --stage prod\`, which goes on from where the alias is and knows no refusals and no last good version."
    `);
    expect(fix).not.toMatch(/delete/);
  });

  it('of which not even the function can be read is by the usual name', async () => {
    expect(await fixFor('{')).toContain('--function-name shop-prod-churn --name live');
  });

  it('has no bearing on other errors', () => {
    expect(registryFix(new Error('AccessDenied'), 'otherwise')).toBe('otherwise');
    // What S3 answers where a bucket of another region is asked for an object.
    const elsewhere = Object.assign(new Error('The bucket must be addressed using the specified endpoint.'), {
      name: 'PermanentRedirect',
      $metadata: { httpStatusCode: 301 },
    });
    expect(registryFix(elsewhere, 'otherwise')).toContain(
      'name a bucket of this region in `custom.models.registry`',
    );
  });
});
