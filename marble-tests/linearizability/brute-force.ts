/**
 * The definition itself, for a handful of operations on one key: every choice of the unknown ones,
 * in every order. It shares nothing with the checker but the history.
 */
import type { Operation } from './history.js';

/** Undefined: there it does not fit. */
function after(value: string | null, operation: Operation): string | null | undefined {
  const { op, outcome, result, expected } = operation;
  if (outcome === 'fail') return value === result && value !== expected ? value : undefined;
  if (op === 'get') return value === result ? value : undefined;
  // A delete may be asked for without a condition.
  const isFree = op === 'put' || (op === 'delete' && expected === undefined);
  if (!isFree && value !== expected) return undefined;
  if (op === 'delete') return null;
  return operation.value ?? null;
}

function saysSomething({ op, outcome, result }: Operation): boolean {
  if (outcome === 'ok') return true;
  return outcome === 'unknown' ? op !== 'get' : op === 'cas' && result !== undefined;
}

/** Can these come in an order, from a value on, that leaves out only what is unknown? */
function explains(rest: readonly Operation[], value: string | null): boolean {
  if (rest.every((each) => each.outcome === 'unknown')) return true;
  return rest.some((next) => {
    const others = rest.filter((each) => each !== next);
    const isLate = others.some(
      (each) => each.outcome !== 'unknown' && (each.return ?? Infinity) < next.call,
    );
    if (isLate) return false;
    const there = after(value, next);
    return there !== undefined && explains(others, there);
  });
}

export function isLinearizableByForce(operations: readonly Operation[]): boolean {
  return explains(operations.filter(saysSomething), null);
}
