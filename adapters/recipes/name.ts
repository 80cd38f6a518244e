/** Names that commands bring, and that are keys of a state. */

/**
 * Throws a RangeError for the one name that no snapshot can have, whoever says it: the nodes would
 * end at their next one, and again after each start.
 */
export function refuseUnsavable(name: string): void {
  if (name === '__proto__') throw new RangeError('the name __proto__ can not be saved');
}
