import { QUEUE_PER_WORKER } from '../../../../core/host/admission.ts';
import { HOST_GRPC_PORT, HOST_LIMITS } from '../../../../core/host/contract.ts';
import type { Commented } from '../shared/commented.ts';
import {
  auditWords,
  EXPORT_GRPC_PORT,
  EXPORT_PORT,
  type ExportGiven,
  exportedName,
  leftOnLambda,
  preloadWords,
  START_SECONDS,
  variableNames,
} from '../shared/given.ts';
import { hostMemory, memoryNote } from '../shared/worker-memory.ts';
import { labelsOf, metadataOf, selectorOf } from './labels.ts';

/** Distroless images have this user too; the image has none of its own. */
const USER = 65_532;

/** Workers of a pod: more pods are what the autoscaler is for. */
export const POD_WORKERS = 1;

/** Seconds: all that send requests have heard by then that the pod ends. */
const PRE_STOP = 5;

/** Seconds for what ends after the last answer. */
const LAST = 3;

/** Seconds between two looks at readiness, and looks of a start. */
const LOOK = 2;

/** MB that may be written, all of it below /tmp. */
const TMP_MB = 64;

/**
 * Seconds from the order to end until the kernel’s: the pause before, then the host drains. It has promised
 * an answer to each request that it took: one whose body comes slowly, then waits behind a full queue.
 */
function gracePeriod(timeout: number): number {
  const drain = (HOST_LIMITS.drainMs + HOST_LIMITS.requestMs) / 1000;
  return Math.ceil(PRE_STOP + drain + (1 + QUEUE_PER_WORKER) * timeout + LAST);
}

export function deployment(given: ExportGiven): Commented {
  const { grpc, image, memory, model } = given;
  const megabytes = `${hostMemory(memory, POD_WORKERS)}Mi`;
  const variables = variableNames(given);
  const container = 'spec/template/spec/containers/0';
  return {
    head: headOf(given),
    value: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadataOf(given),
      spec: {
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: 2 * START_SECONDS + 60,
        selector: { matchLabels: selectorOf(given) },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: {
            labels: labelsOf(given),
            annotations: {
              'prometheus.io/scrape': 'true',
              'prometheus.io/port': String(EXPORT_PORT),
              'prometheus.io/path': '/metrics',
            },
          },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: gracePeriod(model.timeout),
            nodeSelector: {
              'kubernetes.io/os': 'linux',
              'kubernetes.io/arch': model.architecture === 'arm64' ? 'arm64' : 'amd64',
            },
            securityContext: {
              runAsNonRoot: true,
              runAsUser: USER,
              runAsGroup: USER,
              fsGroup: USER,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map(
              (key) => ({
                maxSkew: 1,
                topologyKey: key,
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: selectorOf(given) },
                matchLabelKeys: ['pod-template-hash'],
              }),
            ),
            containers: [
              {
                name: 'model',
                image: image.reference,
                imagePullPolicy: 'IfNotPresent',
                ports: [
                  { name: 'http', containerPort: EXPORT_PORT, protocol: 'TCP' },
                  ...(grpc ? [{ name: 'grpc', containerPort: EXPORT_GRPC_PORT, protocol: 'TCP' }] : []),
                ],
                env: [
                  { name: 'PORT', value: String(EXPORT_PORT) },
                  ...(grpc ? [{ name: HOST_GRPC_PORT, value: String(EXPORT_GRPC_PORT) }] : []),
                  ...variables.map((name) => ({
                    name,
                    valueFrom: { secretKeyRef: { name: secretOf(given), key: name } },
                  })),
                ],
                resources: {
                  requests: { cpu: String(POD_WORKERS), memory: megabytes },
                  limits: { cpu: `${POD_WORKERS * 1000 + 500}m`, memory: megabytes },
                },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  privileged: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
                startupProbe: {
                  ...asked('/v2/health/ready'),
                  periodSeconds: LOOK,
                  timeoutSeconds: LOOK,
                  failureThreshold: START_SECONDS / LOOK,
                },
                readinessProbe: {
                  ...asked('/v2/health/ready'),
                  periodSeconds: LOOK,
                  timeoutSeconds: LOOK,
                  failureThreshold: 2,
                },
                livenessProbe: {
                  ...asked('/v2/health/live'),
                  periodSeconds: 10,
                  timeoutSeconds: 5,
                  failureThreshold: 3,
                },
                lifecycle: { preStop: { sleep: { seconds: PRE_STOP } } },
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
            volumes: [{ name: 'tmp', emptyDir: { sizeLimit: `${TMP_MB}Mi` } }],
          },
        },
      },
    },
    notes: {
      'spec/selector':
        'No replicas: the autoscaler has them. With a number here, each apply would undo what it did.',
      'spec/strategy': 'A new pod is ready before an old one ends.',
      'spec/template/metadata/annotations':
        'Prometheus’ usual annotations. The same port answers requests, so whoever may scrape may ask the model.',
      'spec/template/spec/automountServiceAccountToken': 'The model asks nothing of Kubernetes.',
      'spec/template/spec/terminationGracePeriodSeconds': graceWords(model.timeout),
      'spec/template/spec/nodeSelector': 'The image is for one architecture.',
      'spec/template/spec/securityContext':
        'The image names no user and runs under any; this is what it is tested with.',
      'spec/template/spec/topologySpreadConstraints':
        'Over zones, then nodes; where there is no room it is started all the same.',
      [`${container}/image`]:
        'By digest: what was tested is what runs. Another version is another digest, by another export.',
      [`${container}/env/0`]: 'Goes before the port that is written in the image.',
      ...(grpc && { [`${container}/env/1`]: 'Opens gRPC: without it the host answers by HTTP alone.' }),
      ...(variables.length > 0 && {
        [`${container}/env/${grpc ? 2 : 1}`]: secretWords(given, variables),
      }),
      [`${container}/resources`]: `The host has a worker for each whole processor of the limit, here ${POD_WORKERS}, with one request and one thread each. The half is for what answers probes meanwhile. Scaling goes by the request.`,
      [`${container}/resources/limits/memory`]: `${memoryNote(memory, POD_WORKERS)} Each processor more in the limit takes ${hostMemory(memory, POD_WORKERS + 1) - hostMemory(memory, POD_WORKERS)}Mi more.`,
      [`${container}/startupProbe`]: `The port is open at once, and ready once the model is loaded: within ${START_SECONDS} s, else it is started anew.`,
      [`${container}/readinessProbe`]: 'Fails once the host is told to end, and while no worker is up.',
      [`${container}/livenessProbe`]:
        'The front never computes, so a busy model is no reason to end it. A request that outlasts its time is ended by the host itself.',
      [`${container}/lifecycle`]:
        'Services and proxies forget the pod meanwhile. Kubernetes has this since 1.30; the image needs no shell for it.',
      'spec/template/spec/volumes': 'The only place that can be written.',
    },
  };
}

const asked = (path: string) => ({ httpGet: { path, port: 'http' } });

const secretOf = (given: ExportGiven): string => `${exportedName(given)}-environment`;

function headOf(given: ExportGiven): readonly string[] {
  const { host, model } = given;
  return [
    `The model ${model.name} of the service ${host.service}, stage ${host.stage}: one image, one Deployment.`,
    `Stays on Lambda, and is not done here: ${leftOnLambda(model).join('; ')}. Who does it on Kubernetes is in docs/hosts.md of serverless-models.`,
    ...auditWords(model),
    ...preloadWords(given),
  ];
}

const graceWords = (timeout: number): string =>
  `${PRE_STOP} s before the host is told; ${HOST_LIMITS.drainMs / 1000} s in which it still takes requests; ${HOST_LIMITS.requestMs / 1000} s for a body that is on its way; ${timeout} s each for a request and the ${QUEUE_PER_WORKER} that may wait before it; ${LAST} s to end. It ends as soon as all are answered.`;

/** Makes the Secret that the Deployment names: all of these variables. */
export const secretCommand = (given: ExportGiven, variables: readonly string[]): string =>
  `kubectl create secret generic ${secretOf(given)}${variables.map((name) => ` --from-literal=${name}=…`).join('')}`;

function secretWords(given: ExportGiven, variables: readonly string[]): string {
  return `What provider.environment and function.environment declare. Values are in no file, since they may be secrets. Make the Secret first, with all of these:\n${secretCommand(given, variables.slice(0, 1))}`;
}
