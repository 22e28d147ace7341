import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deployedRegistry } from '../../../../../aws/lambda/deployed-registry.ts';
import { type AwsConfig, waitingFor } from '../../../../../core/ports/config.ts';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { longestRelease } from '../../../../../plugins/models/releases/words/forecast.ts';
import { followReleases } from '../../../../../plugins/models/releases/worker/follow.ts';
import { releaseWorker } from '../../../../../plugins/models/releases/worker/worker.ts';
import { type Listening, startServer } from '../../../../fakes/hanging.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { deployed } from '../../../core/release/traffic.ts';

/**
 * No command waits without a bound: what AWS never answers ends as an error that says what may have happened.
 */

let server: Listening | undefined;
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
});

const aws: AwsConfig = { region: 'us-east-1' };
const WORKER = { name: 'shop-dev-models-release', stage: 'dev' };
const start = async (...args: Parameters<typeof startServer>): Promise<void> => {
  server = await startServer(...args);
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
};
const target = { model: 'churn', functionName: 'shop-dev-churn', alias: 'live' };
const command = { ...target, verb: 'rollback', by: 'me' } as const;

describe('a release worker that accepts and never answers', () => {
  it('ends a command, which is asked once and may have been done', async () => {
    await start();
    // Long enough for the request to be there, on a machine that is busy, too.
    const worker = releaseWorker(aws, WORKER, 6000);
    await expect(worker.command(command)).rejects.toMatchObject({
      code: 'MODELS_AWS',
      message:
        "models.churn: the release worker shop-dev-models-release did not answer within 6 s. rollback may have been done, or may still be done. See `sls models status --model churn --stage dev` for what is so now, and `sls logs -f models-release --stage dev` for why. `aws lambda update-alias --function-name shop-dev-churn --name live --routing-config 'AdditionalVersionWeights={}' --region us-east-1` takes a candidate’s weight away without the worker. [MODELS_AWS]",
    });
    expect(server?.asked()).toBe(1);
    worker.close();
  });

  it('ends a tick, once for all attempts', async () => {
    await start();
    const worker = releaseWorker(aws, WORKER, 300);
    const began = performance.now();
    await expect(worker.tick(target)).rejects.toThrow(/did not answer within 1 s\. See/);
    expect(performance.now() - began).toBeLessThan(30_000);
    worker.close();
  });
});

describe('a worker that is closed while it is asked', () => {
  it('is not asked again by the SDK, which would keep an interrupted command for minutes', async () => {
    await start();
    const worker = releaseWorker(aws, WORKER, 6000);
    const asked = worker.tick(target).catch((error: Error) => error);
    await expect.poll(() => server?.asked()).toBe(1);
    worker.close();
    expect(await asked).toMatchObject({ name: 'AbortError' });
    expect(server?.asked()).toBe(1);
  });
});

describe('a release that is followed while AWS is short of requests', () => {
  const fails = (errorType: string, times: number) => {
    let left = times;
    return start((_, response) => {
      left -= 1;
      response.writeHead(200, left < 0 ? {} : { 'x-amz-function-error': 'Unhandled' });
      const answer = { model: 'churn', phase: 'DONE', running: false };
      response.end(JSON.stringify(left < 0 ? answer : { errorType, errorMessage: 'Rate exceeded' }));
    });
  };
  const follow = async (): Promise<unknown> => {
    const worker = releaseWorker(aws, WORKER);
    const wait = async (): Promise<void> => {};
    return followReleases(worker, [target], () => {}, { wait }).finally(worker.close);
  };

  it.each(['TooManyRequestsException', 'ThrottlingException', 'SlowDown'])(
    'is followed on where the worker itself met %s',
    async (errorType) => {
      await fails(errorType, 4);
      expect(await follow()).toMatchObject([{ phase: 'DONE' }]);
      expect(server?.asked()).toBe(5);
    },
  );

  it('is left where the worker fails otherwise, three times in a row', async () => {
    await fails('AccessDeniedException', 4);
    await expect(follow()).rejects.toThrow(
      'the release worker shop-dev-models-release failed: Rate exceeded',
    );
    expect(server?.asked()).toBe(3);
  });
});

describe('the process of a command', () => {
  it('ends, once its error is out: nothing that was asked keeps it', async () => {
    await start();
    const module = pathToFileURL(resolve('plugins/models/releases/worker/worker.ts')).href;
    const script = `
      import { releaseWorker } from ${JSON.stringify(module)};
      const worker = releaseWorker({ region: 'us-east-1' }, ${JSON.stringify(WORKER)}, 300);
      const target = ${JSON.stringify(command)};
      await Promise.allSettled([worker.command(target), worker.tick(target)]);
      worker.close();
      console.log('told');`;
    const node = ['--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, node, { timeout: 300_000 });
    expect(stdout).toBe('told\n');
  });
});

describe('a command', () => {
  const POSSIBLY = {
    code: 'MODELS_AWS',
    message: expect.stringMatching(
      /rollback may have been done, or may still be done\. See `sls models status --model churn --stage dev`/,
    ),
  };

  it('is not repeated where its answer is lost, and may have been done', async () => {
    await start((request) => request.socket.destroy());
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toMatchObject(POSSIBLY);
    expect(server?.asked()).toBe(1);
    worker.close();
  });

  it('is not repeated after an error of Lambda’s own, and may have been done', async () => {
    await start((_, response) => {
      response.writeHead(500, { 'x-amzn-errortype': 'ServiceException' }).end('{}');
    });
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toMatchObject(POSSIBLY);
    expect(server?.asked()).toBe(1);
    worker.close();
  });

  it('may have been done where half of the answer came', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"done"');
      setImmediate(() => response.destroy());
    });
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toMatchObject(POSSIBLY);
    expect(server?.asked()).toBe(1);
    worker.close();
  });

  it('may have been done by a worker that failed after it had begun', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'x-amz-function-error': 'Unhandled' });
      response.end('{"errorMessage":"2026-11-29T03:00:00Z Task timed out after 300.00 seconds"}');
    });
    const worker = releaseWorker(aws, WORKER);
    const asked = worker.command(command);
    await expect(asked).rejects.toMatchObject(POSSIBLY);
    await expect(asked).rejects.toThrow(
      'models.churn: the release worker shop-dev-models-release failed: 2026-11-29T03:00:00Z Task timed out after 300.00 seconds.',
    );
    worker.close();
  });

  it('was not done where nobody could be reached', async () => {
    await start();
    await server?.close();
    server = undefined;
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toThrow(/^(?!.*may have been done).*ECONNREFUSED/);
    worker.close();
  });

  it('was not done where the caller may not ask the worker', async () => {
    await start((_, response) => {
      response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{"Message":"no"}');
    });
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    worker.close();
  });

  it('was not done where there is no worker, which is said', async () => {
    await start((_, response) => {
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{"Message":"no"}');
    });
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toThrow(
      'models.churn: there is no release worker shop-dev-models-release in us-east-1. Run `sls deploy --stage dev`, which also tells what helps where somebody deleted it; or name another --stage, --region or --aws-profile. [MODELS_NOT_DEPLOYED]',
    );
    worker.close();
  });

  it('was not done where Lambda lets nobody in, and says what helps without the worker', async () => {
    await start((_, response) => {
      response.writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' });
      response.end('{"message":"Rate Exceeded."}');
    });
    const worker = releaseWorker(aws, WORKER);
    await expect(worker.command(command)).rejects.toThrow(
      "models.churn: rollback was not done: Lambda did not let it in 3 times (Rate Exceeded). Try again: the concurrency of the account is used up, for example by a model under load. `aws lambda update-alias --function-name shop-dev-churn --name live --routing-config 'AdditionalVersionWeights={}' --region us-east-1` takes a candidate’s weight away without the worker. [MODELS_AWS]",
    );
    expect(server?.asked()).toBe(3);
    await expect(worker.command({ ...command, verb: 'hold' })).rejects.toThrow(/^(?!.*update-alias)/);
    worker.close();
  });

  it('is repeated where Lambda did not let it in', async () => {
    const answers = [429, 200];
    await start((_, response) => {
      const status = answers.shift() ?? 500;
      response.writeHead(status, { 'x-amzn-errortype': 'TooManyRequestsException' });
      response.end(status === 200 ? '{"done":false,"refused":"no"}' : '{}');
    });
    const worker = releaseWorker(aws, WORKER);
    expect(await worker.command(command)).toEqual({ done: false, refused: 'no' });
    worker.close();
  });
});

describe('AWS', () => {
  it('that never answers ends a call', async () => {
    await start();
    const sts = new STSClient({ ...waitingFor(aws, 200), maxAttempts: 1 });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'TimeoutError' });
    sts.destroy();
  });

  it('that stops in the middle of an answer ends a call', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' }).write('<Get');
    });
    const sts = new STSClient({ ...waitingFor(aws, 200), maxAttempts: 1 });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toThrow();
    sts.destroy();
  });
});

describe('the registry of the deployed worker', () => {
  it.each([
    [
      'is in its environment',
      200,
      '{"Environment":{"Variables":{"MODELS_REGISTRY_BUCKET":"old"}}}',
      '',
      'old',
    ],
    ['is not told without an environment', 200, '{}', '', undefined],
    ['is not told where there is no worker', 404, '{}', 'ResourceNotFoundException', undefined],
    ['is not told to who may not look', 403, '{}', 'AccessDeniedException', undefined],
  ])('%s', async (_, status, body, type, bucket) => {
    await start((__, response) => {
      response.writeHead(status, { 'x-amzn-errortype': type }).end(body);
    });
    expect(await deployedRegistry(aws, 'shop-dev-models-release')).toBe(bucket);
  });

  it('fails where AWS fails', async () => {
    await start((_, response) => {
      response.writeHead(400, { 'x-amzn-errortype': 'InvalidParameterValueException' }).end('{}');
    });
    await expect(deployedRegistry(aws, 'shop-dev-models-release')).rejects.toThrow();
  });
});

describe('a release that is followed to its end', () => {
  const bound = (...declared: object[]): number =>
    longestRelease(
      parseModels(
        Object.fromEntries(declared.map((release, at) => [`m${at}`, { artifact: 'a.onnx', release }])),
      ).models,
    ) / 60_000;

  it('is followed for the sum of its bakes and waits, an hour and a margin', () => {
    const steps = [
      { weight: 5, bake: '10m' },
      { weight: 50, bake: '20m' },
    ];
    expect(bound({ strategy: 'canary', steps, maxWait: '1h' })).toBe(10 + 20 + 2 * 60 + 60 + 10);
    expect(bound({ strategy: 'allAtOnce' })).toBe(70);
  });

  it('beyond the deadline at which its worker gives it up, for the slowest of all', async () => {
    const w = await deployed(CANARY);
    const { deadline = '', startedAt = '', settings } = w.state() ?? {};
    const release = { ...CANARY, steps: settings?.steps ?? [] } as Model['release'];
    const worker = Date.parse(deadline) - Date.parse(startedAt);
    expect(longestRelease([{ release: { ...release, steps: [] } }, { release }])).toBeGreaterThan(worker);
  });

  it('of nothing ends', () => {
    expect(bound()).toBe(70);
  });
});
