// Installs what this checkout lacks, then runs the named program under the project's own Node 24:
//   node test/with.mjs <file.ts> [args…]
// A plain script: it must start under whatever Node is there (20 or newer) before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';
const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
const bin = join(root, 'node_modules', '.bin');

const [file, ...args] = process.argv.slice(2);
// MiniStack needs Python 3.10; some of the packages that the tests compare with, 3.11.
const minor = file === 'test/all.ts' ? 11 : 10;

/** What must be there before anything is downloaded; every lack is told at once, each with its cure. */
async function lacks() {
  const missing = [];
  if (Number(process.versions.node.split('.')[0]) < 20) {
    missing.push(`Node ${process.versions.node} is too old. Install Node 20 or newer.`);
  }
  if (spawnSync('npm', ['--version'], { shell: windows }).status !== 0) {
    missing.push('npm is not on the PATH. Install it; it comes with Node.');
  }
  const python = spawnSync('python3', [
    '-c',
    `import sys, venv, ensurepip; sys.exit(sys.version_info < (3, ${minor}))`,
  ]);
  if (python.status !== 0) {
    missing.push(
      `Python 3.${minor} or newer with venv is needed. On Debian: apt install python3 python3-venv.`,
    );
  }
  const disk = statfsSync(root);
  const free = (disk.bavail * disk.bsize) / 2 ** 30;
  if (free < 3) missing.push(`${free.toFixed(1)} GB of disk are free here, 3 GB are needed.`);
  const port = await new Promise((done) => {
    const server = createServer().once('error', () => done(undefined));
    server.listen(0, '127.0.0.1', () => server.close(() => done(true)));
  });
  if (port === undefined) missing.push('No port can be opened on 127.0.0.1.');
  return missing;
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (done.status === 0) return;
  console.error(`${command} ${args.join(' ')} failed: ${done.error?.message ?? `exit ${done.status}`}.`);
  process.exit(1);
}

const installed = existsSync(join(root, 'node_modules', '.package-lock.json'));
if (!installed || !existsSync(node)) {
  const missing = await lacks();
  if (missing.length > 0) {
    console.error(missing.join('\n'));
    process.exit(1);
  }
  console.error(
    [
      'First run of this checkout. It will download, once:',
      '  npm packages and Node 24         about 150 MB   half a minute',
      '  ONNX Runtime (npm tarball)       114 MB         a few seconds, kept in your cache folder',
      '  a local AWS (PyPI ministack)     about 30 MB    half a minute',
      '  for npm test: Python’s ONNX, scikit-learn, tritonclient, cfn-lint   about 250 MB   two minutes',
      '  for npm test: two older frameworks, the bench’s peers               about 130 MB   meanwhile',
      'Everything else stays in this folder (node_modules, .local).',
    ].join('\n'),
  );
}
if (!installed) run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: windows });
// npm may be set not to run install scripts; this one only puts the platform's own Node package in place.
if (!existsSync(node)) {
  run(process.execPath, ['installArchSpecificPackage.js'], { cwd: join(root, 'node_modules', 'node') });
}

const separator = windows ? ';' : ':';
const child = spawn(node, [join(root, file), ...args], {
  stdio: 'inherit',
  // ONNX Runtime of Python, which is not ours, would tell Microsoft that it runs.
  env: {
    ORT_DISABLE_TELEMETRY: '1',
    ...process.env,
    PATH: [dirname(node), bin, process.env.PATH].join(separator),
  },
});
// The program cleans up after itself; we only pass signals on, wait for it, and end as it ended.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
