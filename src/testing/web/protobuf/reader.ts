/** A body that is no protobuf, or not of the message that it says it is. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** How the value of a field is written: as a number, in eight or four bytes, or as bytes with their length before them. */
export type Wire = 0 | 1 | 2 | 5;

/** The value of a field as it stands in a message. */
export interface WireValue {
  readonly wire: Wire;
  /** Of `wire` 0: a signed number of 64 bits, exact up to 2^53, as in JSON. */
  readonly number: number;
  /** Of the others. */
  readonly bytes: Uint8Array;
}

export const NO_BYTES: Uint8Array = new Uint8Array();

/** Most that a length can be; larger ones would be negative in Go. */
const MOST_LENGTH = 2 ** 31;

/** Reads the fields of a message one after the other. Time and memory are bounded by the size of the message. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Calls `take` with each field of the message, but not with groups, which Kubernetes' messages don't have. */
  eachField(take: (field: number, value: WireValue) => void): void {
    while (this.#at < this.#bytes.length) {
      const tag = this.varint();
      const field = Math.floor(tag / 8);
      if (field <= 0 || field >= 2 ** 29)
        throw new ProtobufError(`proto: illegal tag ${field} (wire type ${((tag % 8) + 8) % 8})`);
      const wire = tag % 8;
      if (wire === 3) this.#skipGroup(field);
      else take(field, this.#value(wire));
    }
  }

  /** Calls `take` with numbers that stand one after the other, as lists of them may. */
  eachNumber(take: (number: number) => void): void {
    while (this.#at < this.#bytes.length) take(this.varint());
  }

  varint(): number {
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new ProtobufError('unexpected EOF');
      this.#at += 1;
      const part = byte & 0x7f;
      if (shift < 28) low |= part << shift;
      else if (shift === 28) {
        low |= part << 28;
        high |= part >> 4;
      } else if (shift < 63) high |= part << (shift - 32);
      else high |= part << 31;
      if (byte < 0x80) return high * 2 ** 32 + (low >>> 0);
    }
    throw new ProtobufError('proto: integer overflow');
  }

  #value(wire: number): WireValue {
    switch (wire) {
      case 0:
        return { wire, number: this.varint(), bytes: NO_BYTES };
      case 1:
        return { wire, number: 0, bytes: this.#take(8) };
      case 2: {
        const length = this.varint();
        if (length < 0 || length >= MOST_LENGTH) throw new ProtobufError('proto: negative length found during unmarshaling');
        return { wire, number: 0, bytes: this.#take(length) };
      }
      case 5:
        return { wire, number: 0, bytes: this.#take(4) };
      case 4:
        throw new ProtobufError('proto: wiretype end group for non-group');
      default:
        throw new ProtobufError(`proto: illegal wireType ${wire}`);
    }
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new ProtobufError('unexpected EOF');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Groups may hold groups; none of them is of a message that is known here. */
  #skipGroup(first: number): void {
    const open = [first];
    while (open.length > 0) {
      const tag = this.varint();
      const field = Math.floor(tag / 8);
      if (tag % 8 === 3) open.push(field);
      else if (tag % 8 === 4) open.pop();
      else this.#value(tag % 8);
    }
  }
}
