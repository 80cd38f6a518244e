/** What nodes and clients ask a replica, and what it answers. */
import { clusterOf, faultOf } from '../../lib/cluster-config.js';
import type { LogIndex, NodeId } from '../../lib/position.js';
import type { ChangeFault } from '../change-refused.js';
import { changeFaultOf, changeFaults } from '../change-refused.js';
import type { Codec } from '../codec.js';
import { DecodeError } from '../codec.js';
import type { Protocol } from '../gateway/protocol.js';
import type { Logged } from './logged.js';
import type { ReplicaUpdate } from './feed.js';
import { loggedOf } from './logged.js';
import type { TailBlock } from './tail.js';

/** The longest command, in bytes of its codec: an entry of the log must fit into a message. */
export const maxCommandBytes = 1 << 20;

/** More of them would hardly agree on anything. */
export const maxVoters = 64;

export type ReplicaRequest =
  | ({ readonly type: 'dispatch' } & Logged)
  /** How far a state must have come to be linearizable now. */
  | { readonly type: 'readIndex' }
  /** Everything behind the index that was seen last, or the state first. Answered by updates. */
  | { readonly type: 'watch'; readonly after: LogIndex | null }
  /** These are to be the voters, and nobody else a member. */
  | { readonly type: 'changeVoters'; readonly voters: readonly NodeId[] };

export type ReplicaAnswer<Result> =
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'readIndex'; readonly index: LogIndex }
  | { readonly type: 'votersChanged' }
  | { readonly type: 'changeRefused'; readonly reason: ChangeFault; readonly text: string }
  | ReplicaUpdate;

export function replicaProtocol<Result>(
  results: Codec<Result>,
): Protocol<ReplicaRequest, ReplicaAnswer<Result>> {
  return {
    name: 'rxraft.replica.1',
    maxFrameBytes: maxCommandBytes + 4096,
    // A watch begins with the state.
    maxAnswerBytes: 128 << 20,
    isRead: ({ type }) => type !== 'dispatch' && type !== 'changeVoters',
    isRepeatable: (request) => request.type !== 'dispatch' || request.requestId !== null,
    faultOf(request) {
      return request.type === 'dispatch' ? faultOfCommand(request.command) : null;
    },
    fieldsOfRequest(request) {
      if (request.type === 'dispatch') return [1, request.requestId, request.command];
      if (request.type === 'changeVoters') return [4, ...request.voters];
      return request.type === 'readIndex' ? [2] : [3, request.after];
    },
    requestOf([kind, ...fields]) {
      if (kind === 1 && fields.length === 2) {
        return { type: 'dispatch', ...loggedOf(fields[0], fields[1]) };
      }
      if (kind === 2 && fields.length === 0) return { type: 'readIndex' };
      const [after] = fields;
      if (kind === 3 && fields.length === 1 && (after === null || isIndex(after))) {
        return { type: 'watch', after };
      }
      if (kind === 4) return { type: 'changeVoters', voters: votersOf(fields) };
      throw new DecodeError('a request of no known kind');
    },
    fieldsOfAnswer(answer) {
      switch (answer.type) {
        case 'result':
          return [1, results.encode(answer.result)];
        case 'readIndex':
          return [2, answer.index];
        case 'snapshot':
          return [3, answer.index, answer.state];
        case 'entries':
          return [4, answer.index, ...answer.blocks.flatMap(fieldsOfBlock)];
        case 'votersChanged':
          return [5];
        case 'changeRefused':
          return [6, changeFaults[answer.reason], answer.text];
      }
    },
    answerOf([kind, first, ...fields]) {
      if (kind === 1 && first instanceof Uint8Array) {
        return { type: 'result', result: results.decode(first) };
      }
      if (kind === 5) return { type: 'votersChanged' };
      if (kind === 6) return refusedChange(first, fields[0]);
      if (!isIndex(first)) throw new DecodeError('an answer of no known kind');
      if (kind === 2) return { type: 'readIndex', index: first };
      const [state] = fields;
      if (kind === 3 && state instanceof Uint8Array) {
        return { type: 'snapshot', index: first, state: new Uint8Array(state) };
      }
      if (kind === 4) return { type: 'entries', index: first, blocks: blocksOf(fields) };
      throw new DecodeError('an answer of no known kind');
    },
  };
}

function refusedChange(
  code: unknown,
  text: unknown,
): Extract<ReplicaAnswer<never>, { readonly type: 'changeRefused' }> {
  const reason = changeFaultOf.get(code);
  if (reason === undefined || typeof text !== 'string') {
    throw new DecodeError('a change that was refused for no known reason');
  }
  return { type: 'changeRefused', reason, text };
}

/** Throws a DecodeError. */
function votersOf(fields: readonly unknown[]): NodeId[] {
  const voters = fields.filter((id) => typeof id === 'string');
  const fault = voters.length < fields.length ? 'no node ids' : faultOfVoters(voters);
  if (fault !== null) throw new DecodeError(fault);
  return voters;
}

/** What is wrong with these as voters, in words, or null. */
export function faultOfVoters(voters: readonly NodeId[]): string | null {
  if (voters.length > maxVoters) return `${voters.length} voters, and the limit is ${maxVoters}`;
  return faultOf(clusterOf(voters));
}

/** `index, term, [command, …]` */
function fieldsOfBlock({ index, term, commands }: TailBlock): readonly unknown[] {
  return [index, term, commands];
}

/** Throws a DecodeError. */
function blocksOf(fields: readonly unknown[]): TailBlock[] {
  const blocks: TailBlock[] = [];
  for (let at = 0; at < fields.length; at += 3) {
    const [index, term, commands] = fields.slice(at, at + 3);
    if (!isIndex(index) || !isIndex(term) || !Array.isArray(commands)) {
      throw new DecodeError('a block that is none');
    }
    blocks.push({ index, term, commands: commands.map(commandOf) });
  }
  return blocks;
}

function commandOf(command: unknown): Uint8Array | null {
  if (command === null || command instanceof Uint8Array) return command;
  throw new DecodeError('a command that is no bytes');
}

function isIndex(value: unknown): value is LogIndex {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What is too long about a command, in words, or null. */
export function faultOfCommand(command: Uint8Array): string | null {
  if (command.length <= maxCommandBytes) return null;
  return `the command has ${command.length} bytes, and the limit is ${maxCommandBytes}`;
}
