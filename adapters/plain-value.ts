/** Which values are plain, so that every wire and disk can have them, and how long they are. */

/**
 * What keeps a value from being plain data, in words, or null. Plain are null, undefined, booleans,
 * numbers, bigints, strings, Uint8Arrays, valid Dates, arrays and plain objects of them, at most
 * `depth` containers within each other.
 */
export function faultOfValue(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? 'a lone surrogate' : null;
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof Uint8Array) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : null;
  if (depth === 0) return 'it is nested too deeply, or contains itself';
  if (Array.isArray(value)) return firstFault(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return 'it is no plain object';
  if (Object.hasOwn(value, '__proto__')) return 'a key __proto__';
  return firstFault(Object.keys(value), 1) ?? firstFault(Object.values(value), depth);
}

function firstFault(values: readonly unknown[], depth: number): string | null {
  for (const value of values) {
    const fault = faultOfValue(value, depth - 1);
    if (fault !== null) return fault;
  }
  return null;
}

/** What MessagePack puts in front of a container, a text or bytes, at the most. */
const headBytes = 5;

/**
 * How many bytes a value takes on a wire or a disk: of bytes and of text exactly, of anything else
 * as many as MessagePack at the most. Stops counting beyond `limit`, because what contains itself
 * has no end.
 */
export function sizeOfValue(value: unknown, limit = Infinity): number {
  if (typeof value === 'string') return textBytes(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  const rest: unknown[] = [value];
  let bytes = 0;
  while (rest.length > 0 && bytes <= limit) {
    const each = rest.pop();
    bytes += ownBytes(each);
    if (typeof each !== 'object' || each === null || ArrayBuffer.isView(each)) continue;
    if (Array.isArray(each)) for (const item of each as unknown[]) rest.push(item);
    else for (const entry of Object.entries(each)) rest.push(...entry);
  }
  return bytes;
}

function ownBytes(value: unknown): number {
  if (typeof value === 'number') return 9;
  if (typeof value === 'string') return headBytes + textBytes(value);
  if (typeof value === 'bigint') return headBytes + 9 + value.toString(16).length / 2;
  if (ArrayBuffer.isView(value)) return headBytes + value.byteLength;
  if (value instanceof Date) return 15;
  return headBytes;
}

/** The bytes of a text in UTF-8. */
function textBytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // Of a pair of surrogates each half counts for two of its four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
