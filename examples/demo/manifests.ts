import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { byteCode, isVenvCurrent, venvPython } from '../../local-aws/venv.ts';
import { TEST_VENV } from '../../test/python.ts';

const run = promisify(execFile);

/** The environment of the tests where it is there; else a smaller one of its own. @returns its interpreter */
export async function validatorsPython(): Promise<string> {
  if (await isVenvCurrent(TEST_VENV)) return venvPython(TEST_VENV);
  return venvPython({
    ...TEST_VENV,
    name: 'venv-manifests',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    who: 'The demo with an image',
    announce:
      'cfn-lint and kubernetes-validate: installing into .local/venv-manifests (about 150 MB, half a minute) …',
  });
}

const env = { ...process.env, PYTHONPYCACHEPREFIX: byteCode };

/** Schemas that kubernetes-validate has. */
const KUBERNETES = '1.37';

/** @throws with what the schemas of Kubernetes say against one of the files */
export async function keepsKubernetes(python: string, folder: string): Promise<string> {
  // The list of files is kustomize’s, no object of Kubernetes.
  const names = (await readdir(folder)).filter((name) => name !== 'kustomization.yaml');
  const files = names.map((name) => join(folder, name));
  const args = ['-m', 'kubernetes_validate', '--strict', '--kubernetes-version', KUBERNETES, ...files];
  const { stdout, stderr } = await run(python, args, { env }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`kubernetes-validate: ${error.stdout || error.stderr || error.message}`);
    },
  );
  const taken = files.filter((file) => `${stdout}${stderr}`.includes(`INFO ${file} passed`));
  if (taken.length !== files.length || files.length === 0)
    throw new Error(`kubernetes-validate says nothing of some of ${names.join(', ')}: ${stdout}${stderr}`);
  return `kubernetes-validate --strict takes ${taken.map((file) => basename(file)).join(', ')}: schemas of Kubernetes ${KUBERNETES}`;
}

/** @throws with what cfn-lint finds */
export async function keepsCloudFormation(python: string, template: string): Promise<string> {
  const start = 'import sys; from cfnlint.runner import main; sys.exit(main())';
  await run(python, ['-c', start, '--format', 'parseable', '--', template], { env }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`cfn-lint: ${error.stdout || error.stderr || error.message}`);
    },
  );
  return `cfn-lint finds nothing in ${basename(template)}`;
}
