/** Texts of the YAML, already of the schema's form, as the model has them; and back, for people. */

/** A month is 30 days, as on AWS's price pages. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, day: 86_400, month: 30 * 86_400 };

/** `5/s`, `40/h` → requests per second. */
export function perSecond(text: string): number {
  const [count = '', unit = ''] = text.split('/').map((part) => part.trim());
  return Number(count) / (SECONDS[unit] ?? 1);
}

const DURATIONS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `30s`, `10m`, `2h`, `1d`, `600` → seconds. */
export const seconds = (text: string): number =>
  Number.parseFloat(text) * (DURATIONS[text.at(-1) ?? ''] ?? 1);

const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** `20KB`, `1.5 MB`, `800` → bytes, in 1,024s as AWS counts memory and messages. */
export function bytesOf(text: string): number {
  const [, count = '', unit = 'B'] = /^([\d.]+)\s*([a-z]+)?$/i.exec(text.trim()) ?? [];
  return Math.round(Number(count) * (BYTES[unit.toUpperCase()] ?? 1));
}

/** `1%`, `1` → 1. */
export const percentOf = (text: string): number => Number.parseFloat(text);

/** `HH:MM` → minutes since midnight. */
export function minuteOf(text: string): number {
  const [hour = '', minute = ''] = text.split(':');
  return Number(hour) * 60 + Number(minute);
}

/** Minutes since midnight → `HH:MM`. */
export const timeOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

export const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
type Day = (typeof DAYS)[number];
const NAMES: readonly string[] = DAYS;

/** `mon-fri`, `sat, sun`, `fri-mon`, `daily` → days, in the week's order. */
export function daysOf(text: string): readonly Day[] {
  if (text.toLowerCase() === 'daily') return DAYS;
  const wanted = new Set<Day>();
  for (const part of text.toUpperCase().split(',')) {
    const [first, last = first] = part.split('-').map((name) => NAMES.indexOf(name.trim()));
    if (first === undefined || last === undefined) continue;
    for (let step = 0; step <= (last - first + DAYS.length) % DAYS.length; step += 1) {
      const day = DAYS[(first + step) % DAYS.length];
      if (day !== undefined) wanted.add(day);
    }
  }
  return DAYS.filter((day) => wanted.has(day));
}

/** Seconds as a person writes them: `10m`, `2h`, `90s`. */
export function written(duration: number): string {
  const [unit, size] = Object.entries(DURATIONS)
    .reverse()
    .find(([, length]) => duration >= length && duration % length === 0) ?? ['s', 1];
  return `${duration / size}${unit}`;
}

/** `s3://bucket/prefix*suffix`, whatever it is: all three may be empty. The first of several stars counts. */
export function objectsOf(text: string): {
  readonly bucket: string;
  readonly prefix: string;
  readonly suffix: string;
} {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  const star = key.indexOf('*');
  return star === -1
    ? { bucket, prefix: key, suffix: '' }
    : { bucket, prefix: key.slice(0, star), suffix: key.slice(star + 1) };
}

/** The same as a text. */
export const placeOf = ({ bucket, prefix, suffix }: ReturnType<typeof objectsOf>): string =>
  `s3://${bucket}/${prefix}${suffix && `*${suffix}`}`;
