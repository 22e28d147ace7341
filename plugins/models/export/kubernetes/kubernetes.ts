import { type Commented, yamlText } from '../shared/commented.ts';
import type { ExportedFiles, ExportGiven } from '../shared/given.ts';
import { deployment } from './deployment.ts';
import { disruptionBudget, horizontalPodAutoscaler, scaledObject } from './scaling.ts';
import { networkPolicy, service } from './service.ts';

/** Files of which there is one or the other, with the kind that each is of. */
export const AUTOSCALERS: Readonly<Record<string, string>> = {
  'autoscaler.yaml': 'horizontalpodautoscaler',
  'scaled-object.yaml': 'scaledobject',
};

/**
 * A model as objects of Kubernetes, a file each, and the list of them for `kubectl apply -k`.
 *
 * @param prometheus address of the server that KEDA asks; without it the autoscaler is Kubernetes’ own
 */
export function kubernetesFiles(given: ExportGiven, prometheus?: string): ExportedFiles {
  const objects: Readonly<Record<string, Commented>> = {
    'deployment.yaml': deployment(given),
    'service.yaml': service(given),
    ...(prometheus === undefined
      ? { 'autoscaler.yaml': horizontalPodAutoscaler(given) }
      : { 'scaled-object.yaml': scaledObject(given, prometheus) }),
    'disruption-budget.yaml': disruptionBudget(given),
    'network-policy.yaml': networkPolicy(given),
  };
  const list: Commented = {
    head: [
      'kubectl apply -k takes all of them. What is to be another way is best written in an overlay of kustomize, which stays when these files are exported again.',
    ],
    value: {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: Object.keys(objects),
    },
    notes: {},
  };
  return Object.fromEntries(
    Object.entries({ ...objects, 'kustomization.yaml': list }).map(([name, one]) => [name, yamlText(one)]),
  );
}
