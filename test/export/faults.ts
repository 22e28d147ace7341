/** Faults to put into exported objects: each must be found, whoever finds it. */
import type { Manifest } from './cases.ts';

export type SeededFault = {
  readonly name: string;
  readonly kind: string;
  /** Path below the object. */
  readonly at: string;
  /** What is put there; undefined takes it away. */
  readonly value: unknown;
};

const POD = 'spec.template.spec';
const BOX = `${POD}.containers.0`;

/** An API server refuses each; two at least for each kind of object. */
export const REFUSED: readonly SeededFault[] = [
  {
    name: 'a probe by a name that does not exist',
    kind: 'Deployment',
    at: `${BOX}.readynessProbe`,
    value: {},
  },
  {
    name: 'a selector of other pods',
    kind: 'Deployment',
    at: 'spec.selector.matchLabels',
    value: { app: 'other' },
  },
  {
    name: 'more memory asked for than allowed',
    kind: 'Deployment',
    at: `${BOX}.resources.requests.memory`,
    value: '64Gi',
  },
  {
    name: 'memory in a unit that is none',
    kind: 'Deployment',
    at: `${BOX}.resources.limits.memory`,
    value: '2048MB',
  },
  { name: 'a mount of no volume', kind: 'Deployment', at: `${BOX}.volumeMounts.0.name`, value: 'temp' },
  {
    name: 'a text as seconds',
    kind: 'Deployment',
    at: `${POD}.terminationGracePeriodSeconds`,
    value: 'soon',
  },
  { name: 'a port beyond the last', kind: 'Service', at: 'spec.ports.0.port', value: 70_000 },
  { name: 'ports by a name that does not exist', kind: 'Service', at: 'spec.port', value: 80 },
  { name: 'min above max', kind: 'HorizontalPodAutoscaler', at: 'spec.minReplicas', value: 1000 },
  {
    name: 'a version of the API that is gone',
    kind: 'HorizontalPodAutoscaler',
    at: 'apiVersion',
    value: 'autoscaling/v2beta2',
  },
  { name: 'both limits at once', kind: 'PodDisruptionBudget', at: 'spec.minAvailable', value: 1 },
  {
    name: 'a label with a space',
    kind: 'PodDisruptionBudget',
    at: 'metadata.labels.team',
    value: 'data science',
  },
  { name: 'a direction that is none', kind: 'NetworkPolicy', at: 'spec.policyTypes', value: ['Inward'] },
  { name: 'a list as a selector', kind: 'NetworkPolicy', at: 'spec.podSelector', value: [] },
  { name: 'a trigger without a type', kind: 'ScaledObject', at: 'spec.triggers.1.type', value: undefined },
  { name: 'a count by a name that does not exist', kind: 'ScaledObject', at: 'spec.minReplicas', value: 2 },
];

/** An API server takes each; a reviewer would not. */
export const TAKEN: readonly SeededFault[] = [
  {
    name: 'an image by its tag',
    kind: 'Deployment',
    at: `${BOX}.image`,
    value: 'registry.example.com/models:v7',
  },
  { name: 'replicas beside an autoscaler', kind: 'Deployment', at: 'spec.replicas', value: 3 },
  {
    name: 'a root that can be written',
    kind: 'Deployment',
    at: `${BOX}.securityContext.readOnlyRootFilesystem`,
    value: false,
  },
  {
    name: 'a token of the service account',
    kind: 'Deployment',
    at: `${POD}.automountServiceAccountToken`,
    value: true,
  },
  {
    name: 'an end before the host has drained',
    kind: 'Deployment',
    at: `${POD}.terminationGracePeriodSeconds`,
    value: 30,
  },
  {
    name: 'a probe of a port that is not there',
    kind: 'Deployment',
    at: `${BOX}.livenessProbe.httpGet.port`,
    value: 'metrics',
  },
  {
    name: 'a processor and a half asked for',
    kind: 'Deployment',
    at: `${BOX}.resources.requests.cpu`,
    value: '1500m',
  },
  { name: 'a way to a port that is not there', kind: 'Service', at: 'spec.ports.0.targetPort', value: 'web' },
  {
    name: 'gRPC as HTTP of version 1',
    kind: 'Service',
    at: 'spec.ports.1.appProtocol',
    value: 'http',
  },
  {
    name: 'gRPC that nobody may reach',
    kind: 'NetworkPolicy',
    at: 'spec.ingress.0.ports.1.port',
    value: 8080,
  },
  {
    name: 'gRPC that is not opened',
    kind: 'Deployment',
    at: `${BOX}.env.1.name`,
    value: 'GRPC_PORT',
  },
  { name: 'a Service for the world', kind: 'Service', at: 'spec.type', value: 'LoadBalancer' },
  {
    name: 'a target that is not there',
    kind: 'HorizontalPodAutoscaler',
    at: 'spec.scaleTargetRef.name',
    value: 'churn',
  },
  {
    name: 'an aim at 95 %',
    kind: 'HorizontalPodAutoscaler',
    at: 'spec.metrics.0.resource.target.averageUtilization',
    value: 95,
  },
  {
    name: 'a budget of other pods',
    kind: 'PodDisruptionBudget',
    at: 'spec.selector.matchLabels',
    value: { app: 'other' },
  },
  { name: 'everybody let in', kind: 'NetworkPolicy', at: 'spec.ingress', value: [{}] },
  { name: 'every way out', kind: 'NetworkPolicy', at: 'spec.policyTypes', value: ['Ingress'] },
];

/** @returns a copy with the fault in it */
export function withFault(object: Manifest, { at, value }: SeededFault): Manifest {
  const copy = structuredClone(object);
  const parts = at.split('.');
  const last = parts.pop() ?? '';
  let below: Record<string, unknown> = copy;
  for (const part of parts) below = below[part] as Record<string, unknown>;
  if (value === undefined) delete below[last];
  else below[last] = value;
  return copy;
}
