import { ALARMS } from '../document/worker-contract.ts';

/** Alarms that may bring the last good version back; the worst first. */
export const ROLLS_BACK = [ALARMS.crashes, ALARMS.errors, ALARMS.latency] as const;

export const alarmNames = (functionName: string): readonly string[] =>
  ROLLS_BACK.map((suffix) => `${functionName}-${suffix}`);

/** The function of an alarm that may bring a version back; undefined for any other alarm. */
export function functionOf(alarm: string): string | undefined {
  const suffix = ROLLS_BACK.find((one) => alarm.endsWith(`-${one}`));
  return suffix && alarm.slice(0, -suffix.length - 1);
}
