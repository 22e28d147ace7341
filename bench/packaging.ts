import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inTurns, run, WORK } from './children.ts';
import type { Effort, Sample } from './claims.ts';
import { models, progress, runtime } from './stage.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SLS = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
const PLUGIN = pathToFileURL(join(root, 'plugins', 'models', 'plugin.ts')).href;

const NAMES = ['cnn', 'minilm', ...Array.from({ length: 8 }, (_, i) => `small-${i}`)];

/** JSON is YAML. Both services have one function of their own, so that there is something to package. */
function serviceOf(extra: object): string {
  return JSON.stringify({
    service: 'bench',
    provider: { name: 'aws', runtime: 'nodejs24.x', region: 'us-east-1' },
    package: { patterns: ['!**', 'hello.mjs'] },
    functions: { hello: { handler: 'hello.handler' } },
    ...extra,
  });
}

async function prepare(name: string, extra: object): Promise<string> {
  const folder = join(WORK, 'services', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // The framework takes a plugin's path only inside the service's folder.
  await writeFile(join(folder, 'plugin.mjs'), `export { default } from ${JSON.stringify(PLUGIN)};\n`);
  await writeFile(join(folder, 'serverless.yml'), serviceOf(extra));
  await writeFile(join(folder, 'hello.mjs'), "export const handler = async () => 'hello';\n");
  return folder;
}

/** @returns seconds of one `sls package` */
async function packageOnce(cwd: string): Promise<number> {
  const { PATH = '', HOME = '', SERVERLESS_MODELS_CACHE, XDG_CACHE_HOME } = process.env;
  const { end } = await run({
    program: process.execPath,
    args: [SLS, 'package'],
    cwd,
    env: {
      PATH,
      HOME,
      ...(SERVERLESS_MODELS_CACHE && { SERVERLESS_MODELS_CACHE }),
      ...(XDG_CACHE_HOME && { XDG_CACHE_HOME }),
      // Nothing is asked of AWS; these keep the framework from looking for a profile.
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      SLS_NOTIFICATIONS_MODE: 'off',
      SLS_TELEMETRY_DISABLED: '1',
    },
  });
  return end / 1000;
}

/**
 * `sls package` of one service with the plugin and ten models, and without; the models are as they were
 * before.
 */
export async function packaging({ repeats }: Effort): Promise<Sample> {
  const folder = await models();
  await runtime();
  const declared = Object.fromEntries(
    NAMES.map((name) => [name, { artifact: join(folder, `${name}.onnx`) }]),
  );
  const sides = {
    ours: await prepare('with', { plugins: ['./plugin.mjs'], models: declared }),
    other: await prepare('without', {}),
  };
  progress('Packaging ten models for the first time');
  await packageOnce(sides.ours);
  const template = join(sides.ours, '.serverless', 'cloudformation-template-update-stack.json');
  const { Resources }: { Resources: Record<string, { Type: string }> } = JSON.parse(
    await readFile(template, 'utf8'),
  );
  const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function').length;
  if (functions <= NAMES.length) throw new Error(`${functions} functions were packaged, not every model`);
  return inTurns(repeats, {
    ours: () => packageOnce(sides.ours),
    other: () => packageOnce(sides.other),
  });
}
