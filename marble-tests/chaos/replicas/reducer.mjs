/**
 * The replicated state: keys and values, where the nodes listen, and a digest chained over all
 * commands. Whoever has another digest for a version has applied something else.
 */
import { createHash } from 'node:crypto';

export const initialState = { version: 0, digest: '', keys: {}, nodes: {} };

/** More than a repeated request may be behind: older ones are forgotten. */
const remembered = 300_000;

/** `alarm` is told in words of what must not happen. */
export function reducerWith(alarm) {
  /** Where a command of each id was seen: it has one place, however often it is read again. */
  const places = new Map();
  return (state, command, at) => {
    const { id, type, key, expected } = command;
    const place = `${at.index}.${at.offset}`;
    const before = places.get(id) ?? place;
    if (id !== undefined) places.set(id, place);
    if (before !== place) alarm(`${id} was applied at ${before}, and again at ${place}`);
    if (places.size > remembered) places.delete(places.keys().next().value);
    if (type === 'refuse') throw new RangeError('refused, as it was asked for');
    const found = state.keys[key] ?? null;
    const isMet = type !== 'cas' || found === expected;
    const version = state.version + 1;
    const digest = digestOf([state.digest, command, at.term, at.index, at.offset, found]);
    const next = { ...state, ...(isMet && changes(state, command)), version, digest };
    return { state: next, result: { version, digest, found, isMet } };
  };
}

function digestOf(parts) {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function changes({ keys, nodes }, { type, key, value, node, address }) {
  if (type === 'node') return { nodes: { ...nodes, [node]: address } };
  if (type === 'delete') {
    const rest = Object.entries(keys).filter(([each]) => each !== key);
    return { keys: Object.fromEntries(rest) };
  }
  return { keys: { ...keys, [key]: value } };
}
