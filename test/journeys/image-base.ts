/**
 * A base that needs no network: this machine’s Node and libraries, and the SDK, in the local AWS’s own ECR.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { LocalAws } from '../../local-aws/start.ts';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { filesBelow } from '../../plugins/models/disk/files.ts';
import { makeRepository, nodeImage, push, uriOf } from '../local-aws/images/image.ts';
import { repository } from '../serving/endpoint.ts';

/** What functions of ours ask for at Lambda’s own place of it. */
const SDK = ['client-s3', 'client-sqs', 'client-sfn'];

/** @returns `host/repository@sha256:…` of a base in a repository of its own */
export async function makeBase(aws: LocalAws): Promise<string> {
  const modules = await Promise.all(
    SDK.map(async (name) => {
      const { outputFiles } = await build({
        entryPoints: [join(repository, 'node_modules', '@aws-sdk', name)],
        bundle: true,
        write: false,
        platform: 'node',
        format: 'cjs',
      });
      return [
        `var/runtime/node_modules/@aws-sdk/${name}/index.js`,
        { data: outputFiles[0]?.text ?? '' },
      ] as const;
    }),
  );
  const image = await nodeImage('', {
    layers: [Object.fromEntries([...(await librariesOfRuntime()), ...modules])],
  });
  await makeRepository(aws, 'base');
  await push(aws, 'base', 'node', image);
  return uriOf('base', image.manifest.digest);
}

/** Node itself needs less of glibc than ONNX Runtime does. */
async function librariesOfRuntime() {
  const { folder } = await onnxFormat.runtime.onLambda.folder(
    process.arch === 'arm64' ? 'arm64' : 'x86_64',
    () => {},
  );
  const own = (await filesBelow(folder)).filter(({ path }) => /\.so(\.\d+)*$/.test(path));
  const asked = await Promise.all(own.map(({ from }) => promisify(execFile)('ldd', [from])));
  const paths = asked.flatMap(({ stdout }) => stdout.match(/\/(?:usr\/)?lib\S+(?= \()/g) ?? []);
  return Promise.all(
    [...new Set(paths)].map(
      async (path) => [posix.relative('/', path), { data: await readFile(path), mode: 0o755 }] as const,
    ),
  );
}
