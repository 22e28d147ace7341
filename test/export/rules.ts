/**
 * What is wrong with a model’s objects that schemas let pass: numbers that contradict each other, names that
 * lead nowhere, and what a reviewer would send back although the API server takes it.
 */
import { QUEUE_PER_WORKER } from '../../core/host/admission.ts';
import { HOST_GRPC_PORT, HOST_LIMITS } from '../../core/host/contract.ts';
import type { Manifest } from './cases.ts';

type Anything = { readonly [key: string]: unknown };

/** A value below, by path; undefined where there is none. */
function within(object: unknown, path: string): unknown {
  let at = object;
  for (const part of path.split('.')) at = (at as Anything | undefined | null)?.[part];
  return at;
}
const numberAt = (object: unknown, path: string): number => Number(within(object, path));
const recordAt = (object: unknown, path: string) =>
  (within(object, path) ?? {}) as Readonly<Record<string, string>>;
const listAt = (object: unknown, path: string) => (within(object, path) ?? []) as readonly Anything[];

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
function quantity(text: unknown): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(String(text)) ?? [];
  const units: Readonly<Record<string, number>> = {
    '': 1,
    m: 0.001,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
  };
  return number === '' ? Number.NaN : Number(number) * (units[unit] ?? Number.NaN);
}

const POD = 'spec.template.spec';
const BOX = `${POD}.containers.0`;
const LABEL = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

type Rule = readonly [
  kind: string,
  says: string,
  holds: (one: Manifest, all: readonly Manifest[]) => boolean,
];

const isBetween = (value: number, least: number, most: number): boolean => value >= least && value <= most;

/** Does it choose the pods of the one Deployment? */
function selects(selector: Readonly<Record<string, string>>, all: readonly Manifest[]): boolean {
  const labels = recordAt(deploymentOf(all), 'spec.template.metadata.labels');
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

const deploymentOf = (all: readonly Manifest[]) => all.find(({ kind }) => kind === 'Deployment');
const portsOf = (all: readonly Manifest[]) => listAt(deploymentOf(all), `${BOX}.ports`);

const targets = (one: Manifest, all: readonly Manifest[]): boolean =>
  within(one, 'spec.scaleTargetRef.kind') === 'Deployment' &&
  within(one, 'spec.scaleTargetRef.name') === within(deploymentOf(all), 'metadata.name');

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'];

const RULES: readonly Rule[] = [
  [
    '*',
    'has labels that are none',
    (one) =>
      Object.values(recordAt(one, 'metadata.labels')).every(
        (value) => value.length <= 63 && LABEL.test(value),
      ),
  ],
  [
    'Deployment',
    'has an image without a digest',
    (one) => /^\S+@sha256:[0-9a-f]{64}$/.test(String(within(one, `${BOX}.image`))),
  ],
  [
    'Deployment',
    'selects other pods than it makes',
    (one, all) => selects(recordAt(one, 'spec.selector.matchLabels'), all),
  ],
  [
    'Deployment',
    'has a number of replicas beside an autoscaler',
    (one) => within(one, 'spec.replicas') === undefined,
  ],
  [
    'Deployment',
    'has quantities that are none, or asks for more than its limits',
    (one) =>
      ['cpu', 'memory'].every((name) => {
        const asked = quantity(within(one, `${BOX}.resources.requests.${name}`));
        return asked > 0 && asked <= quantity(within(one, `${BOX}.resources.limits.${name}`));
      }),
  ],
  [
    'Deployment',
    'could not scale: one process alone does not reach the target',
    (one) =>
      Math.floor(quantity(within(one, `${BOX}.resources.limits.cpu`))) >=
      quantity(within(one, `${BOX}.resources.requests.cpu`)),
  ],
  [
    'Deployment',
    'is ended before the host has drained',
    (one) => {
      const pause = numberAt(one, `${BOX}.lifecycle.preStop.sleep.seconds`);
      const drain = (HOST_LIMITS.drainMs + HOST_LIMITS.requestMs) / 1000;
      return (
        pause > 0 && numberAt(one, `${POD}.terminationGracePeriodSeconds`) > pause + drain + QUEUE_PER_WORKER
      );
    },
  ],
  [
    'Deployment',
    'asks probes of a port that is not there',
    (one, all) =>
      PROBES.every((name) =>
        portsOf(all).some((port) => port.name === within(one, `${BOX}.${name}.httpGet.port`)),
      ),
  ],
  [
    'Deployment',
    'has a port that the host does not open',
    (one) => {
      const opened: Readonly<Record<string, string>> = { http: 'PORT', grpc: HOST_GRPC_PORT };
      const env = listAt(one, `${BOX}.env`);
      const isSet = (name: string) => env.some((variable) => variable.name === name);
      const ports = listAt(one, `${BOX}.ports`);
      return (
        isSet(HOST_GRPC_PORT) === ports.some(({ name }) => name === 'grpc') &&
        ports.every(({ name, containerPort }) =>
          env.some(
            (variable) => variable.name === opened[String(name)] && variable.value === String(containerPort),
          ),
        )
      );
    },
  ],
  [
    'Deployment',
    'mounts a volume that is not there',
    (one) => {
      const names = listAt(one, `${POD}.volumes`).map(({ name }) => name);
      return listAt(one, `${BOX}.volumeMounts`).every(({ name }) => names.includes(name));
    },
  ],
  [
    'Deployment',
    'has a volume without a size',
    (one) =>
      listAt(one, `${POD}.volumes`).every((volume) => quantity(within(volume, 'emptyDir.sizeLimit')) > 0),
  ],
  [
    'Deployment',
    'may do more than compute',
    (one) =>
      within(one, `${POD}.automountServiceAccountToken`) === false &&
      within(one, `${POD}.securityContext.runAsNonRoot`) === true &&
      within(one, `${POD}.securityContext.seccompProfile.type`) === 'RuntimeDefault' &&
      within(one, `${BOX}.securityContext.readOnlyRootFilesystem`) === true &&
      within(one, `${BOX}.securityContext.allowPrivilegeEscalation`) === false &&
      String(within(one, `${BOX}.securityContext.capabilities.drop`)) === 'ALL' &&
      within(one, `${BOX}.securityContext.capabilities.add`) === undefined,
  ],
  ['Service', 'chooses no pods', (one, all) => selects(recordAt(one, 'spec.selector'), all)],
  [
    'Service',
    'has a port that is none',
    (one) => listAt(one, 'spec.ports').every(({ port }) => isBetween(Number(port), 1, 65_535)),
  ],
  [
    'Service',
    'leads to a port that is not there',
    (one, all) =>
      listAt(one, 'spec.ports').every(({ targetPort }) =>
        portsOf(all).some(({ name }) => name === targetPort),
      ),
  ],
  [
    'Service',
    'has a port of gRPC that balancers would take for another protocol',
    (one) =>
      listAt(one, 'spec.ports').every(
        ({ name, appProtocol }) => appProtocol === (name === 'grpc' ? 'kubernetes.io/h2c' : 'http'),
      ),
  ],
  ['Service', 'opens the model to the world', (one) => within(one, 'spec.type') === 'ClusterIP'],
  ['HorizontalPodAutoscaler', 'scales nothing', targets],
  [
    'HorizontalPodAutoscaler',
    'has min above max, or none',
    (one) => isBetween(numberAt(one, 'spec.minReplicas'), 1, numberAt(one, 'spec.maxReplicas')),
  ],
  [
    'HorizontalPodAutoscaler',
    'aims below 70 or above 80 %',
    (one) => isBetween(numberAt(one, 'spec.metrics.0.resource.target.averageUtilization'), 70, 80),
  ],
  ['ScaledObject', 'scales nothing', targets],
  [
    'ScaledObject',
    'has min above max, or none',
    (one) => isBetween(numberAt(one, 'spec.minReplicaCount'), 1, numberAt(one, 'spec.maxReplicaCount')),
  ],
  [
    'ScaledObject',
    'has keys that KEDA does not know',
    (one) => {
      const known = [
        'scaleTargetRef',
        'minReplicaCount',
        'maxReplicaCount',
        'pollingInterval',
        'advanced',
        'triggers',
      ];
      return Object.keys(recordAt(one, 'spec')).every((key) => known.includes(key));
    },
  ],
  [
    'ScaledObject',
    'has a trigger of no type',
    (one) => listAt(one, 'spec.triggers').every(({ type }) => type === 'cpu' || type === 'prometheus'),
  ],
  [
    'PodDisruptionBudget',
    'does not allow exactly one pod to go',
    (one) => within(one, 'spec.maxUnavailable') === 1 && within(one, 'spec.minAvailable') === undefined,
  ],
  [
    'PodDisruptionBudget',
    'chooses no pods',
    (one, all) => selects(recordAt(one, 'spec.selector.matchLabels'), all),
  ],
  [
    'NetworkPolicy',
    'chooses no pods',
    (one, all) => selects(recordAt(one, 'spec.podSelector.matchLabels'), all),
  ],
  [
    'NetworkPolicy',
    'does not deny both ways',
    (one) => String(within(one, 'spec.policyTypes')) === 'Ingress,Egress',
  ],
  [
    'NetworkPolicy',
    'lets everybody in',
    (one) => listAt(one, 'spec.ingress').every(({ from }) => Array.isArray(from) && from.length > 0),
  ],
  [
    'NetworkPolicy',
    'keeps callers from a port of the pods',
    (one, all) =>
      portsOf(all).every(({ containerPort }) =>
        listAt(one, 'spec.ingress.0.ports').some(({ port }) => port === containerPort),
      ),
  ],
  [
    'NetworkPolicy',
    'lets in to ports that are not there',
    (one, all) =>
      listAt(one, 'spec.ingress').every((rule) =>
        listAt(rule, 'ports').every(({ port }) =>
          portsOf(all).some(({ containerPort }) => containerPort === port),
        ),
      ),
  ],
];

/** @param all the objects of one model */
export const ruleFaults = (all: readonly Manifest[]): readonly string[] =>
  all.flatMap((one) =>
    RULES.filter(([kind, , holds]) => (kind === '*' || kind === one.kind) && !holds(one, all)).map(
      ([, says]) => `${one.kind} ${says}`,
    ),
  );
