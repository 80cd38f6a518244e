/** `/kv/:key` over HTTP: one request for the store, or two. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, Request } from './client-protocol.js';
import { keyValueProtocol } from './client-protocol.js';
import type { Condition } from './commands.js';
import { errorReply, etagOf, malformed, replyOf, type Reply } from './http-reply.js';
import type { Target } from './http-target.js';

export interface KeyRequest {
  readonly method: string;
  readonly key: Uint8Array;
  readonly query: Target['query'];
  readonly headers: IncomingHttpHeaders;
  /** Asked for by a PUT alone. */
  readonly body: () => Promise<Uint8Array | Reply>;
  readonly answer: (request: Request) => Promise<Answer>;
}

/** What must be true: of the value's bytes, or of their digest. */
type Demand = { readonly condition: Condition } | { readonly etag: string };

const conditions = 'if=VALUE, if-absent, If-Match: "ETAG" and If-None-Match: *';

/** Never rejects, if `answer` does not. */
export async function keyReply(request: KeyRequest): Promise<Reply> {
  const { method, key, query, headers } = request;
  if (method === 'GET' || method === 'HEAD') {
    const fault = faultOfQuery(query, ['stale']);
    if (fault !== null) return fault;
    return ask(request, { type: 'get', key, stale: query.has('stale') });
  }
  const fault = faultOfQuery(query, ['if', 'if-absent']);
  if (fault !== null) return fault;
  const demand = demandOf(headers, query);
  if ('status' in demand) return demand;
  if (method === 'DELETE') return change(request, null, demand);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    const text = 'the bytes are stored as they come: send them without a content encoding';
    return errorReply(415, 'encoding', text);
  }
  const value = await request.body();
  return 'status' in value ? value : change(request, value, demand);
}

async function change(
  request: KeyRequest,
  value: Uint8Array | null,
  demand: Demand,
): Promise<Reply> {
  const { key } = request;
  let condition: Condition;
  if ('condition' in demand) condition = demand.condition;
  else {
    const current = await request.answer({ type: 'get', key, stale: false });
    if (current.type !== 'value') {
      return replyOf(current.type === 'missing' ? { type: 'conflict' } : current);
    }
    if (etagOf(current.value) !== demand.etag) return replyOf({ type: 'conflict' });
    // Compare and set: if another value comes in between, nothing is changed.
    condition = current.value;
  }
  if (value === null) {
    return ask(request, { type: 'command', command: { type: 'delete', key, condition } });
  }
  const command = { type: 'put', key, value, condition } as const;
  const reply = await ask(request, { type: 'command', command });
  return reply.status === 204 ? { ...reply, headers: { etag: etagOf(value) } } : reply;
}

async function ask({ answer }: KeyRequest, request: Request): Promise<Reply> {
  const text = keyValueProtocol.faultOf(request);
  if (text !== null) return replyOf({ type: 'refused', reason: 'tooLarge', text });
  return replyOf(await answer(request));
}

function faultOfQuery(query: Target['query'], known: readonly string[]): Reply | null {
  for (const [name, value] of query) {
    if (!known.includes(name)) {
      return malformed(`the query has ${JSON.stringify(name)}: known is ${known.join(', ')}`);
    }
    if (name !== 'if' && value.length > 0) return malformed(`the query: ${name} takes no value`);
  }
  return null;
}

function demandOf(headers: IncomingHttpHeaders, query: Target['query']): Demand | Reply {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const value = query.get('if');
  const isAbsent = query.has('if-absent') || noneMatch !== undefined;
  const given = [match, noneMatch, value, query.get('if-absent')].filter(
    (each) => each !== undefined,
  );
  if (given.length > 1) return malformed(`give one condition: ${conditions} exclude each other`);
  if (noneMatch !== undefined && noneMatch !== '*') {
    return malformed('If-None-Match: only * is known, which means: if there is no value');
  }
  if (match === undefined) return { condition: value ?? (isAbsent ? 'absent' : null) };
  if (!/^"[\x21\x23-\x7e]*"$/.test(match)) {
    return malformed('If-Match: give one ETag, in quotes, as a GET has named it');
  }
  return { etag: match };
}
