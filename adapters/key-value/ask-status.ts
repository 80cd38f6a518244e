/** One question to one node: how it is. */
import { causeOf } from '../cause.js';
import type { NodeStatus } from './client-protocol.js';
import { connect } from './connection.js';

/** Never rejects. `cluster`: a node of another one does not answer. */
export async function askStatus(
  address: string,
  timeoutMs: number,
  cluster?: string,
): Promise<NodeStatus | Error> {
  try {
    const meant = cluster === undefined ? {} : { cluster };
    const connection = await connect(address, { connectTimeoutMs: timeoutMs, ...meant });
    const late = setTimeout(() => connection.close('it did not answer in time'), timeoutMs);
    try {
      const answer = await connection.ask({ type: 'status' });
      return answer.type === 'status' ? answer.status : new Error(`${address}: a strange answer`);
    } finally {
      clearTimeout(late);
      connection.close();
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(causeOf(error));
  }
}
