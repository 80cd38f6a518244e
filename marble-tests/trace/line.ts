/**
 * A line of a trace, read as `adapters/trace.ts` describes the format, and refused unless it is
 * exactly that. Nothing of the product is used here: what judges must not share the fault.
 */
import * as v from 'valibot';

const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const id = v.pipe(v.string(), v.minLength(1));
const ids = v.array(id);
const position = v.strictObject({ term: number, index: number });
const config = v.strictObject({ voters: ids, newVoters: ids, nonVoters: ids });
const place = v.strictObject({ position, config });
const content = v.union([v.null(), v.string(), config]);
const entries = v.strictObject({
  after: position,
  list: v.array(v.strictTuple([number, content])),
});

const of = { from: id, term: number };
const message = v.variant('type', [
  v.strictObject({ type: v.literal('requestVoteCall'), ...of, lastPosition: position }),
  v.strictObject({ type: v.literal('requestVoteReply'), ...of, voteGranted: v.boolean() }),
  v.strictObject({
    type: v.literal('appendEntriesCall'),
    ...of,
    round: number,
    commitIndex: number,
    entries,
  }),
  v.strictObject({
    type: v.literal('appendEntriesReply'),
    ...of,
    round: number,
    generation: number,
    refused: v.boolean(),
    lastPosition: position,
  }),
  v.strictObject({ type: v.literal('removalNotice'), ...of, position }),
]);

const state = {
  node: id,
  run: number,
  line: number,
  role: v.picklist(['follower', 'candidate', 'leader']),
  term: number,
  vote: v.nullable(id),
  commit: number,
  last: position,
  config,
};

function event<const E extends string, const F extends v.ObjectEntries>(name: E, fields: F) {
  return v.strictObject({ event: v.literal(name), ...state, ...fields });
}

const lineSchema = v.variant('event', [
  event('start', { version: v.literal(1), snapshot: v.nullable(place), entries }),
  event('becomeFollower', { leader: v.nullable(id) }),
  event('becomeCandidate', { leader: v.nullable(id) }),
  event('becomeLeader', { leader: v.nullable(id) }),
  event('send', { to: ids, message }),
  event('receive', { message }),
  event('sendSnapshot', { to: id, leaderTerm: number, snapshot: place }),
  event('receiveSnapshot', { from: id, leaderTerm: number, snapshot: place }),
  event('append', { entries }),
  event('snapshot', { snapshot: place }),
  event('persist', {
    sequence: number,
    hardState: v.boolean(),
    entries: v.nullable(entries),
    snapshot: v.nullable(place),
  }),
  event('persisted', { sequence: number }),
  event('commit', {}),
  event('apply', { entries }),
  event('restore', { snapshot: place }),
  event('configuration', { index: number }),
]);

export type Position = v.InferOutput<typeof position>;
export type Config = v.InferOutput<typeof config>;
export type Place = v.InferOutput<typeof place>;
export type Entries = v.InferOutput<typeof entries>;
export type Message = v.InferOutput<typeof message>;
export type Line = v.InferOutput<typeof lineSchema>;
export type LineOf<E extends Line['event']> = Extract<Line, { event: E }>;

/** Throws an Error that says what is wrong. */
export function parseLine(text: string): Line {
  const result = v.safeParse(lineSchema, JSON.parse(text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`${v.getDotPath(issue) ?? 'the line'}: ${issue.message}`);
}

/** The parts of a line that go from node to node, as texts: equal when the parts are. */
export function sentBy(line: Line): string[] {
  if (line.event === 'send') {
    return line.to.map((to) => `${line.node}>${to} ${JSON.stringify(line.message)}`);
  }
  if (line.event !== 'sendSnapshot') return [];
  return [`${line.node}>${line.to} ${line.leaderTerm} ${JSON.stringify(line.snapshot)}`];
}

export function receivedBy(line: Line): string | null {
  if (line.event === 'receive') {
    return `${line.message.from}>${line.node} ${JSON.stringify(line.message)}`;
  }
  if (line.event !== 'receiveSnapshot') return null;
  return `${line.from}>${line.node} ${line.leaderTerm} ${JSON.stringify(line.snapshot)}`;
}

export function comparePlaces(a: Position, b: Position): number {
  return a.term === b.term ? a.index - b.index : a.term - b.term;
}

export function sameConfig(a: Config, b: Config): boolean {
  const same = (left: readonly string[], right: readonly string[]): boolean =>
    [...left].sort().join('\0') === [...right].sort().join('\0');
  return (
    same(a.voters, b.voters) && same(a.newVoters, b.newVoters) && same(a.nonVoters, b.nonVoters)
  );
}

export function samePlace(a: Place, b: Place): boolean {
  return comparePlaces(a.position, b.position) === 0 && sameConfig(a.config, b.config);
}
