import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { clientEnv, localAws } from '../../../local-aws/start.ts';
import { prepareService } from '../../journeys/service.ts';
import { errorName } from '../lambda.ts';

async function aws(...args: string[]): Promise<{ code: number; text: string }> {
  return promisify(execFile)(process.execPath, [join(localAws, 'aws.ts'), ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === 'object' && address ? address.port : 0);
}

describe('npm run aws', () => {
  it('starts one that stays, says what is on it, and ends it', async () => {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    try {
      const started = await aws('start', '--port', port, '--endpoint', 'churn-prod=http://127.0.0.1:9');
      expect(started.text).toContain(`AWS_ENDPOINT_URL=${endpoint}`);
      expect((await aws('status', '--port', port)).text).toContain('Nothing is deployed on it.');
      const runtime = new SageMakerRuntimeClient({ ...client(endpoint), maxAttempts: 1 });
      const asked = runtime.send(new InvokeEndpointCommand({ EndpointName: 'churn-prod', Body: '{}' }));
      // Nothing listens there; an endpoint that is not named would be a ValidationError.
      expect(await errorName(asked)).toBe('ServiceUnavailable');
      runtime.destroy();
      const again = await aws('start', '--port', port);
      expect(again.code).not.toBe(0);
      expect(again.text).toContain(`Port ${port} is taken`);
      const service = await prepareService(
        {
          yaml: `
service: shown
provider: {name: aws, runtime: nodejs24.x}
functions: {hello: {handler: handler.hello, events: [{httpApi: GET /hello}]}}
`,
          files: { 'handler.mjs': 'export const hello = async () => ({statusCode: 200, body: "hi"});' },
        },
        { endpoint, env: clientEnv(endpoint), logFile: '', stop: async () => {} },
      );
      await service.deploy();
      const status = (await aws('status', '--port', port)).text;
      expect(status).toMatch(/shown-dev \(UPDATE_COMPLETE\)/);
      const [url] = /http:\/\/127\.0\.0\.1:\d+\/_aws\S+/.exec(status) ?? [];
      expect(await (await fetch(`${url}/hello`)).text()).toBe('hi');
      await service.remove();
    } finally {
      expect((await aws('stop', '--port', port)).text).toContain('has ended');
    }
    expect(await aws('status', '--port', port)).toMatchObject({ code: 3 });
    expect((await aws('stop', '--port', port)).text).toContain('No local AWS runs');
  });

  it('explains itself', async () => {
    expect(await aws('dance')).toMatchObject({ code: 2 });
    expect((await aws()).text).toContain('npm run aws -- start');
    expect(await aws('start', '--speed', '0')).toMatchObject({ code: 2 });
    expect(await aws('start', '--endpoint', 'churn-prod')).toMatchObject({ code: 2 });
  });
});
