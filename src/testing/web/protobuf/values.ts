import { NO_BYTES, ProtobufError, Reader, type WireValue } from './reader.ts';

type Values = readonly WireValue[] | undefined;

/** Go keeps a mark at the beginning of a text, and writes U+FFFD for what is no UTF-8. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The last value of a text; empty where there is none. */
export function textOf(values: Values): string {
  const last = values?.at(-1);
  if (last === undefined) return '';
  if (last.wire !== 2) throw new ProtobufError(`proto: wrong wireType = ${last.wire}`);
  return decoder.decode(last.bytes);
}

/** A message that stands there in pieces is one message. */
export function joined(values: Values): Uint8Array {
  if (values === undefined) return NO_BYTES;
  for (const { wire } of values) if (wire !== 2) throw new ProtobufError(`proto: wrong wireType = ${wire}`);
  const [first] = values;
  if (values.length === 1 && first !== undefined) return first.bytes;
  const whole = new Uint8Array(values.reduce((size, { bytes }) => size + bytes.length, 0));
  let at = 0;
  for (const { bytes } of values) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}

/** The last value of a floating number of eight bytes. JSON has no infinite ones. */
export function floatOf(values: Values): number {
  const bytes = values?.at(-1)?.bytes;
  if (bytes === undefined || bytes.length !== 8) return 0;
  const number = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  if (!Number.isFinite(number)) throw new ProtobufError('proto: a number that JSON does not have');
  return number;
}

/** Go's zero time: the year 1. */
const ZERO_SECONDS = -62_135_596_800;
/** The end of the year 9999, behind which RFC 3339 has no years. */
const LAST_SECONDS = 253_402_300_799;

function timestampOf(bytes: Uint8Array): { readonly seconds: number; readonly nanos: number } {
  let [seconds, nanos] = [0, 0];
  new Reader(bytes).eachField((field, { number }) => {
    if (field === 1) seconds = number;
    if (field === 2) nanos = number;
  });
  if (seconds < ZERO_SECONDS || seconds > LAST_SECONDS) throw new ProtobufError('proto: a time outside of the years 1 to 9999');
  if (nanos < 0 || nanos >= 1e9) throw new ProtobufError('proto: a fraction of a second of more than a second');
  return { seconds, nanos };
}

/** A Time in seconds; `null` for none. */
export function timeOf(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null;
  const { seconds } = timestampOf(bytes);
  return seconds === ZERO_SECONDS ? null : `${dateText(seconds)}Z`;
}

/** A MicroTime, with six digits behind the point; `null` for none. */
export function microTimeOf(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null;
  const { seconds, nanos } = timestampOf(bytes);
  const micros = Math.floor(nanos / 1000);
  if (seconds === ZERO_SECONDS && micros === 0) return null;
  return `${dateText(seconds)}.${String(micros).padStart(6, '0')}Z`;
}

const dateText = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19);

/** A quantity as it was written; zero where nothing is. */
export function quantityOf(values: Values): string {
  return values === undefined ? '0' : textOf(values);
}

/** JSON within protobuf; none is `null`. */
export function rawJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new ProtobufError(`the JSON in the message can't be read: ${(error as Error).message}`);
  }
}
