/** What a node of the key-value cluster does with a request. */
import type { LogIndex, NodeId } from '../../lib/position.js';
import { causeOf } from '../cause.js';
import { ChangeRefused } from '../change-refused.js';
import type { Forwarding, ForwardingOptions } from '../gateway/forwarding.js';
import { forwarding } from '../gateway/forwarding.js';
import type { Failure } from '../gateway/protocol.js';
import type { Machine } from '../machine.js';
import type { Change, NodeStatus, Request, StoreAnswer } from './client-protocol.js';
import { keyValueProtocol } from './client-protocol.js';
import type { AnyCommand } from './commands.js';
import type { Membership } from './membership.js';
import type { Result, State } from './reducer.js';
import { lookUp } from './reducer.js';

export type Service = Forwarding<Request, StoreAnswer>;

export interface ServiceOptions extends Pick<
  ForwardingOptions<Request, StoreAnswer>,
  'leader$' | 'connect' | 'patienceMs' | 'pauseMs'
> {
  readonly id: NodeId;
  readonly machine: Pick<
    Machine<State, AnyCommand, Result, Uint8Array, Uint8Array>,
    'dispatch' | 'read' | 'state' | 'appliedIndex'
  >;
  readonly status: () => NodeStatus;
  readonly membership: Membership;
  /** Resolves with the index of a snapshot that is on the disk and has all that is applied now. */
  readonly takeSnapshot: () => Promise<LogIndex>;
}

export function service(options: ServiceOptions): Service {
  const { machine, status, membership } = options;
  const change = async (asked: Change): Promise<StoreAnswer> => {
    try {
      await membership.lead(asked);
      return { type: 'done' };
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error;
      return { type: 'changeRefused', reason: error.reason, text: error.message };
    }
  };
  const snapshot = async (): Promise<StoreAnswer | Failure> => {
    try {
      return { type: 'snapshot', index: await options.takeSnapshot() };
    } catch (error) {
      return { type: 'unknown', text: causeOf(error) };
    }
  };
  const valueOf = (key: Uint8Array): StoreAnswer => {
    const value = lookUp(machine.state, key);
    return value === undefined ? { type: 'missing' } : { type: 'value', value };
  };
  return forwarding({
    ...options,
    protocol: keyValueProtocol,
    here(request) {
      if (request.type === 'status') return { type: 'status', status: status() };
      if (request.type === 'snapshot') return snapshot();
      // The door for clients has more to tell.
      if (request.type === 'watch') return { type: 'watching', index: machine.appliedIndex };
      return request.type === 'get' && request.stale ? valueOf(request.key) : null;
    },
    async lead(request) {
      if (request.type === 'command') return { type: await machine.dispatch(request.command) };
      if (request.type === 'add' || request.type === 'remove') return change(request);
      await machine.read();
      return request.type === 'get' ? valueOf(request.key) : { type: 'status', status: status() };
    },
  });
}
