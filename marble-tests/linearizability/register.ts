/**
 * The sequential register of one key, and what each operation asks of it: the value that must be
 * there, and the value that is there afterwards.
 */
import type { Operation } from './history.js';

/** Null: there is no such key. */
export type Value = string | null;

/**
 * - `required`: it took effect, once, between its call and its return.
 * - `optional`: it took effect once, at any time after its call, or never.
 * - `free`: it is left out of the question: what it sets may be there at any time after its call.
 */
export type Weight = 'required' | 'optional' | 'free';

export interface Step {
  readonly operation: Operation;
  readonly weight: Weight;
  readonly call: number;
  readonly return: number;
  /** Undefined: it does not matter. */
  readonly needs: Value | undefined;
  /** Undefined: the value stays. */
  readonly sets: Value | undefined;
}

/** A value that is never there: what needs it can't be explained. */
export const never = '\0never';

/** What an operation asks of the register, or null if it says nothing about it. */
export function stepOf(operation: Operation): Step | null {
  const { call, outcome } = operation;
  const known = {
    operation,
    call,
    return: operation.return ?? Infinity,
    weight: 'required',
  } as const;
  const { needs, sets } = effectOf(operation);
  if (outcome === 'ok') return { ...known, needs, sets };
  if (outcome === 'unknown') {
    if (sets === undefined) return null;
    return { ...known, return: Infinity, weight: 'optional', needs, sets };
  }
  const { op, result, expected } = operation;
  if (op !== 'cas' || result === undefined) return null;
  // "Another value was there" is absurd of the very value that was expected.
  return { ...known, needs: result === expected ? never : result, sets: undefined };
}

function effectOf({ op, value, expected, result }: Operation): Pick<Step, 'needs' | 'sets'> {
  switch (op) {
    case 'put':
      return { needs: undefined, sets: value ?? null };
    case 'delete':
      return { needs: expected, sets: null };
    case 'cas':
      return { needs: expected ?? null, sets: value ?? null };
    case 'get':
      return { needs: result ?? null, sets: undefined };
  }
}

/** Out of the question: whatever was written may be there, and what was seen does not count. */
export function freed(step: Step): Step | null {
  if (step.sets === undefined) return null;
  return { ...step, return: Infinity, weight: 'free', needs: undefined };
}

/**
 * The same question with fewer unknowns: an answer to one is an answer to the other.
 *
 * A write of unknown outcome that nobody needs may as well never have happened. And if somebody saw
 * a value that only one operation can have set, then it did so, before the first who saw it
 * returned.
 */
export function reduced(steps: readonly Step[], initial: Value): Step[] {
  let rest = [...steps];
  for (;;) {
    const seen = firstSeen(rest);
    const needed = new Set(rest.map((step) => step.needs));
    const setters = new Map<Value | undefined, number>([[initial, 1]]);
    for (const { sets } of rest) setters.set(sets, (setters.get(sets) ?? 0) + 1);
    let isDone = true;
    const next: Step[] = [];
    for (const step of rest) {
      const { weight, needs, sets, call } = step;
      const isUseless = weight !== 'required' && (!needed.has(sets) || needs === sets);
      const until = weight === 'optional' && setters.get(sets) === 1 ? seen.get(sets) : undefined;
      if (isUseless || until !== undefined) isDone = false;
      if (isUseless) continue;
      if (until === undefined) next.push(step);
      else next.push({ ...step, weight: 'required', return: Math.max(call, until) });
    }
    if (isDone) return rest;
    rest = next;
  }
}

/** Of each value, when the first required step that needs it returned. */
function firstSeen(steps: readonly Step[]): Map<Value | undefined, number> {
  const seen = new Map<Value | undefined, number>();
  for (const step of steps) {
    if (step.weight !== 'required' || step.needs === undefined) continue;
    seen.set(step.needs, Math.min(seen.get(step.needs) ?? Infinity, step.return));
  }
  return seen;
}
