/**
 * The replicated state: keys and values, where the nodes listen, and a digest chained over all
 * commands. Whoever has another digest for a version has applied something else.
 */
import { createHash } from 'node:crypto';

export const initialState = { version: 0, digest: '', keys: {}, nodes: {} };

/** Under which id a command was seen where, while this process runs: each id has one place. */
const places = new Map();

/** More than a repeated request may be behind: older ones are forgotten. */
const remembered = 300_000;

/** Told what must not happen. */
export const alarm = { say: (text) => console.error(text) };

export function reducer(state, command, at) {
  refuseTwice(command.id, at);
  if (command.type === 'refuse') throw new RangeError('refused, as it was asked for');
  const found = state.keys[command.key] ?? null;
  const isMet = command.type !== 'cas' || found === command.expected;
  const version = state.version + 1;
  const digest = createHash('sha256')
    .update(JSON.stringify([state.digest, command, at.term, at.index, at.offset, found]))
    .digest('hex')
    .slice(0, 16);
  const changed = isMet ? changes(state, command) : {};
  return {
    state: { ...state, ...changed, version, digest },
    result: { version, digest, found, isMet },
  };
}

function changes({ keys, nodes }, { type, key, value, node, address }) {
  if (type === 'node') return { nodes: { ...nodes, [node]: address } };
  if (type === 'delete') {
    const rest = Object.entries(keys).filter(([each]) => each !== key);
    return { keys: Object.fromEntries(rest) };
  }
  return { keys: { ...keys, [key]: value } };
}

/** A request that comes again must not reach a reducer at another place of the log. */
function refuseTwice(id, { index, offset }) {
  if (id === undefined) return;
  const place = `${index}.${offset}`;
  const before = places.get(id);
  if (before !== undefined && before !== place) {
    alarm.say(`${id} was applied at ${before}, and again at ${place}`);
  }
  places.set(id, place);
  if (places.size > remembered) places.delete(places.keys().next().value);
}
