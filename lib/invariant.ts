/** The node's own invariants. One that does not hold ends the node: it dies rather than lies. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws an InvariantError unless the condition holds. Its text is made only then. */
export function ensure(condition: boolean, otherwise: () => string): asserts condition {
  if (!condition) throw new InvariantError(otherwise());
}
