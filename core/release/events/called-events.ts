import { type Fields, fieldsOf, parsed } from '../../json/parsed.ts';
import { plainText } from '../../text/plain.ts';
import type { CommandEvent, TickEvent } from '../document/worker-contract.ts';
import { functionOf } from '../state/alarm-names.ts';
import { textField } from './event-fields.ts';

/** What others than CloudFormation send: a tick, a command, alarms. */

export function readTick(tick: Fields): TickEvent['tick'] {
  const model = textField(tick, 'model');
  const functionName = textField(tick, 'functionName');
  const alias = textField(tick, 'alias');
  if (!model || !functionName || !alias) throw new Error('a tick needs model, functionName and alias');
  const optional = Object.fromEntries(
    ['release', 'stable', 'deadline', 'stack', 'deployment']
      .map((key) => [key, textField(tick, key)])
      .filter(([, value]) => value !== undefined),
  );
  const schedule = fieldsOf(tick.schedule);
  const [group, name] = [textField(schedule, 'group'), textField(schedule, 'name')];
  return { model, functionName, alias, ...optional, ...(group && name ? { schedule: { group, name } } : {}) };
}

const VERBS = ['promote', 'rollback', 'hold', 'resume'] as const;

export function readCommand(command: Fields): CommandEvent['command'] {
  const [model, functionName, alias, to, reason] = ['model', 'functionName', 'alias', 'to', 'reason'].map(
    (key) => textField(command, key),
  );
  const verb = VERBS.find((known) => known === command.verb);
  if (!verb || !model || !functionName || !alias)
    throw new Error(`a command needs model, functionName, alias and a verb of ${VERBS.join(', ')}`);
  if (to !== undefined && !/^[1-9]\d*$/.test(to)) throw new Error(`${to} is no published version`);
  // It is told to others, who are to see whose words these are: on terminals, in mail and in the history.
  const said = plainText((reason ?? '').trim());
  return {
    verb,
    model,
    functionName,
    alias,
    by: plainText(textField(command, 'by') ?? 'unknown'),
    ...(to !== undefined && { to }),
    ...(said !== '' && { reason: said }),
  };
}

/**
 * Functions by the names of those alarms that may bring a version back, in messages of the alerts topic:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html. Whatever else is
 * published there, also by people, is none of them.
 */
export function readAlarms(records: readonly unknown[]): readonly string[] {
  const names = records.map((record) => {
    const message = parsed(textField(fieldsOf(fieldsOf(record).Sns), 'Message'));
    return message.NewStateValue === 'ALARM' ? functionOf(textField(message, 'AlarmName') ?? '') : undefined;
  });
  return [...new Set(names.filter((name) => name !== undefined))];
}
