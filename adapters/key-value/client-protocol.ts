/** What clients ask of the key-value store, and what it answers. */
import * as v from 'valibot';
import { faultOfNodeId } from '../../lib/cluster-config.js';
import type { LogIndex, NodeId } from '../../lib/position.js';
import type { ChangeFault } from '../change-refused.js';
import { changeFaultOf, changeFaults } from '../change-refused.js';
import { DecodeError } from '../codec.js';
import type { Failure, Protocol } from '../gateway/protocol.js';
import { partsOfAddress } from './address-form.js';
import type { KeyChange } from './changes.js';
import type { Command } from './commands.js';
import { commandOf, faultOfCommand, faultOfKey, fieldsOf } from './commands.js';

export type Request =
  | { readonly type: 'command'; readonly command: Command }
  /** `stale`: what this very node has applied so far, without asking the others. */
  | { readonly type: 'get'; readonly key: Uint8Array; readonly stale: boolean }
  | { readonly type: 'status' }
  /** A node of this id and address is to be a voter. */
  | { readonly type: 'add'; readonly id: NodeId; readonly address: string }
  /** A node is to be no member any more. */
  | { readonly type: 'remove'; readonly id: NodeId }
  /** The asked node is to take a snapshot of its store now. */
  | { readonly type: 'snapshot' }
  /**
   * What changes on the asked node: of one key, or of all that begin with it. `from`: the index of
   * the log to begin with; null: from now on. It has many answers, and ends with its connection.
   */
  | {
      readonly type: 'watch';
      readonly key: Uint8Array;
      readonly isPrefix: boolean;
      readonly from: LogIndex | null;
    };

export type Change = Extract<Request, { readonly type: 'add' | 'remove' }>;

/** What the store answers, when it does. */
export type StoreAnswer =
  /** A put or a delete, durable on a majority. */
  | { readonly type: 'done' }
  /** There is no such key. */
  | { readonly type: 'missing' }
  /** The condition does not hold. Nothing was changed. */
  | { readonly type: 'conflict' }
  | { readonly type: 'value'; readonly value: Uint8Array }
  | { readonly type: 'status'; readonly status: NodeStatus }
  | { readonly type: 'changeRefused'; readonly reason: ChangeFault; readonly text: string }
  /** The log up to this index need not be kept any more. */
  | { readonly type: 'snapshot'; readonly index: LogIndex }
  | WatchAnswer;

/** What whoever watches is told. To go on after a loss: from the newest index and one. */
export type WatchAnswer =
  /** Everything up to this index has been told. */
  | { readonly type: 'watching'; readonly index: LogIndex }
  /** All that the entry of this index has changed, of the keys that are meant. */
  | {
      readonly type: 'changes';
      readonly index: LogIndex;
      readonly changes: readonly KeyChange[];
    }
  /**
   * What was changed until then is not kept any more: these are the values at this index, all of
   * them when the last piece has come. A key that is not among them is not there.
   */
  | {
      readonly type: 'current';
      readonly index: LogIndex;
      readonly isLast: boolean;
      readonly values: readonly KeyChange[];
    };

export type Answer = StoreAnswer | Failure;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const nodeStatus = v.strictObject({
  id: v.string(),
  cluster: v.string(),
  address: v.string(),
  pid: count,
  role: v.picklist(['follower', 'candidate', 'leader']),
  term: count,
  leader: v.nullable(v.string()),
  commit: count,
  applied: count,
  keys: count,
  members: v.record(v.string(), v.string()),
  voters: v.array(v.string()),
  nonVoters: v.array(v.string()),
});

/**
 * What a node says of itself. `members`: where the members live, by id, as far as it knows;
 * `voters` and `nonVoters`: of the newest configuration in its log, both empty where there is none.
 */
export type NodeStatus = v.InferOutput<typeof nodeStatus>;

/** Kinds of requests and of answers: numbers from 1 on, in their order above. */
export const keyValueProtocol: Protocol<Request, StoreAnswer> = {
  name: 'rxraft.key-value.1',
  maxFrameBytes: (2 << 20) + (256 << 10),
  isRead: ({ type }) => type !== 'command' && type !== 'add' && type !== 'remove',
  isRepeatable: ({ type }) => type !== 'command',
  faultOf(request) {
    if (request.type === 'command') return faultOfCommand(request.command);
    return 'key' in request ? faultOfKey(request.key) : null;
  },
  fieldsOfRequest(request) {
    switch (request.type) {
      case 'command':
        return [1, ...fieldsOf(request.command)];
      case 'get':
        return [2, request.key, request.stale];
      case 'status':
        return [3];
      case 'add':
        return [4, request.id, request.address];
      case 'remove':
        return [5, request.id];
      case 'snapshot':
        return [6];
      case 'watch':
        return [7, request.key, request.isPrefix, request.from];
    }
  },
  requestOf([kind, ...fields]) {
    const [key, second, condition] = fields;
    if (kind === 1 && fields.length === 3) {
      return { type: 'command', command: commandOf(key, second, condition) };
    }
    if (kind === 2 && fields.length === 2) {
      if (key instanceof Uint8Array && typeof second === 'boolean') {
        return { type: 'get', key, stale: second };
      }
    }
    if (kind === 3 && fields.length === 0) return { type: 'status' };
    if (kind === 4 && fields.length === 2 && isNodeId(key)) {
      if (typeof second === 'string' && partsOfAddress(second) !== null) {
        return { type: 'add', id: key, address: second };
      }
    }
    if (kind === 5 && fields.length === 1 && isNodeId(key)) return { type: 'remove', id: key };
    if (kind === 6 && fields.length === 0) return { type: 'snapshot' };
    if (kind === 7 && fields.length === 3 && key instanceof Uint8Array) {
      const from = condition;
      if (typeof second === 'boolean' && (from === null || isIndex(from))) {
        // A copy, because a watch outlives the frame, which may have other requests in it.
        return { type: 'watch', key: new Uint8Array(key), isPrefix: second, from };
      }
    }
    throw new DecodeError('a request of no known kind');
  },
  fieldsOfAnswer(answer) {
    switch (answer.type) {
      case 'done':
        return [1];
      case 'missing':
        return [2];
      case 'conflict':
        return [3];
      case 'value':
        return [4, answer.value];
      case 'status':
        return [5, JSON.stringify(answer.status)];
      case 'changeRefused':
        return [6, changeFaults[answer.reason], answer.text];
      case 'snapshot':
        return [7, answer.index];
      case 'watching':
        return [8, answer.index];
      case 'changes':
        return [9, answer.index, ...fieldsOfChanges(answer.changes)];
      case 'current':
        return [10, answer.index, answer.isLast, ...fieldsOfChanges(answer.values)];
    }
  },
  answerOf([kind, first, second, ...rest]) {
    if (kind === 1) return { type: 'done' };
    if (kind === 2) return { type: 'missing' };
    if (kind === 3) return { type: 'conflict' };
    // A copy, because whoever asked may keep it for longer than the frame.
    if (kind === 4 && first instanceof Uint8Array) {
      return { type: 'value', value: new Uint8Array(first) };
    }
    if (kind === 5 && typeof first === 'string') return { type: 'status', status: statusOf(first) };
    const reason = changeFaultOf.get(first);
    if (kind === 6 && reason !== undefined && typeof second === 'string') {
      return { type: 'changeRefused', reason, text: second };
    }
    if (isIndex(first)) {
      if (kind === 7) return { type: 'snapshot', index: first };
      if (kind === 8) return { type: 'watching', index: first };
      if (kind === 9)
        return { type: 'changes', index: first, changes: changesOf([second, ...rest]) };
      if (kind === 10 && typeof second === 'boolean') {
        return { type: 'current', index: first, isLast: second, values: changesOf(rest) };
      }
    }
    throw new DecodeError('an answer of no known kind');
  },
};

function fieldsOfChanges(changes: readonly KeyChange[]): unknown[] {
  return changes.flatMap(({ key, value }) => [key, value]);
}

/** Copies, because whoever asked may keep them for longer than the frame. */
function changesOf(fields: readonly unknown[]): KeyChange[] {
  const changes: KeyChange[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [key, value] = [fields[at], fields[at + 1]];
    if (!(key instanceof Uint8Array)) throw new DecodeError('a change without a key');
    if (value !== null && !(value instanceof Uint8Array)) throw new DecodeError('a strange change');
    const copy = value === null ? null : new Uint8Array(value);
    changes.push({ key: new Uint8Array(key), value: copy });
  }
  return changes;
}

function isIndex(value: unknown): value is LogIndex {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNodeId(value: unknown): value is NodeId {
  return faultOfNodeId(value) === null;
}

function statusOf(text: string): NodeStatus {
  try {
    return v.parse(nodeStatus, JSON.parse(text));
  } catch (error) {
    throw new DecodeError('a status that is none', { cause: error });
  }
}
