// Installs what this checkout lacks, then runs the named program under the project's own Node 24:
//   node test/with.mjs <file.ts> [args…]
// A plain script: it must start under whatever Node is there (20 or newer) before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';
const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (done.status !== 0) {
    console.error(`${command} ${args.join(' ')} failed (${done.error?.message ?? `exit ${done.status}`}).`);
    process.exit(1);
  }
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Node ${process.versions.node} is too old: install Node 20 or newer.`);
  process.exit(1);
}
if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  console.error('Installing the npm packages of package-lock.json (about 400 MB on disk, half a minute) …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: windows });
}
if (!existsSync(node)) {
  // npm may be set not to run install scripts; this one only puts the platform's Node package in place.
  console.error('Installing Node 24 for this project (about 120 MB on disk) …');
  run(process.execPath, ['installArchSpecificPackage.js'], { cwd: join(root, 'node_modules', 'node') });
}

const [file, ...args] = process.argv.slice(2);
const child = spawn(node, [join(root, file), ...args], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: `${dirname(node)}${windows ? ';' : ':'}${join(root, 'node_modules', '.bin')}${windows ? ';' : ':'}${process.env.PATH}`,
  },
});
// The program cleans up after itself; we only wait for it and pass its end on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
