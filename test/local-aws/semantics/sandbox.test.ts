import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sandbox-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const HANDLER = `export const handler = (event) => {
  console.log('got ' + event);
  if (event === 'ends') process.exit(1);
  if (event === 'fails later') Promise.reject(new Error('later'));
  return event;
};`;

/** An environment on a busy machine: what the function writes is read a while after it was written. */
const PROGRAM = `import json, os, sys, time
from semantics.functions.sandbox import Sandbox

def late(output):
    for line in output:
        time.sleep(0.4)
        yield line

class Late(Sandbox):
    def files(self):
        return os.environ["TMPDIR"], None, []
    def credentials(self):
        return {}
    def _start(self, reports):
        proc, output = super()._start(reports)
        return proc, late(output)

config = {"FunctionName": "late", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:late",
          "Handler": "late.handler", "Runtime": "nodejs24.x", "Timeout": 20}
one = Late(config)
for number, event in enumerate(json.load(sys.stdin)):
    answer = one.run(json.dumps(event).encode(), str(number), invoked_function_arn=config["FunctionArn"])
    print(json.dumps([line.split("\\t")[1:] for line in answer["log"]]))
one.kill()`;

/**
 * Each request's log is its own, and whole:
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
 */
it('a log that is read late is of the request that wrote it', async () => {
  await writeFile(join(dir, 'late.mjs'), HANDLER);
  const ran = spawnSync(await awsPython(console.error), ['-c', PROGRAM], {
    cwd: localAws,
    input: JSON.stringify(['one', 'two', 'fails later', 'ends', 'three']),
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      TMPDIR: dir,
      MODELS_AWS_CODE: dir,
      MODELS_AWS_ROOT: join(localAws, '..'),
      MODELS_AWS_NODE: process.execPath,
      MODELS_AWS_SPEED: '1',
      GATEWAY_PORT: '1',
    },
  });
  const logs = ran.stdout.trim().split('\n');
  const got = (number: number, event: string) => [`${number}`, 'INFO', `got ${event}`];
  expect(
    logs.map((line): unknown => JSON.parse(line)),
    ran.stderr,
  ).toEqual([[got(0, 'one')], [got(1, 'two')], [got(2, 'fails later')], [got(3, 'ends')], [got(4, 'three')]]);
});
