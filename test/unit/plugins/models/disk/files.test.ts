import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { digestOf, sha256Of } from '../../../../../plugins/models/disk/files.ts';

it('the sha256 of an artifact is that of what `sha256sum` prints of its files, as docs/artifact.md says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'files-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const paths = ['model.onnx', 'model.onnx.data'];
  for (const path of paths) await writeFile(join(folder, path), `the content of ${path}`);
  const files = await Promise.all(
    paths.map(async (path) => ({ path, sha256: await sha256Of(join(folder, path)) })),
  );
  const printed = execFileSync('sha256sum', paths, { cwd: folder });
  expect(digestOf(files.toReversed())).toBe(createHash('sha256').update(printed).digest('hex'));
});
