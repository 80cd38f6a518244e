/**
 * A history: what clients asked of a store of keys and values, when, and what came of it, as JSON
 * lines that other checkers can read.
 *
 *     {"client":1,"op":"put","key":"x","value":"v","call":123,"return":456,"outcome":"ok"}
 *
 * - `op`: `put` sets `value`; `get` returns the value; `cas` sets `value` if `expected` is there;
 *   `delete` takes the key away, if `expected` is there where that is said. A key that is not
 *   there has the value null.
 * - `call`, `return`: when it began and when its end was known, of one monotonic clock. `return` is
 *   null, or is missing, when the end was never known.
 * - `outcome`: `ok`, it was done; `fail`, it was certainly not done; `unknown`, it may have been
 * done
 *   at any time since its call, or be done at any time to come, or never.
 * - `result`: of a `get` that is ok, the value or null. Of a `cas` that failed because another
 * value
 *   was there, that value; without it a failure says nothing.
 */
import * as v from 'valibot';

const id = v.union([v.number(), v.string()]);
const value = v.optional(v.nullable(v.string()));

const schema = v.strictObject({
  client: id,
  op: v.picklist(['put', 'get', 'cas', 'delete']),
  key: v.string(),
  value,
  expected: value,
  call: v.number(),
  return: v.optional(v.nullable(v.number())),
  outcome: v.picklist(['ok', 'fail', 'unknown']),
  result: value,
});

export type Operation = v.InferOutput<typeof schema>;

/** Throws an Error that names the line and says what is wrong with it. */
export function readHistory(text: string): Operation[] {
  return text
    .split('\n')
    .map((line, at) => [line, at + 1] as const)
    .filter(([line]) => line.trim() !== '')
    .map(([line, number]) => {
      try {
        return checked(JSON.parse(line));
      } catch (error) {
        throw new Error(`line ${number}: ${(error as Error).message}`, { cause: error });
      }
    });
}

/** The operation, if it is one. Throws an Error that says what is wrong. */
export function checked(json: unknown): Operation {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new Error(`${v.getDotPath(issue) ?? 'the operation'}: ${issue.message}`);
  }
  const operation = parsed.output;
  const { op, outcome, call } = operation;
  const writes = op === 'put' || op === 'cas';
  if (writes && typeof operation.value !== 'string') throw new Error(`value: a ${op} has one`);
  if (op === 'cas' && operation.expected === undefined) throw new Error('expected: a cas has one');
  if (op === 'get' && outcome === 'ok' && operation.result === undefined) {
    throw new Error('result: a get that is ok has one');
  }
  if (outcome === 'unknown') return operation;
  if (typeof operation.return !== 'number' || operation.return < call) {
    throw new Error('return: it is known, and not before the call');
  }
  return operation;
}
