import { AUDIT_BYTES } from '../../../../core/endpoint/contract.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import type { Signature } from '../../../../core/tensor/contract.ts';
import { type Json, kept } from '../../contracts/cloudformation.ts';
import type { Feature } from '../../contracts/feature.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { Audit, Model } from '../../declaration/model.ts';
import { logGroupLogicalId } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';
import { logGroupOf } from '../iam/permissions.ts';
import { logCost } from '../shared/prices.ts';

/**
 * The framework's log groups of audited endpoints, as their audits want them. With `retention` somebody
 * relies on what is written: such a group outlives the model, its name and the stack.
 *
 * @param resources of the compiled template, by logical id
 */
export function auditedLogs(
  resources: Readonly<Record<string, Json>>,
  models: readonly Model[],
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    models.flatMap(({ name, audit }) => {
      const id = logGroupLogicalId(name);
      const group = resources[id];
      if (audit === undefined || group === undefined) return [];
      const Properties = { ...(isObject(group.Properties) && group.Properties), ...saidBy(audit) };
      return [[id, { ...(audit.retention === undefined ? group : kept(group)), Properties }]];
    }),
  );
}

const saidBy = ({ retention, kmsKey }: Audit): Json => ({
  ...(retention !== undefined && { RetentionInDays: retention }),
  ...(kmsKey !== undefined && { KmsKeyId: kmsKey }),
});

/**
 * The same groups where the service's `resources`, which come into the template last, say something else of
 * them than their audits: plugins write there, too. serverless-plugin-log-retention gives each group its own
 * days, and what somebody relies on would be deleted.
 */
export function heldAudits(
  resources: Readonly<Record<string, Json>>,
  models: readonly Model[],
): { readonly resources: Readonly<Record<string, Json>>; readonly lines: readonly string[] } {
  const held = models.flatMap(({ name, audit }) => {
    const id = logGroupLogicalId(name);
    const group = resources[id];
    if (audit === undefined || !isObject(group?.Properties)) return [];
    const { Properties: there } = group;
    const other = Object.entries(saidBy(audit)).filter(
      ([key, value]) => JSON.stringify(there[key]) !== JSON.stringify(value),
    );
    if (other.length === 0) return [];
    const what = other.map(([key]) => key).join(' and ');
    return [
      {
        made: [id, { ...group, Properties: { ...there, ...Object.fromEntries(other) } }] as const,
        line: `models.${name}.audit: says another ${what} of ${id} than \`resources\` of the service, or a plugin that writes there. What audit says holds.`,
      },
    ];
  });
  return { resources: Object.fromEntries(held.map(({ made }) => made)), lines: held.map(({ line }) => line) };
}

/** What the service around it does not allow. */
export function auditProblems(models: readonly Model[], host: Host): readonly Problem[] {
  return models.flatMap(({ audit, ...model }) =>
    audit === undefined
      ? []
      : [...groupProblems(model, audit, host), ...keyProblems(model.name, audit, host)],
  );
}

/** A group that the service names elsewhere is not ours to set, and perhaps not the endpoint's alone. */
function groupProblems(model: Model, { retention, kmsKey }: Audit, host: Host): readonly Problem[] {
  const functionName = nameOf(model, host);
  const group = logGroupOf(model.function, host.provider, functionName);
  if (group === `/aws/lambda/${functionName}`) return [];
  return Object.entries({ retention, kmsKey })
    .filter(([, value]) => value !== undefined)
    .map(([option, value]) => ({
      code: 'MODELS_INVALID_VALUE',
      key: `models.${model.name}.audit.${option}`,
      value,
      message: `is for the endpoint’s own log group, but its log goes to ${group}.`,
      fix: 'Set it where that group is made, or leave `logs.logGroup` out.',
    }));
}

/**
 * CloudWatch Logs of a region uses keys of that region:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
function keyProblems(name: string, { kmsKey }: Audit, { region }: Host): readonly Problem[] {
  const [, , , there] = typeof kmsKey === 'string' ? kmsKey.split(':') : [];
  if (there === undefined || there === region) return [];
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key: `models.${name}.audit.kmsKey`,
      value: kmsKey,
      message: `is a key in ${there}, but the log is in ${region}, and encrypted with keys of its own region only.`,
      fix: `Name a key in ${region}.`,
    },
  ];
}

/**
 * Bytes of an answered request's line: its fixed part with names of usual length, and the outputs of one row.
 */
export function auditBytes({ audit }: Pick<Model, 'audit'>, { outputs }: Pick<Signature, 'outputs'>): number {
  if (audit === undefined) return 0;
  if (!audit.predictions) return LINE;
  const predictions = outputs.reduce((sum, { name, shape }) => {
    const elements = shape.reduce((product, size) => product * Math.max(1, size), 1);
    return sum + name.length + 55 + 20 * elements;
  }, 2);
  return LINE + (predictions > AUDIT_BYTES ? DIGEST : predictions);
}
/** Bytes of a line without outputs, with what CloudWatch adds to each: 26. */
const LINE = 460;
/** In place of the outputs: size and sha256. */
const DIGEST = 110;

export const auditFeature: Feature = {
  name: 'audit',
  changes: ({ models }, compiled) => auditedLogs(compiled, models),
  problems: (models, host) => auditProblems(models, host),
  monthly: (model, { signature }, { requests }) => ({
    logs: logCost(requests, auditBytes(model, signature)),
  }),
};
