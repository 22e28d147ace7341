/**
 * The frameworks that the plugin is for, each as its own real command line. osls 4 is the development
 * dependency; the others are installed once into `.local/frameworks/<name>`.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lock } from '../../local-aws/venv.ts';
import { firstAlone, runAlone, runWarm } from '../warm-sls.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const TIMEOUT_MS = 280_000;

export type Framework = { readonly name: string; readonly spec?: string; readonly bin: string };

export const osls4: Framework = {
  name: 'osls-4',
  bin: join(root, 'node_modules', 'osls', 'bin', 'serverless.js'),
};
const installed = (name: string, spec: string): Framework => ({
  name,
  spec,
  bin: join(
    root,
    '.local',
    'frameworks',
    name,
    'node_modules',
    spec.replace(/@.*/, ''),
    'bin',
    'serverless.js',
  ),
});
export const osls3 = installed('osls-3', 'osls@3.77.1');
export const serverless3 = installed('serverless-3', 'serverless@3.40.0');
export const frameworks: readonly Framework[] = [osls4, osls3, serverless3];

/** Installs a framework unless this very version is there; several processes may ask at once. */
export async function install({ name, spec }: Framework): Promise<void> {
  if (spec !== undefined) await installIn(join(root, '.local', 'frameworks', name), [spec]);
}

/**
 * Installs packages into a folder of their own, unless these very versions are there. What they name as peers
 * is not installed: serverless-offline would bring Serverless 4 in, which asks for a login.
 */
export async function installIn(folder: string, specs: readonly string[]): Promise<void> {
  const mark = join(folder, 'installed');
  const wanted = specs.join(' ');
  const isInstalled = async (): Promise<boolean> => (await readFile(mark, 'utf8').catch(() => '')) === wanted;
  if (await isInstalled()) return;
  await mkdir(dirname(folder), { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (await isInstalled()) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{"private":true}');
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    const args = ['install', ...quiet, '--legacy-peer-deps', ...specs];
    await promisify(execFile)('npm', args, { cwd: folder, shell: process.platform === 'win32' });
    await writeFile(mark, wanted);
  } finally {
    await unlock();
  }
}

/** What a command left: `output` is both streams, as a person reads them. */
export type Run = { readonly code: number; readonly stdout: string; readonly output: string };

/** The environment of a command without AWS: no credentials, no instance metadata. */
function slsEnv(): Record<string, string | undefined> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS_|SLS_|NODE_OPTIONS|VITEST)/.test(name)),
  );
  return {
    ...inherited,
    AWS_EC2_METADATA_DISABLED: 'true',
    SLS_TELEMETRY_DISABLED: '1',
    SLS_NOTIFICATIONS_MODE: 'off',
    NO_COLOR: '1',
  };
}

const asked =
  (run: typeof runWarm) =>
  async (
    { bin }: Framework,
    cwd: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Run> => {
    const command = { bin, cwd, args, env: { ...slsEnv(), ...env }, timeout: TIMEOUT_MS };
    const { code, stdout, stderr } = await run(command);
    return { code: code === 0 ? 0 : 1, stdout, output: `${stdout}${stderr}` };
  };

/** Runs the framework in a folder, in a process of its own, as a person does. */
export const ownSls = asked(runAlone);
/** The same, but what ran so before is run by a process that has run commands before. */
export const sls = asked(firstAlone);
/** For cases whose command is run by its own process in other cases. */
export const warmSls = asked(runWarm);

/**
 * A service in a folder of its own: its files, the plugin from source, a model of 124 bytes. A framework
 * takes a plugin by path from within the service only, hence the link.
 */
export async function service(
  framework: Framework,
  name: string,
  source: string | { readonly yaml: string },
): Promise<string> {
  const folder = join(root, '.local', 'golden', framework.name, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'models'), { recursive: true });
  if (typeof source === 'string') await cp(source, folder, { recursive: true });
  else await writeFile(join(folder, 'serverless.yml'), source.yaml);
  await symlink(join(root, 'plugins', 'models', 'plugin.ts'), join(folder, 'plugin.ts'));
  await cp(join(root, 'test', 'fixtures', 'models', 'add.onnx'), join(folder, 'models', 'churn.onnx'));
  await writeFile(join(folder, 'own.mjs'), 'export const handler = async () => ({ statusCode: 204 });\n');
  return folder;
}

export type Template = {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties: Readonly<Record<string, unknown>>;
        readonly [key: string]: unknown;
      }
    >
  >;
  readonly Outputs: Readonly<Record<string, unknown>>;
};

export async function templateIn(folder: string): Promise<Template> {
  return JSON.parse(
    await readFile(join(folder, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8'),
  );
}
