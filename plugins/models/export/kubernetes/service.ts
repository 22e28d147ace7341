import type { Commented } from '../shared/commented.ts';
import { EXPORT_GRPC_PORT, EXPORT_PORT, type ExportGiven } from '../shared/given.ts';
import { callerLabel, metadataOf, selectorOf } from './labels.ts';

export function service(given: ExportGiven): Commented {
  return {
    head: [
      `Where the model is asked, inside the cluster. ${authWords(given)} What takes its place, and TLS, goes before this Service: a gateway or a mesh that authenticates.`,
    ],
    value: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadataOf(given),
      spec: {
        type: 'ClusterIP',
        selector: selectorOf(given),
        ports: [
          { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
          ...(given.grpc ? [GRPC_PORT] : []),
        ],
      },
    },
    notes: {
      'spec/type':
        'Never LoadBalancer or NodePort without what authenticates: the host answers everybody who reaches it.',
      ...(given.grpc && {
        'spec/ports/1':
          'A Service spreads connections, and a client of gRPC keeps one, so that all its calls go to one pod. Where that is not enough, a mesh or a gateway spreads calls, or clients with round_robin over a headless Service.',
      }),
    },
  };
}

/** https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol */
const GRPC_PORT = {
  name: 'grpc',
  port: EXPORT_GRPC_PORT,
  targetPort: 'grpc',
  protocol: 'TCP',
  appProtocol: 'kubernetes.io/h2c',
};

function authWords({ model: { http } }: ExportGiven): string {
  if (http === undefined) return 'On Lambda, IAM says who may invoke it; here nobody does.';
  if (http.auth === 'iam') return 'On Lambda its routes have `auth: iam`; here nobody checks a signature.';
  if (http.auth === 'none')
    return 'Its routes have `auth: none` on Lambda, but API Gateway limits there how often they are asked.';
  return 'On Lambda an authorizer of API Gateway says who may ask; here nobody does.';
}

/** The host checks nobody, so only pods that somebody has named may reach it. */
export function networkPolicy(given: ExportGiven): Commented {
  const port = { protocol: 'TCP', port: EXPORT_PORT };
  const calls = given.grpc ? [{ protocol: 'TCP', port: EXPORT_GRPC_PORT }] : [];
  return {
    head: [
      'Everything is denied but what is written here: the host has no authorization of its own. A cluster whose network plugin knows no policies denies nothing.',
    ],
    value: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadataOf(given),
      spec: {
        podSelector: { matchLabels: selectorOf(given) },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { [callerLabel(given)]: 'true' } } }],
            ports: [port, ...calls],
          },
          {
            from: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
                podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
              },
            ],
            ports: [port],
          },
        ],
        egress: [],
      },
    },
    notes: {
      'spec/ingress/0': `Pods of the same namespace with this label: that of what authenticates.`,
      'spec/ingress/1':
        'Prometheus, where it usually is; it reaches the model, too. Nobody there: nobody is let in.',
      'spec/egress':
        'None, not even DNS: all that the model needs is in the image. A transform.ts that asks others needs an entry, and so does the sidecar of a mesh, which asks its control plane.',
    },
  };
}
