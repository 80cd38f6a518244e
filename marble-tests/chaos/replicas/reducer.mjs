/**
 * The replicated state: keys and values, where the nodes listen, and a digest chained over all
 * commands. Whoever has another digest for a version has applied something else.
 *
 * All of these commands have a request id: versions count the ids that replicas remember, and
 * `bytes` the filling of the results. One that has come so late that the id of its first try may be
 * forgotten has no effect.
 */
import { createHash } from 'node:crypto';
import { mayBeForgotten } from './forgetting.mjs';

export const initialState = { version: 0, digest: '', bytes: 0, keys: {}, nodes: {} };

/** More than a repeated request may be behind: older ones are forgotten. */
const remembered = 300_000;

/** `alarm` is told in words of what must not happen. */
export function reducerWith(alarm) {
  /** Where a command of each id was seen: it has one place, however often it is read again. */
  const places = new Map();
  return (state, command, at) => {
    const { id, type, key, expected, since, size = 0 } = command;
    const isLate = since !== undefined && mayBeForgotten(since, state);
    const isOnce = since !== undefined && !isLate;
    const place = `${at.index}.${at.offset}`;
    const before = places.get(id) ?? place;
    if (isOnce) places.set(id, place);
    if (isOnce && before !== place) alarm(`${id} was applied at ${before}, and again at ${place}`);
    if (places.size > remembered) places.delete(places.keys().next().value);
    if (type === 'refuse') throw new RangeError('refused, as it was asked for');
    const found = state.keys[key] ?? null;
    const isMet = !isLate && (type !== 'cas' || found === expected);
    const version = state.version + 1;
    const digest = digestOf([state.digest, command, at.term, at.index, at.offset, found]);
    const seen = { version, digest, bytes: state.bytes + size };
    const next = { ...state, ...(isMet && changes(state, command)), ...seen };
    const filling = 'x'.repeat(size);
    return { state: next, result: { ...seen, found, isMet, isLate, filling } };
  };
}

function digestOf(parts) {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function changes({ keys, nodes }, { type, key, value, node, address }) {
  if (type === 'fill') return {};
  if (type === 'node') return { nodes: { ...nodes, [node]: address } };
  if (type === 'delete') {
    const rest = Object.entries(keys).filter(([each]) => each !== key);
    return { keys: Object.fromEntries(rest) };
  }
  return { keys: { ...keys, [key]: value } };
}
