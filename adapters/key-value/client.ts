/** A client of the cluster: asks one node after the other until one knows the answer. */
import type { Answer, Request } from './client-protocol.js';
import { keyValueProtocol } from './client-protocol.js';
import type { Connection, ConnectOptions } from './connection.js';
import { connect, ConnectionLost } from './connection.js';
import { causeOf } from '../cause.js';

export interface ClientOptions {
  /** As `host:port`. Any node will do: one that does not lead asks the leader. */
  readonly nodes: readonly string[];
  /** For the whole request. Default 10,000. */
  readonly timeoutMs?: number;
  /** How a node is reached. Default `connect`. */
  readonly connect?: (address: string, options: ConnectOptions) => Promise<Connection>;
}

/**
 * The answer of the first node that has one. A node that can't be reached, or that refuses because
 * it knows no leader, was asked in vain, and so the next one is. A read whose connection is lost is
 * asked again. A write is not: it may have been done, and its answer is `unknown`. Never rejects.
 */
export async function request(request: Request, options: ClientOptions): Promise<Answer> {
  const text = keyValueProtocol.faultOf(request);
  if (text !== null) return { type: 'refused', reason: 'tooLarge', text };
  const { timeoutMs = 10_000 } = options;
  const deadline = performance.now() + timeoutMs;
  let refusal: Answer | null = null;
  const failures: string[] = [];
  for (const address of options.nodes) {
    const remainingMs = deadline - performance.now();
    if (remainingMs <= 0) break;
    const answer = await askOne(address, request, remainingMs, options);
    if (typeof answer === 'string') failures.push(answer);
    else if (answer.type === 'refused' && answer.reason === 'noLeader') refusal = answer;
    else return answer;
  }
  if (refusal !== null) return refusal;
  const tried = failures.length === 0 ? `no node within ${timeoutMs} ms` : failures.join('; ');
  return { type: 'refused', reason: 'unreachable', text: tried };
}

/** An answer, or in words why this node has none although nothing was done. */
async function askOne(
  address: string,
  request: Request,
  timeoutMs: number,
  options: ClientOptions,
): Promise<Answer | string> {
  let connection: Connection;
  try {
    const connectTimeoutMs = Math.min(1500, timeoutMs);
    connection = await (options.connect ?? connect)(address, { connectTimeoutMs });
  } catch (error) {
    return causeOf(error);
  }
  const late = setTimeout(() => connection.close('it did not answer in time'), timeoutMs);
  try {
    return await connection.ask(request);
  } catch (error) {
    const cause = causeOf(error);
    const wasSent = !(error instanceof ConnectionLost) || error.wasSent;
    const mayBeDone = wasSent && !keyValueProtocol.isRead(request);
    return mayBeDone ? { type: 'unknown', text: cause } : cause;
  } finally {
    clearTimeout(late);
    connection.close();
  }
}
