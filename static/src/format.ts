/** Numbers, sizes and times as people of each language write them. Pure: language and clock are passed in. */

const KIB = 1024;
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** A size in bytes, in units of 1024: `1.4 MB`. */
export function formatBytes(bytes: number, language: string): string {
  const power = bytes < KIB ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log(bytes) / Math.log(KIB)));
  const value = bytes / KIB ** power;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[power] ?? 'byte',
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power > 1 && value < 100 ? 1 : 0,
  }).format(value);
}

/** A count with the language's digit groups. */
export function formatCount(count: number, language: string): string {
  return new Intl.NumberFormat(language).format(count);
}

/** A share of one as a percentage. */
export function formatPercent(share: number, language: string): string {
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

/** A length in metres, in millimetres or centimetres where that reads better. */
export function formatLength(metres: number, language: string): string {
  const [unit, value] =
    metres < 0.01
      ? ['millimeter', metres * 1000]
      : metres < 1
        ? ['centimeter', metres * 100]
        : (['meter', metres] as const);
  const maximumFractionDigits = Math.abs(value as number) < 10 ? 2 : 1;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: unit as string,
    maximumFractionDigits,
  }).format(value as number);
}

/** A duration: whole seconds below a minute, then minutes, then hours. */
export function formatDuration(seconds: number, language: string): string {
  const [unit, value] =
    seconds < 60 ? ['second', seconds] : seconds < 3600 ? ['minute', seconds / 60] : ['hour', seconds / 3600];
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: unit as string,
    unitDisplay: 'short',
    maximumFractionDigits: 0,
  }).format(Math.max(1, Math.round(value as number)));
}

const AGES: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** How long ago a moment was: `5 min. ago`; the last minute is `now`. */
export function formatAgo(then: Date, now: Date, language: string): string {
  const seconds = Math.max(0, (now.getTime() - then.getTime()) / 1000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  for (const [unit, size] of AGES) {
    if (seconds >= size) return format.format(-Math.floor(seconds / size), unit);
  }
  return format.format(0, 'second');
}

/** How long the rest of a transfer takes, from what the first part took; `null` before that can be said. */
export function secondsLeft(sent: number, total: number, elapsedSeconds: number): number | null {
  if (sent <= 0 || elapsedSeconds < 0.5 || total <= 0) return null;
  return (Math.max(0, total - sent) * elapsedSeconds) / sent;
}
