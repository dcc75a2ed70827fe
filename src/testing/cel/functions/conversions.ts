import { DURATION_PARTS, durationText, readDuration, readTimestamp, TIME_PARTS, timestampText } from '../time.ts';
import {
  CelFailure,
  Duration,
  int,
  noOverload,
  Opaque,
  Timestamp,
  TypeValue,
  typeName,
  Uint,
  uint,
  type Value,
} from '../values.ts';
import { type CelFunction, define, known, text } from './function.ts';
import { doubleText } from './strings.ts';

function toInt(value: Value | undefined): Value {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return int(value.value);
  if (typeof value === 'number') return int(BigInt(finite(Math.trunc(value))));
  if (value instanceof Timestamp) return value.ns / 1_000_000_000n - (value.ns % 1_000_000_000n < 0n ? 1n : 0n);
  if (value instanceof Duration) return value.ns;
  const given = text(value);
  if (!/^[+-]?\d+$/.test(given)) throw inconvertible('int');
  return int(BigInt(given.replace('+', '')));
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new CelFailure('integer overflow');
  return value;
}

function inconvertible(type: string): CelFailure {
  return new CelFailure(`type conversion error from 'string' to '${type}'`);
}

function toUint(value: Value | undefined): Value {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return uint(value);
  if (typeof value === 'number') return uint(BigInt(finite(Math.trunc(value))));
  const given = text(value);
  if (!/^\d+$/.test(given)) throw inconvertible('uint');
  return uint(BigInt(given));
}

const NAMED_NUMBERS: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  nan: Number.NaN,
};

function toDouble(value: Value | undefined): Value {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  const given = text(value);
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(given) ?? [];
  const size =
    NAMED_NUMBERS[rest.toLowerCase()] ?? (/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(rest) ? Number(rest) : undefined);
  if (size === undefined) throw inconvertible('double');
  return sign === '-' ? -size : size;
}

function toText(value: Value | undefined): Value {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Uint8Array) return decoded(value);
  if (value instanceof Opaque && /IP|CIDR/.test(value.type)) return value.text;
  throw noOverload();
}

function decoded(encoded: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(encoded);
  } catch {
    throw new CelFailure('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'true', 'TRUE', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'false', 'FALSE', 'False']);

function toBool(value: Value | undefined): Value {
  if (typeof value === 'boolean') return value;
  const given = text(value);
  if (TRUE.has(given)) return true;
  if (FALSE.has(given)) return false;
  throw inconvertible('bool');
}

function toDuration(value: Value | undefined): Value {
  if (value instanceof Duration) return value;
  if (typeof value === 'bigint') return new Duration(value);
  const given = text(value);
  const read = readDuration(given);
  if (read === undefined) throw inconvertible(DURATION);
  return read;
}

function toTimestamp(value: Value | undefined): Value {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'bigint') return new Timestamp(value * 1_000_000_000n);
  const given = text(value);
  const read = readTimestamp(given);
  if (read === undefined) throw inconvertible(TIMESTAMP);
  return read;
}

function bytes(value: Value | undefined): Value {
  return value instanceof Uint8Array ? value : new TextEncoder().encode(text(value));
}

const part = (name: string): CelFunction =>
  known(name, ([value, zone]) => {
    if (value instanceof Timestamp) return TIME_PARTS[name]?.(value, zone === undefined ? undefined : text(zone)) ?? null;
    const read = value instanceof Duration ? DURATION_PARTS[name] : undefined;
    if (read === undefined || !(value instanceof Duration)) throw noOverload();
    return read(value);
  });

const TIMESTAMP = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';

export const CONVERSIONS: readonly CelFunction[] = [
  define('int', [`int(${TIMESTAMP}): int`, `int(${DURATION}): int`, 'int(uint): int'], ([value]) => toInt(value)),
  known('uint', ([value]) => toUint(value)),
  known('double', ([value]) => toDouble(value)),
  define('string', [`string(${TIMESTAMP}): string`, `string(${DURATION}): string`], ([value]) => toText(value)),
  known('bool', ([value]) => toBool(value)),
  known('bytes', ([value]) => bytes(value)),
  define('duration', [`duration(${DURATION}): ${DURATION}`, `duration(int): ${DURATION}`], ([value]) => toDuration(value)),
  define('timestamp', [`timestamp(${TIMESTAMP}): ${TIMESTAMP}`], ([value]) => toTimestamp(value)),
  known('dyn', ([value]) => value ?? null),
  known('type', ([value]) => new TypeValue(typeName(value ?? null))),
  ...Object.keys(TIME_PARTS).map(part),
];
