/**
 * What clients and nodes say to each other, whatever the machine behind is: an envelope, and in it
 * the fields that a `Protocol` makes of a request and of its answer.
 *
 *     client    [id, forwarded, …fields]     a request
 *     client    [bytes, bytes, …]            a batch: several of them, each as its bytes
 *     node      [id, 0, …fields]             its answer, in any order
 *     node      [id, 1, reason, text]        or a refusal: certainly not done
 *     node      [id, 2, text]                or nobody knows
 *
 * They are said on a path of their own, `/client`. Never Raft's messages, which have another path,
 * another greeting and another form: these frames begin with a list of MessagePack, those with the
 * length of their header. The version is agreed on when the connection is made, as the name of the
 * WebSocket's subprotocol.
 */
import { Packr } from 'msgpackr';
import { causeOf } from '../cause.js';
import { DecodeError } from '../codec.js';

export const clientPath = '/client';

/** Requests in one frame. A longer batch closes its connection. */
export const maxBatch = 1024;

/** What can be asked of a machine, and what it answers. */
export interface Protocol<Request, Answer extends Typed> {
  /** Of the WebSocket's subprotocol: another version has another name. */
  readonly name: string;
  /** A longer frame closes its connection. The longest request that is taken is shorter. */
  readonly maxFrameBytes: number;
  /** The same for what a node answers. Default `maxFrameBytes`. */
  readonly maxAnswerBytes?: number;
  /** Which limit a request breaks, in words, or null. */
  faultOf(request: Request): string | null;
  /** It changes nothing: its answer may be withheld. */
  isRead(request: Request): boolean;
  /** Asking twice is asking once, whoever leads. Of reads always. */
  isRepeatable(request: Request): boolean;
  /** What MessagePack has a form for. */
  fieldsOfRequest(request: Request): readonly unknown[];
  /** The request of these fields, which may alias them. Throws a DecodeError. */
  requestOf(fields: readonly unknown[]): Request;
  fieldsOfAnswer(answer: Answer): readonly unknown[];
  /** The answer of these fields, which aliases nothing of them. Throws a DecodeError. */
  answerOf(fields: readonly unknown[]): Answer;
}

/** Answers are told apart by their type, which is none of those of a `Failure`. */
export interface Typed {
  readonly type: string;
}

export interface Asked<Request> {
  /** The asker's own number, unique among what it waits for. */
  readonly id: number;
  /** It comes from a node that does not lead: it is not forwarded again. */
  readonly forwarded: boolean;
  readonly request: Request;
}

export type RefusalReason =
  /** The node does not lead. Only said to a node that forwards. */
  | 'notLeader'
  /** No node leads, as far as this one knows, and none did within its patience. */
  | 'noLeader'
  /** Too much is under way. */
  | 'overloaded'
  /** A request over its limit. */
  | 'tooLarge'
  /** No node could be asked. Only said by a client to itself. */
  | 'unreachable'
  /** The machine failed on it, on all nodes alike. */
  | 'failed';

/** How a request can end without an answer of the machine. */
export type Failure =
  /** Certainly not done, neither now nor later. Except `failed`: done, without an effect. */
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly text: string }
  /** Done, not done, or done later: only the state can tell. */
  | { readonly type: 'unknown'; readonly text: string };

const reasons = {
  notLeader: 1,
  noLeader: 2,
  overloaded: 3,
  tooLarge: 4,
  unreachable: 5,
  failed: 6,
} as const satisfies Record<RefusalReason, number>;

const reasonOf = new Map<unknown, RefusalReason>(
  Object.entries(reasons).map(([reason, code]) => [code, reason as RefusalReason]),
);

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

export function encodeRequest<Request, Answer extends Typed>(
  protocol: Protocol<Request, Answer>,
  { id, forwarded, request }: Asked<Request>,
): Uint8Array {
  return packr.pack([id, forwarded, ...protocol.fieldsOfRequest(request)]);
}

function askedOf<Request, Answer extends Typed>(
  protocol: Protocol<Request, Answer>,
  [id, forwarded, ...fields]: readonly unknown[],
): Asked<Request> {
  if (!isId(id)) throw new DecodeError('a request without its number');
  if (typeof forwarded !== 'boolean') throw new DecodeError('a request of unknown origin');
  return { id, forwarded, request: protocol.requestOf(fields) };
}

/** A request of a frame, and how many bytes of it. */
export interface Received<Request> {
  readonly asked: Asked<Request>;
  readonly bytes: number;
}

/** One frame for the requests of these bytes: at least one, at most `maxBatch`. */
export function encodeBatch(requests: readonly Uint8Array[]): Uint8Array {
  const [first] = requests;
  return requests.length === 1 && first !== undefined ? first : packr.pack(requests);
}

/**
 * The requests that a frame is, aliasing it: one, or those of a batch in their order. Throws a
 * DecodeError, which names the first that is none by its place: the others are not taken either.
 */
export function decodeRequests<Request, Answer extends Typed>(
  protocol: Protocol<Request, Answer>,
  frame: Uint8Array,
): readonly Received<Request>[] {
  const list = unpackList(frame);
  if (!(list[0] instanceof Uint8Array)) {
    return [{ asked: askedOf(protocol, list), bytes: frame.length }];
  }
  const { length } = list;
  if (length > maxBatch) {
    throw new DecodeError(`a batch of ${length} requests, and the limit is ${maxBatch}`);
  }
  return list.map((bytes, at) => {
    try {
      if (!(bytes instanceof Uint8Array)) throw new DecodeError('not the bytes of a request');
      return { asked: askedOf(protocol, unpackList(bytes)), bytes: bytes.length };
    } catch (cause) {
      const text = `request ${at + 1} of ${length}: ${causeOf(cause)}`;
      throw new DecodeError(text, { cause });
    }
  });
}

export function encodeAnswer<Request, Answer extends Typed>(
  protocol: Protocol<Request, Answer>,
  id: number,
  answer: Answer | Failure,
): Uint8Array {
  if (isFailure(answer)) {
    return answer.type === 'refused'
      ? packr.pack([id, 1, reasons[answer.reason], answer.text])
      : packr.pack([id, 2, answer.text]);
  }
  return packr.pack([id, 0, ...protocol.fieldsOfAnswer(answer)]);
}

/** The answer that a frame is, and to which request. Throws a DecodeError. */
export function decodeAnswer<Request, Answer extends Typed>(
  protocol: Protocol<Request, Answer>,
  frame: Uint8Array,
): { readonly id: number; readonly answer: Answer | Failure } {
  const [id, kind, ...fields] = unpackList(frame);
  if (!isId(id)) throw new DecodeError('an answer without its number');
  if (kind === 0) return { id, answer: protocol.answerOf(fields) };
  const [first, second] = fields;
  const reason = reasonOf.get(first);
  if (kind === 1 && reason !== undefined && typeof second === 'string') {
    return { id, answer: { type: 'refused', reason, text: second } };
  }
  if (kind === 2 && typeof first === 'string')
    return { id, answer: { type: 'unknown', text: first } };
  throw new DecodeError('an answer of no known kind');
}

export function isFailure(answer: Typed): answer is Failure {
  return answer.type === 'refused' || answer.type === 'unknown';
}

/** The machine has decided: whatever an earlier try did, this is the answer. */
export function isCertain(answer: Typed): boolean {
  return !isFailure(answer) || (answer.type === 'refused' && answer.reason === 'failed');
}

/** The list of MessagePack that these bytes are; byte strings in it alias them. */
export function unpackList(bytes: Uint8Array): readonly unknown[] {
  let list: unknown;
  try {
    // A plain view: msgpackr would return Buffers for a Buffer, and mark it.
    list = packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw new DecodeError('the bytes are no MessagePack', { cause: error });
  }
  if (!Array.isArray(list)) throw new DecodeError('the bytes are no list');
  return list;
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
