/**
 * Writes layers/onnxruntime/layer.json for another version of ONNX Runtime:
 *   node test/with.mjs test/ship/pin.ts 1.31.0
 * Then read the difference: new files in the package, a library that grew, a dependency that Lambda does not
 * have.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import layer from '../../layers/onnxruntime/layer.json' with { type: 'json' };
import { npmPack } from '../../plugins/models/disk/npm.ts';
import { tarFiles } from '../../plugins/models/disk/tar.ts';

const version = process.argv[2] ?? layer.version;
/** Lambda's architectures by the name Node gives them; the other targets serve developers' machines. */
const LAMBDA: Record<string, { architecture: string; machine: number }> = {
  'linux-x64': { architecture: 'x86_64', machine: 62 },
  'linux-arm64': { architecture: 'arm64', machine: 183 },
};
/** CommonJS only: the endpoint finds it by `require`, since NODE_PATH does not count for `import`. */
const WANTED: Record<string, RegExp> = {
  'onnxruntime-node': /^(package\.json|dist\/.*\.js)$/,
  'onnxruntime-common': /^(package\.json|dist\/cjs\/.*\.js(on)?)$/,
};

type Files = Record<string, { sha256: string; bytes: number }>;
const packages: Record<string, { integrity: string; bytes: number; files: Files }> = {};
const targets: Record<string, { lambda?: { architecture: string; machine: number }; files: Files }> = {};
for (const [name, wanted] of Object.entries(WANTED)) {
  const spec = `${name}@${version}`;
  const integrity: string = JSON.parse(
    execFileSync('npm', ['view', spec, 'dist.integrity', '--json'], { encoding: 'utf8' }),
  );
  const folder = await mkdtemp(join(tmpdir(), 'pin-'));
  try {
    const tarball = await npmPack(spec, integrity, folder);
    const files: Files = {};
    let bytes = 0;
    const stream = createReadStream(tarball);
    for await (const { path, body } of tarFiles(stream.pipe(createGunzip()))) {
      const inside = path.replace(/^[^/]+\//, '');
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of body) {
        hash.update(chunk);
        size += chunk.length;
      }
      const file = { sha256: hash.digest('hex'), bytes: size };
      // macOS's library is there twice; the binding asks for the short name.
      if (/\.\d+\.\d+\.\d+\.dylib$/.test(inside)) continue;
      const native = /^bin\/[^/]+\/([^/]+)\/([^/]+)\//.exec(inside);
      if (wanted.test(inside)) files[inside] = file;
      else if (native) {
        const target = `${native[1]}-${native[2]}`;
        const lambda = LAMBDA[target];
        targets[target] ??= { ...(lambda ? { lambda } : {}), files: {} };
        targets[target].files[inside] = file;
      }
    }
    bytes = stream.bytesRead;
    packages[name] = { integrity, bytes, files: ordered(files) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
for (const target of Object.values(targets)) target.files = ordered(target.files);
await writeFile(
  new URL('../../layers/onnxruntime/layer.json', import.meta.url),
  `${JSON.stringify({ ...layer, version, packages, targets: ordered(targets) }, null, 2)}\n`,
);

function ordered<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
