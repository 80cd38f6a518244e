/** What acceptance suites check with: plain Errors, so that they run under any test runner. */

/** Throws an Error with the message unless the condition holds. */
export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws an Error that shows both values unless they are structurally equal. */
export function checkEqual(actual: unknown, expected: unknown, message: string): void {
  if (same(actual, expected)) return;
  throw new Error(`${message}\n  actual:   ${show(actual)}\n  expected: ${show(expected)}`);
}

/** An absent property differs from one that is undefined; -0 from 0; NaN equals itself. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return sameItems(a, b);
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof Map && b instanceof Map) return same([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return same([...a], [...b]);
  if (Array.isArray(a) && Array.isArray(b)) return sameItems(a, b);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(propertyOf(a, key), propertyOf(b, key)))
  );
}

function sameItems(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (!same(a[at], b[at])) return false;
  return true;
}

function propertyOf(value: object, key: string): unknown {
  return (value as Record<string, unknown>)[key];
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`;
    if (each === undefined) return '(undefined)';
    if (each instanceof Uint8Array) return `${each.length} bytes ${each.subarray(0, 16).join()}`;
    return each;
  });
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}
