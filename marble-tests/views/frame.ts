/** What a node may say to a page, by its shape: nothing torn, and nothing else. */
import * as v from 'valibot';
import type { LiveFrame } from '../../adapters/live/protocol.js';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const ms = v.pipe(v.number(), v.finite(), v.minValue(0));
const id = v.pipe(v.string(), v.minLength(1));
const ids = v.array(id);
const role = v.picklist(['follower', 'candidate', 'leader']);
const kind = v.picklist([
  ...(['voteCall', 'voteGranted', 'voteDenied', 'append', 'heartbeat'] as const),
  ...(['acknowledged', 'refused', 'snapshot', 'removal'] as const),
]);

const cell = v.strictObject({
  ...{ index: count, term: count, bytes: count },
  type: v.picklist(['term', 'config', 'command']),
});

const status = v.strictObject({
  ...{ type: v.literal('status'), at: ms, node: id, cluster: id, pid: count },
  ...{ role, term: count, leader: v.nullable(id), commit: count, applied: count, keys: count },
  members: v.record(id, v.pipe(v.string(), v.minLength(1))),
  config: v.strictObject({ voters: ids, newVoters: ids, nonVoters: ids }),
  log: v.strictObject({
    last: v.strictObject({ term: count, index: count }),
    snapshot: count,
    entries: v.array(cell),
  }),
  peers: v.array(v.strictObject({ id, matchIndex: count, nextIndex: count })),
  load: v.strictObject({
    ...{ elapsedMs: ms, answered: count, failed: count },
    ...{ medianMs: v.nullable(ms), p99Ms: v.nullable(ms) },
  }),
});

const seen = { at: ms, kind, peers: ids, term: count, count, entries: count, index: count };
const event = v.variant('type', [
  v.strictObject({ type: v.literal('sent'), ...seen, rounds: v.tuple([count, count]) }),
  v.strictObject({ type: v.literal('received'), ...seen, rounds: v.tuple([count, count]) }),
  v.strictObject({ type: v.literal('role'), at: ms, role, term: count, leader: v.nullable(id) }),
  v.strictObject({ type: v.literal('commit'), at: ms, index: count }),
]);

const frame = v.variant('type', [
  status,
  v.strictObject({ type: v.literal('events'), at: ms, events: v.array(event), untold: count }),
  v.strictObject({
    ...{ type: v.literal('answer'), id: count, text: v.string() },
    outcome: v.picklist(['done', 'value', 'missing', 'refused', 'unknown']),
  }),
]);

/** Throws a SyntaxError or a ValiError. */
export function frameOf(text: string): LiveFrame {
  return v.parse(frame, JSON.parse(text));
}
