import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4096\n`;
const external = join(import.meta.dirname, '../../../../fixtures/models/external');

it('a pointer of Git LFS is told as that: exporting the model again would not help', async () => {
  await writeFile(join(serviceDir, 'churn.onnx'), pointer);
  await expect(read('churn.onnx')).rejects.toThrow(
    /^models\.churn\.artifact: The file is a pointer of Git LFS, .*`git lfs pull`.*MODELS_ARTIFACT_INVALID/,
  );
  await writeFile(join(serviceDir, 'churn.onnx'), 'version of something else');
  await expect(read('churn.onnx')).rejects.toThrow(/no ONNX model.*Export the model again/);
});

it('weights that are a pointer of Git LFS beside a graph that is none are told as that', async () => {
  await cp(external, join(serviceDir, 'churn'), { recursive: true });
  await writeFile(join(serviceDir, 'churn', 'weights/w.bin'), pointer);
  await expect(read('churn')).rejects.toThrow(
    /^models\.churn\.artifact: The graph keeps weights in weights\/w\.bin, a pointer of Git LFS .*`git lfs pull`/,
  );
});

it.each(['model.onnx', 'weights/w.bin'])('%s that this user may not read is told as that', async (denied) => {
  for (const copy of ['churn', 'good']) await cp(external, join(serviceDir, copy), { recursive: true });
  await chmod(join(serviceDir, 'churn', denied), 0);
  await mkdir(join(serviceDir, 'cache'));
  for (const path of ['', 'cache']) await chmod(join(serviceDir, path), 0o777);
  // Root may read anything.
  const nobody = process.getuid?.() === 0 ? 'process.setuid(65534);' : '';
  const program = `
    const { readArtifact } = await import(${JSON.stringify(import.meta.resolve('../../../../../plugins/models/artifact/read.ts'))});
    const context = { key: 'models.churn.artifact', serviceDir: ${JSON.stringify(serviceDir)}, progress: () => {} };
    // What it loads may lie where nobody may look.
    await readArtifact('good', context, () => {});
    ${nobody}
    await readArtifact('churn', context, () => {}).catch((error) => process.stdout.write(error.message));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, SERVERLESS_MODELS_CACHE: join(serviceDir, 'cache') },
  });
  expect(stdout).toMatch(
    new RegExp(
      `^models\\.churn\\.artifact: This user may not read \\S+${denied} \\(EACCES\\)\\. Let .*MODELS_ARTIFACT_MISSING`,
    ),
  );
});
