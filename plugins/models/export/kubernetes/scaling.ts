import { QUEUE_PER_WORKER } from '../../../../core/host/admission.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Commented } from '../shared/commented.ts';
import { type ExportGiven, exportedName, scaleOf } from '../shared/given.ts';
import { POD_WORKERS } from './deployment.ts';
import { metadataOf, selectorOf } from './labels.ts';

/** Seconds: what was needed a while ago may be needed again, and a pod takes time to start. */
const CALM = 300;

/** Requests that wait for each pod: a worker is never idle, and none is refused yet. */
const WAITING = QUEUE_PER_WORKER / 2;

const behavior: Json = { scaleDown: { stabilizationWindowSeconds: CALM } };

/** https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/ */
export function horizontalPodAutoscaler(given: ExportGiven): Commented {
  const { min, max } = scaleOf(given.model, POD_WORKERS);
  return {
    head: ['More pods when processors are busy. It needs the cluster’s metrics-server.'],
    value: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: metadataOf(given),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: exportedName(given) },
        minReplicas: min,
        maxReplicas: max,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: given.cpu } },
          },
        ],
        behavior,
      },
    },
    notes: {
      'spec/minReplicas': countWords(given),
      'spec/metrics': `Percent of the requested processor. Above about 80 a pod that is being started comes too late; below 70 processors stand idle.`,
      'spec/behavior': `Up at once; down only to the most that was needed within ${CALM} s.`,
    },
  };
}

/** https://keda.sh/docs/latest/reference/scaledobject-spec/ */
export function scaledObject(given: ExportGiven, prometheus: string): Commented {
  const { min, max } = scaleOf(given.model, POD_WORKERS);
  return {
    head: [
      'KEDA makes a HorizontalPodAutoscaler of this, so there is no other: two of one Deployment undo each other.',
    ],
    value: {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: metadataOf(given),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: exportedName(given) },
        minReplicaCount: min,
        maxReplicaCount: max,
        pollingInterval: 15,
        advanced: { horizontalPodAutoscalerConfig: { behavior } },
        triggers: [
          { type: 'cpu', metricType: 'Utilization', metadata: { value: String(given.cpu) } },
          {
            type: 'prometheus',
            metricType: 'AverageValue',
            metadata: {
              serverAddress: prometheus,
              query: `sum(serverless_models_queue{model="${given.model.name}"})`,
              threshold: String(WAITING),
            },
          },
        ],
      },
    },
    notes: {
      'spec/minReplicaCount': countWords(given),
      'spec/triggers/0':
        'Percent of the requested processor. Whichever trigger asks for more pods gets them.',
      'spec/triggers/1': `Requests that wait, for each pod; with ${QUEUE_PER_WORKER} or more a worker, those that come are refused. Where one Prometheus scrapes several stages, name the namespace in the query, by the label that it has there.`,
    },
  };
}

function countWords({ model }: ExportGiven): string {
  const { concurrency } = model;
  const written =
    concurrency === undefined
      ? `models.${model.name}.concurrency says nothing, so these are to be chosen by you.`
      : `By models.${model.name}.concurrency: a pod has one request at a time, as an instance on Lambda has.`;
  return `Two at least, so that one may go. ${written}`;
}

/** A node that is emptied takes one pod at a time. */
export function disruptionBudget(given: ExportGiven): Commented {
  return {
    head: ['How many pods may be taken away at once, by whoever empties a node.'],
    value: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadataOf(given),
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: selectorOf(given) },
      },
    },
    notes: {
      'spec/unhealthyPodEvictionPolicy':
        'A pod that is not ready answers nobody, and must not keep a node from being emptied.',
    },
  };
}
