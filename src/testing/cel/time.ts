import { CelFailure, Duration, Timestamp } from './values.ts';

const NS = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: NS,
  m: 60n * NS,
  h: 3600n * NS,
};
const LONGEST = 2n ** 63n - 1n;

/** A duration as Go writes it: `1h30m`, `-1.5s`, `0`. Nothing where it isn't one. */
export function readDuration(text: string): Duration | undefined {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === '0') return new Duration(0n);
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let ns = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = UNITS[unit] ?? 0n;
    ns += BigInt(whole === '' ? '0' : whole) * size;
    if (fraction !== '') ns += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (ns > LONGEST) return undefined;
  return new Duration(sign === '-' ? -ns : ns);
}

/** A duration of OpenAPI's format `duration`: as Go writes it, or a number with a unit's name, also of days and weeks. */
export function readSchemaDuration(text: string): Duration | undefined {
  const known = readDuration(text);
  if (known !== undefined) return known;
  const [, count = '', unit = ''] =
    /^\s*(\d+)\s*(days?|d|weeks?|wk|w|hours?|hrs?|minutes?|mins?|seconds?|secs?)\s*$/.exec(text) ?? [];
  if (count === '') return undefined;
  const seconds = { d: 86_400n, w: 604_800n, h: 3600n, m: 60n, s: 1n }[unit.charAt(0)] ?? 0n;
  return new Duration(BigInt(count) * seconds * NS);
}

/** `5400s`, as CEL writes a duration. */
export function durationText({ ns }: Duration): string {
  return `${Number(ns) / 1e9}s`;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/** A time in RFC 3339, to the nanosecond. Nothing where it isn't one. */
export function readTimestamp(text: string): Timestamp | undefined {
  const [, date = '', time = '', fraction = '', zone = ''] = RFC3339.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (date === '' || Number.isNaN(ms)) return undefined;
  return new Timestamp(BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0')));
}

/** A day in RFC 3339. */
export function readDate(text: string): Timestamp | undefined {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? readTimestamp(`${text}T00:00:00Z`) : undefined;
}

export function timestampText({ ns }: Timestamp): string {
  const fraction = mod(ns, NS);
  const whole = new Date(Number((ns - fraction) / 1_000_000n)).toISOString().replace('.000Z', '');
  return fraction === 0n ? `${whole}Z` : `${whole}.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}Z`;
}

const mod = (value: bigint, by: bigint): bigint => ((value % by) + by) % by;

/** The time as a clock in a time zone shows it, as if it were UTC. */
function shown({ ns }: Timestamp, zone: string | undefined): Date {
  const ms = Number((ns - mod(ns, 1_000_000n)) / 1_000_000n);
  return new Date(ms + offsetOf(ms, zone ?? 'UTC'));
}

function offsetOf(ms: number, zone: string): number {
  if (zone === 'UTC' || zone === '') return 0;
  const [, sign = '', hours = '', minutes = ''] = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone) ?? [];
  if (hours !== '') return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  try {
    const name = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
      .formatToParts(new Date(ms))
      .find(({ type }) => type === 'timeZoneName')?.value;
    return offsetOf(ms, (name ?? 'GMT').replace('GMT', '') || 'UTC');
  } catch {
    throw new CelFailure(`unknown time zone ${zone}`);
  }
}

/** The parts of a time, by the names of CEL's methods. */
export const TIME_PARTS: Readonly<Record<string, (time: Timestamp, zone?: string) => bigint>> = {
  getFullYear: (time, zone) => BigInt(shown(time, zone).getUTCFullYear()),
  getMonth: (time, zone) => BigInt(shown(time, zone).getUTCMonth()),
  getDate: (time, zone) => BigInt(shown(time, zone).getUTCDate()),
  getDayOfMonth: (time, zone) => BigInt(shown(time, zone).getUTCDate() - 1),
  getDayOfWeek: (time, zone) => BigInt(shown(time, zone).getUTCDay()),
  getDayOfYear: (time, zone) => {
    const date = shown(time, zone);
    return BigInt(Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000));
  },
  getHours: (time, zone) => BigInt(shown(time, zone).getUTCHours()),
  getMinutes: (time, zone) => BigInt(shown(time, zone).getUTCMinutes()),
  getSeconds: (time, zone) => BigInt(shown(time, zone).getUTCSeconds()),
  getMilliseconds: (time, zone) => BigInt(shown(time, zone).getUTCMilliseconds()),
};

/** The length of a duration in whole units, by the names of CEL's methods. */
export const DURATION_PARTS: Readonly<Record<string, (duration: Duration) => bigint>> = {
  getHours: ({ ns }) => ns / (3600n * NS),
  getMinutes: ({ ns }) => ns / (60n * NS),
  getSeconds: ({ ns }) => ns / NS,
  getMilliseconds: ({ ns }) => (ns % NS) / 1_000_000n,
};
