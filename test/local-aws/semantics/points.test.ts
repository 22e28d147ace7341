import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

/**
 * Python: points of four hours that come in any order, some at a time, and are looked at in between; in the
 * middle all but the newest hour are thrown away. Each look is held against all points, passed through.
 */
const PROGRAM = `
import json, random
from ministack.services import cloudwatch
from semantics.metrics import points
chance = random.Random(7)
kept, looks, wrong, found = [], 0, [], 0
for turn in range(400):
    for _ in range(chance.randrange(6)):
        kept.append({"Timestamp": chance.choice([float, int])(chance.random() * 14_400), "Value": 1.0})
    if turn == 200:
        kept[:] = [point for point in kept if point["Timestamp"] >= 10_800]
    start = chance.choice([chance.random() * 14_400, chance.randrange(240) * 60])
    end = start + chance.choice([60, 300, 90.5, 86_400])
    expected = [point for point in kept if start <= point["Timestamp"] < end]
    got = points.within(kept, start, end)
    looks, found = looks + 1, found + len(got)
    read = chance.randrange(len(kept) + 1)
    came = points.came(kept, kept, read, start, end)
    fresh = any(start <= point["Timestamp"] < end for point in kept[read:])
    others = [points.came(kept, list(kept), read, start, end), points.came([], [], 0, start, end)]
    if sorted(map(id, got)) != sorted(map(id, expected)) or came != fresh or others != [bool(kept), False]:
        wrong.append([turn, start, end, len(got), len(expected)])
print(json.dumps({"looks": looks, "found": found, "wrong": wrong}))
`;

it('points of some minutes are those of all points, whatever came since and whatever went', async () => {
  const { stdout } = await promisify(execFile)(await awsPython(() => {}), ['-c', PROGRAM], {
    env: { ...process.env, PYTHONPATH: localAws, PYTHONPYCACHEPREFIX: byteCode },
  });
  const { looks, found, wrong } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(wrong).toEqual([]);
  expect(looks).toBe(400);
  expect(found).toBeGreaterThan(1000);
});
