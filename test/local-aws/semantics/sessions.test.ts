import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

/** Python: eight environments a time ask for credentials, beside thousands that are known. */
const PROGRAM = `
import json, sys, threading
from ministack.services import sts
from semantics.functions import runtime
runtime.install()
sys.setswitchinterval(1e-6)
sts._sessions.update({f"known-{i}": {} for i in range(3000)})
failed = []
def start(number):
    try:
        for i in range(20):
            sts.register_session(f"{number}-{i}", {"Expiration": 9e9})
    except Exception as error:
        failed.append(str(error))
threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps({"failed": failed, "sessions": len(sts._sessions)}))
`;

/** https://docs.aws.amazon.com/lambda/latest/dg/concurrent-executions.html */
it('environments that start at once get their credentials, so that no event waits for one that could not', async () => {
  const { stdout } = await promisify(execFile)(await awsPython(() => {}), ['-c', PROGRAM], {
    env: { ...process.env, PYTHONPATH: localAws, PYTHONPYCACHEPREFIX: byteCode },
  });
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({ failed: [], sessions: 3160 });
});
