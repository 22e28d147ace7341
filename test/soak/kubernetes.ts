import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Manifest, writtenManifests } from '../export/cases.ts';
import { REFUSED, type SeededFault, TAKEN, withFault } from '../export/faults.ts';
import { KUBERNETES, moduleFile } from './kubernetes/built.ts';
import { type ApiAnswer, type ApiServer, startApiServer } from './kubernetes/server.ts';

const CASES = join(import.meta.dirname, '..', 'export', 'cases');
const KEDA = 'github.com/kedacore/keda/v2@v2.21.0';
const NAMESPACE = 'shop';

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  HorizontalPodAutoscaler: 'horizontalpodautoscalers',
};

/**
 * What is exported for Kubernetes, at a real API server: it takes each object, with no field that it does not
 * know and no warning, and refuses each with a fault in it. Pods keep the strictest of its standards.
 */
export async function kubernetesObjects(): Promise<string> {
  const server = await startApiServer();
  try {
    await prepare(server);
    const written = [...(await writtenManifests())].filter(([, { kind }]) => kind !== 'Kustomization');
    for (const [path, object] of written) {
      const file = await readFile(join(CASES, path.replace('/', '/written/')), 'utf8');
      mustTake(path, await dryRun(server, object, file));
    }
    const objects = written.map(([, object]) => object);
    const of = ({ kind }: SeededFault): Manifest => {
      const found = objects.find((object) => object.kind === kind);
      if (found === undefined) throw new Error(`There is no ${kind}.`);
      return found;
    };
    for (const fault of REFUSED) {
      const { status, message } = await dryRun(server, withFault(of(fault), fault));
      if (status < 400 || status > 499) throw new Error(`${fault.kind} with ${fault.name} was taken`);
      console.error(`${fault.kind} with ${fault.name}: ${status} ${message}`);
    }
    // Else a rule of ours would be for nothing.
    for (const fault of TAKEN) {
      const { status, message } = await dryRun(server, withFault(of(fault), fault));
      if (status !== 201)
        throw new Error(`${fault.kind} with ${fault.name} is refused by itself: ${message}`);
    }
    const pods = objects.filter(({ kind }) => kind === 'Deployment');
    for (const deployment of pods) await keepsStandards(server, deployment);
    const models = await applied(server, [...new Set(written.map(([path]) => path.split('/')[0] ?? ''))]);
    return `Kubernetes ${KUBERNETES}: ${objects.length} objects of ${models} models taken, ${REFUSED.length} faults refused, ${TAKEN.length} taken that rules of ours find, ${pods.length} restricted pods`;
  } finally {
    await server.stop();
  }
}

/** A namespace that takes restricted pods only, and KEDA’s own definition of its objects. */
async function prepare(server: ApiServer): Promise<void> {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/enforce-version': 'latest',
  };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } };
  mustTake('a namespace', await server.ask('POST', '/api/v1/namespaces', JSON.stringify(namespace)));
  const definition = await moduleFile(KEDA, 'config/crd/bases/keda.sh_scaledobjects.yaml');
  mustTake(
    'KEDA',
    await server.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition),
  );
  const path = `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledobjects`;
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await server.ask('GET', path)).status === 200) return;
    await sleep(200);
  }
  throw new Error('The API server does not learn KEDA’s objects');
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run and #field-validation */
function dryRun(server: ApiServer, object: Manifest, body = JSON.stringify(object)): Promise<ApiAnswer> {
  const version = String(object.apiVersion);
  const plural = PLURALS[object.kind] ?? `${object.kind.toLowerCase()}s`;
  const group = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
  return server.ask(
    'POST',
    `${group}/namespaces/${NAMESPACE}/${plural}?dryRun=All&fieldValidation=Strict`,
    body,
  );
}

function mustTake(what: string, { status, message, warnings }: ApiAnswer): void {
  if (status !== 201 || warnings.length > 0)
    throw new Error(`${what} is not taken: ${status} ${message} ${warnings.join('; ')}`);
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
async function keepsStandards(server: ApiServer, deployment: Manifest): Promise<void> {
  const { template } = deployment.spec as { readonly template: { readonly spec: object } };
  const pod = { ...template, apiVersion: 'v1', kind: 'Pod', metadata: { name: 'model' } };
  mustTake('a pod', await dryRun(server, pod));
  const open = withFault(pod, {
    name: '',
    kind: 'Pod',
    at: 'spec.securityContext.seccompProfile',
    value: undefined,
  });
  const { status } = await dryRun(server, open);
  if (status !== 403) throw new Error('a pod without a seccomp profile was taken');
}

/** As a person does: applied, then exported again with another image and applied over it. */
async function applied(server: ApiServer, models: readonly string[]): Promise<number> {
  for (const name of models) {
    const folder = await mkdtemp(join(tmpdir(), 'soak-kubernetes-'));
    try {
      await cp(join(CASES, name, 'written'), folder, { recursive: true });
      const args = ['apply', '--namespace', NAMESPACE, '--server-side', '--validate=strict', '-k', folder];
      const tried = await server.kubectl([...args, '--dry-run=server']);
      if (tried.match(/serverside-applied \(server dry run\)/g)?.length !== 5)
        throw new Error(`kubectl says ${tried}`);
      await server.kubectl([...args]);
      const file = join(folder, 'deployment.yaml');
      const next = (await readFile(file, 'utf8')).replace(
        /@sha256:[0-9a-f]{64}/,
        `@sha256:${'a1'.repeat(32)}`,
      );
      await writeFile(file, next);
      const again = await server.kubectl(args);
      if (!again.includes('deployment.apps/')) throw new Error(`kubectl says ${again}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return models.length;
}
