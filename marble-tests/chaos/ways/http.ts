/**
 * HTTP on connections that are kept: `/kv/:key`.
 *
 * What a status says is taken at its word: 503 and 429 claim that nothing was done, 504 that nobody
 * knows. A connection that breaks says nothing. If it was ever open, the request may have reached
 * the node, though it was never seen to be read: kept connections are closed by the node just when
 * the next request is under way. So nothing but a connection that was never open is no call at all.
 */
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Asked, Door, DoorOptions, Outcome, Way } from './way.js';
import { patienceMs, Turns } from './way.js';

/** Several requests are under way on connections of their own. */
export const http: Way = {
  ...{ name: 'http', rows: 2, atOnce: 1, pauseMs: 60 },
  open: (options) => new HttpDoor(options),
};

interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

class HttpDoor implements Door {
  private readonly turns: Turns;
  private agent = new Agent({ keepAlive: true });
  private address: string | null = null;
  private calls = 0;

  constructor(options: DoorOptions) {
    this.turns = new Turns(options);
  }

  async ask(asked: Asked): Promise<Outcome | null> {
    const address = (this.address ??= this.turns.next());
    this.calls += 1;
    const reply = await exchange(this.agent, address, asked, this.calls % 2 === 0);
    const outcome = typeof reply === 'string' ? null : outcomeOf(asked, reply);
    const isVain = reply === 'unsent' || reply === 'lost' || reply.status >= 429;
    if (isVain && this.address === address) this.address = null;
    return reply === 'lost' ? { outcome: 'unknown' } : outcome;
  }

  leave(): void {
    this.agent.destroy();
    this.agent = new Agent({ keepAlive: true });
    this.address = null;
  }
}

/**
 * What came back, to the last byte. `unsent`: there never was a connection. `lost`: there was one,
 * and it has ended without a whole answer, or has none in time.
 */
function exchange(
  agent: Agent,
  address: string,
  asked: Asked,
  prefersHeaders: boolean,
): Promise<Reply | 'unsent' | 'lost'> {
  return new Promise((resolve) => {
    let wasOpen = false;
    const call = request(`http://${address}${pathOf(asked, prefersHeaders)}`, {
      agent,
      method: methodOf(asked),
      headers: prefersHeaders ? headersOf(asked) : {},
    });
    const late = setTimeout(() => call.destroy(), patienceMs);
    const end = (reply: Reply | null): void => {
      clearTimeout(late);
      resolve(reply ?? (wasOpen ? 'lost' : 'unsent'));
    };
    call.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (wasOpen = true));
      else wasOpen = true;
    });
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => end(null));
      response.on('end', () => {
        const reply = { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
        end(response.complete ? reply : null);
      });
    });
    call.on('error', () => end(null));
    call.on('close', () => end(null));
    call.end(asked.value);
  });
}

function methodOf({ op }: Asked): string {
  return op === 'get' ? 'GET' : op === 'delete' ? 'DELETE' : 'PUT';
}

/** A condition may stand in the query or in a header: both are the product's. */
function pathOf({ key, expected, isStale }: Asked, prefersHeaders: boolean): string {
  const path = `/kv/${encodeURIComponent(key)}`;
  if (isStale === true) return `${path}?stale`;
  if (expected === undefined || prefersHeaders) return path;
  return `${path}?${expected === null ? 'if-absent' : `if=${encodeURIComponent(expected)}`}`;
}

function headersOf({ expected }: Asked): OutgoingHttpHeaders {
  if (expected === undefined) return {};
  return expected === null ? { 'if-none-match': '*' } : { 'if-match': etagOf(expected) };
}

/** As a GET of this value has named it. */
function etagOf(value: string): string {
  return `"${createHash('sha256').update(value).digest('base64url')}"`;
}

/** Each claims that nothing was done: late, overloaded, failed without an effect, no leader. */
const refusals: readonly number[] = [408, 429, 500, 503];

export function outcomeOf({ op, expected }: Asked, { status, body }: Reply): Outcome {
  if (status === 504) return { outcome: 'unknown' };
  if (refusals.includes(status)) return { outcome: 'fail' };
  if (status === 412 && expected !== undefined) return { outcome: 'fail' };
  if (op === 'get' && status === 200) return { outcome: 'ok', result: body.toString() };
  if (op !== 'get' && status === 204) return { outcome: 'ok' };
  const mayMiss = op === 'get' || (op === 'delete' && expected === undefined);
  if (mayMiss && status === 404 && reasonOf(body) === 'missing') {
    return { outcome: 'ok', result: null };
  }
  throw new Error(`${status} is no answer to a ${op}: ${body.toString()}`);
}

function reasonOf(body: Buffer): string {
  return (JSON.parse(body.toString()) as { readonly error: { readonly reason: string } }).error
    .reason;
}
