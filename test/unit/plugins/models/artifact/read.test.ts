import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readArtifact } from '../../../../../plugins/models/artifact/read.ts';

let serviceDir = '';
beforeEach(async () => {
  serviceDir = await mkdtemp(join(tmpdir(), 'read-'));
});
afterEach(() => rm(serviceDir, { recursive: true, force: true }));

const read = (reference: string) =>
  readArtifact(reference, { key: 'models.churn.artifact', serviceDir, progress: () => {} }, () => {});

it('a pointer of Git LFS is told as that: exporting the model again would not help', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4096\n`;
  await writeFile(join(serviceDir, 'churn.onnx'), pointer);
  await expect(read('churn.onnx')).rejects.toThrow(
    /^models\.churn\.artifact: The file is a pointer of Git LFS, .*`git lfs pull`.*MODELS_ARTIFACT_INVALID/,
  );
  await writeFile(join(serviceDir, 'churn.onnx'), 'version of something else');
  await expect(read('churn.onnx')).rejects.toThrow(/no ONNX model.*Export the model again/);
});
