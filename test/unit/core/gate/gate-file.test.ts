import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { gateFile } from '../../../../core/gate/gate-file.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const within = (objects: Readonly<Record<string, string>>) => ({
  get: async (key: string) => {
    const text = objects[key];
    return text === undefined ? undefined : { text, etag: '"1"' };
  },
});

it('gives the bytes that were packaged, and no others that lie under their digest', async () => {
  const cases = '\uFEFF{"inputs": [], "outputs": []}\n';
  const digest = sha256(cases);
  const read = (text: string): Promise<string> =>
    gateFile(within({ [`models/files/${digest}`]: text }), 'models/files/', digest, 'case file');
  expect(await read(cases)).toBe(cases);
  // Without a line there is nothing to fail at.
  for (const exchanged of ['', '\n', `${cases} `])
    await expect(read(exchanged)).rejects.toThrow(
      `the case file models/files/${digest} has other bytes than when it was packaged`,
    );
});

it('says what is not in the registry', async () => {
  await expect(gateFile(within({}), 'models/files/', 'c', 'file of labelled rows')).rejects.toThrow(
    'the file of labelled rows models/files/c is not in the registry',
  );
});
