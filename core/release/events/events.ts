import { readCard } from '../../card/read.ts';
import { type Fields, fieldsOf, parsed } from '../../json/parsed.ts';
import { readOrigin } from '../../origin/origin.ts';
import { iso } from '../../units/time.ts';
import type { VersionRecord } from '../document/history-contract.ts';
import type { VersionRef } from '../document/parts-contract.ts';
import type { AliasRequest } from '../document/request-contract.ts';
import type { Settings } from '../document/settings-contract.ts';
import {
  ANSWER_MARGIN,
  BUCKET_EVENTS,
  type CommandEvent,
  SERVICE_TIMEOUT,
  type TickEvent,
} from '../document/worker-contract.ts';
import { readAlarms, readCommand, readTick } from './called-events.ts';
import { textField, textFields } from './event-fields.ts';

/** What AWS, or anyone who ticks, sends to the worker: checked, and in our words. */

/** What every answer to CloudFormation repeats. */
export type StackCaller = {
  readonly url: string;
  readonly id: string;
  readonly stack: string;
  readonly logicalId: string;
  /**
   * `<function>:<alias>`, always: another id would make CloudFormation replace the alias, and delete it
   * afterwards.
   */
  readonly physicalId: string;
};

export type Incoming =
  | { readonly kind: 'tick'; readonly tick: TickEvent['tick'] }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'command'; readonly command: CommandEvent['command'] }
  /** Functions whose alarms have turned on. */
  | { readonly kind: 'alarm'; readonly functionNames: readonly string[] }
  | {
      readonly kind: 'ask';
      readonly caller: StackCaller;
      readonly asked: AliasRequest;
      readonly record: VersionRecord;
    }
  | {
      readonly kind: 'delete';
      readonly caller: StackCaller;
      readonly functionName: string;
      readonly alias: string;
      readonly model: string;
      /** The model's batch function, whose alias goes, too. */
      readonly batch?: string;
    }
  | {
      readonly kind: 'bucket';
      readonly caller: StackCaller;
      readonly type: string;
      readonly bucket: string;
      /** The stack's account. */
      readonly account: string;
    }
  /** A request that we can answer, but not understand. */
  | {
      readonly kind: 'malformed';
      readonly caller: StackCaller;
      readonly type: string;
      readonly reason: string;
    };

/** Whom to answer about a request that was read before. */
export const stackCallerOf = ({
  url,
  id,
  stack,
  logicalId,
  functionName,
  alias,
}: AliasRequest): StackCaller => ({
  url,
  id,
  stack,
  logicalId,
  physicalId: `${functionName}:${alias}`,
});

/**
 * @param group schedule group of the stack
 * @throws Error where the event is neither a tick nor a request with somewhere to answer.
 */
export function readWorkerEvent(event: unknown, group: string, now: number): Incoming {
  const fields = fieldsOf(event);
  if (fields.tick !== undefined) return { kind: 'tick', tick: readTick(fieldsOf(fields.tick)) };
  if (fields.sweep === true) return { kind: 'sweep' };
  if (fields.command !== undefined)
    return { kind: 'command', command: readCommand(fieldsOf(fields.command)) };
  if (Array.isArray(fields.Records)) return { kind: 'alarm', functionNames: readAlarms(fields.Records) };
  const properties = fieldsOf(fields.ResourceProperties);
  const [url, id, stack, logicalId] = ['ResponseURL', 'RequestId', 'StackId', 'LogicalResourceId'].map(
    (key) => textField(fields, key),
  );
  if (!url || !id || !stack || !logicalId)
    throw new Error('neither a tick, a command, a sweep, an alarm nor a request of CloudFormation');
  const given = textField(fields, 'PhysicalResourceId');
  if (fields.ResourceType === BUCKET_EVENTS) return readBucket(fields, { url, id, stack, logicalId }, given);
  const functionName = textField(properties, 'FunctionName');
  const alias = textField(properties, 'Alias');
  const model = textField(properties, 'Model');
  const batch = readBatch(fieldsOf(properties.Batch));
  const type = textField(fields, 'RequestType') ?? 'nothing';
  const physicalId = functionName && alias ? `${functionName}:${alias}` : (given ?? logicalId);
  const caller = { url, id, stack, logicalId, physicalId };

  if (type === 'Delete') {
    // The physical id tells which alias is meant even where the properties of a half-made resource do not.
    const [, ownFunction, ownAlias] = /^([\w-]{1,140}):([\w-]{1,128})$/.exec(given ?? '') ?? [];
    const target = ownFunction ?? functionName;
    const own = { ...caller, physicalId: given ?? physicalId };
    if (!target) return { kind: 'malformed', caller: own, type, reason: 'no function is named' };
    return {
      kind: 'delete',
      caller: own,
      functionName: target,
      alias: ownAlias ?? alias ?? 'live',
      model: model ?? '',
      ...(batch && { batch: batch.functionName }),
    };
  }
  const version = textField(properties, 'Version') ?? '';
  const fingerprint = textField(properties, 'Fingerprint');
  const settings = readSettings(textField(properties, 'Settings'));
  if (
    !functionName ||
    !alias ||
    !model ||
    !fingerprint ||
    !settings ||
    !/^[1-9]\d*$/.test(version) ||
    (type !== 'Create' && type !== 'Update')
  ) {
    return {
      kind: 'malformed',
      caller,
      type,
      reason: `${type} lacks a function, alias, model, fingerprint, settings or published version`,
    };
  }
  const seconds = Number(textField(properties, 'ServiceTimeout') ?? SERVICE_TIMEOUT) || SERVICE_TIMEOUT;
  const old = fieldsOf(fields.OldResourceProperties);
  // Each function counts its own versions: with another name the same number is another version.
  const before = textField(old, 'FunctionName') === functionName ? textField(old, 'Version') : undefined;
  const [mark, markBefore] = [markOf(properties), markOf(old)];

  const source = textField(properties, 'Source');
  const origin = readOrigin(textField(properties, 'Origin'));
  const card = readCard(textField(properties, 'Card'));
  const image = textFields(parsed(textField(properties, 'Image')), ['repository', 'tag', 'base']);
  return {
    kind: 'ask',
    caller,
    asked: {
      type,
      id,
      url,
      logicalId,
      stack,
      functionName,
      alias,
      model,
      version,
      fingerprint,
      ...(source !== undefined && { source }),
      ...(batch && { batch }),
      settings,
      forced: textField(properties, 'Forced') !== undefined,
      ...(mark !== undefined && { mark }),
      ...(before !== undefined && { before }),
      ...(markBefore !== undefined && { markBefore }),
      patience: Math.max(seconds - ANSWER_MARGIN, seconds / 2) * 1000,
      schedule: { group, name: scheduleName(functionName, id) },
    },
    record: {
      schema: 1,
      model,
      functionName,
      version,
      fingerprint,
      identity: textField(properties, 'Identity') ?? '',
      layer: textField(properties, 'Layer') ?? '',
      source: source ?? '',
      ...(image !== undefined && { image }),
      ...(origin !== undefined && { origin }),
      ...(card !== undefined && { card }),
      at: iso(now),
    },
  };
}

/** What the template asks for anew, by force or because it is neither live nor on its way. */
const markOf = (properties: Fields): string | undefined =>
  textField(properties, 'Forced') ?? textField(properties, 'Again');

function readBatch(batch: Fields): VersionRef['batch'] {
  const functionName = textField(batch, 'FunctionName');
  const version = textField(batch, 'Version');
  return functionName && version && /^[1-9]\d*$/.test(version) ? { functionName, version } : undefined;
}

function readBucket(
  fields: Fields,
  to: Omit<StackCaller, 'physicalId'>,
  given: string | undefined,
): Incoming {
  const type = textField(fields, 'RequestType') ?? 'nothing';
  const bucket = textField(fieldsOf(fields.ResourceProperties), 'Bucket');
  // Another bucket is another resource: the settings of the old one are deleted afterwards.
  const physicalId = (type === 'Delete' ? given : bucket) ?? to.logicalId;
  const caller = { ...to, physicalId };
  if (bucket === undefined) return { kind: 'malformed', caller, type, reason: 'no bucket is named' };
  const [, , , , account = ''] = to.stack.split(':');
  return { kind: 'bucket', caller, type, bucket, account };
}

/** One name a release, so that ending one never deletes the schedule of the next. 64 characters at most. */
function scheduleName(functionName: string, id: string): string {
  return `${functionName.slice(0, 51)}-${id.replace(/[^0-9a-zA-Z]/g, '').slice(-12)}`;
}

/** The plan wrote it from the type itself; anything else is no request of ours. */
function readSettings(json: string | undefined): Settings | undefined {
  const value = parsed(json);
  return Array.isArray(value.steps) ? (value as unknown as Settings) : undefined;
}
