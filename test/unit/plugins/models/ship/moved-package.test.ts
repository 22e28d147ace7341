import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownZips } from '../../../../../plugins/models/ship/moved-package.ts';

let folder = '';
let state = '';
beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'moved-')), '.serverless');
  mkdirSync(folder);
  state = join(folder, 'serverless-state.json');
});
afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const write = (functions: object) =>
  writeFileSync(state, JSON.stringify({ service: { functions }, package: {} }));
const zipOf = (path: string) => ({ package: { individually: true, artifact: path }, events: [] });

it('a package of another folder has its own zips, not those that lie where it was made', async () => {
  const hello = { package: { artifact: '/elsewhere/.serverless/hello.zip' } };
  const there = {
    churn: zipOf('/elsewhere/.serverless/churn.zip'),
    fraud: zipOf('C:\\elsewhere\\.serverless\\fraud.zip'),
  };
  write({ ...there, hello, image: { image: 'uri' } });
  await ownZips(folder, ['churn', 'fraud', 'image', 'gone', 'constructor']);
  expect(JSON.parse(readFileSync(state, 'utf8'))).toEqual({
    service: {
      functions: {
        churn: zipOf(join(folder, 'churn.zip')),
        fraud: zipOf(join(folder, 'fraud.zip')),
        hello,
        image: { image: 'uri' },
      },
    },
    package: {},
  });
});

it('one that is where it was made stays as it is, and what is none is left to the framework', async () => {
  const own = { churn: zipOf(join(folder, 'churn.zip')) };
  write(own);
  const before = readFileSync(state, 'utf8');
  await ownZips(folder, ['churn']);
  expect(readFileSync(state, 'utf8')).toBe(before);
  for (const text of ['no JSON', '[]', '{"service": 1}']) {
    writeFileSync(state, text);
    await ownZips(folder, ['churn']);
    expect(readFileSync(state, 'utf8')).toBe(text);
  }
  rmSync(state);
  await ownZips(folder, ['churn']);
});
