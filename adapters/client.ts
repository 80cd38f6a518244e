/** Commands for a replica from outside of its cluster: from a page, a script, another service. */
import type { Observable } from 'rxjs';
import { defer } from 'rxjs';
import { causeOf } from './cause.js';
import type { CallerOptions } from './gateway/caller.js';
import { caller } from './gateway/caller.js';
import { failureError } from './gateway/failure-error.js';
import { isFailure } from './gateway/protocol.js';
import { NotApplied, OutcomeUnknown } from './machine-errors.js';
import { faultOfRequestId } from './replica/logged.js';
import { replicaProtocol } from './replica/protocol.js';
import type { ReplicaCodecs } from './replica/replicated.js';
import { codecsOf } from './replica/replicated.js';
import type { DispatchOptions } from './replica-options.js';

export {
  CommandFailed,
  MachineError,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
} from './machine-errors.js';
export type { Outcome } from './machine-errors.js';

export interface ClientOptions<Command, Result> extends CallerOptions {
  /** Those of the nodes. */
  readonly codecs?: Partial<ReplicaCodecs<never, Command, Result>>;
}

/** The functions may be taken out of it. */
export interface Client<Command, Result> {
  /**
   * Resolves with the result of the reducer, or rejects with a MachineError, whose `outcome` is
   * `notApplied`, `failed` or `unknown`. A command that was lost under way is unknown; with a
   * request id it is sent again instead, and applied once.
   */
  readonly dispatch: (command: Command, options?: DispatchOptions) => Promise<Result>;
  /** The same as a stream: one command for each subscription. */
  readonly dispatch$: (command: Command, options?: DispatchOptions) => Observable<Result>;
  /** Whoever waits is told. The connection keeps a Node process alive until then. */
  readonly close: () => void;
}

/**
 * `urls`: the nodes, as `host:port` or URLs. Throws a TypeError for what is no address, or when
 * there is no WebSocket.
 *
 *     const { dispatch } = client<Add, number>(['127.0.0.1:7001', '127.0.0.1:7002']);
 *     await dispatch({ add: 1 });
 */
export function client<Command, Result>(
  urls: readonly string[],
  options: ClientOptions<Command, Result> = {},
): Client<Command, Result> {
  const { commands, results } = codecsOf(options.codecs);
  const { ask, close } = bound(caller(urls, replicaProtocol(results), options));
  const dispatch: Client<Command, Result>['dispatch'] = async (command, how = {}) => {
    const { requestId = null } = how;
    const fault = requestId === null ? null : faultOfRequestId(requestId);
    if (fault !== null) throw new NotApplied(fault);
    const answer = await ask({ type: 'dispatch', requestId, command: encoded(command) });
    if (isFailure(answer)) throw failureError(answer, null);
    if (answer.type === 'result') return answer.result;
    throw new OutcomeUnknown('a strange answer');
  };
  const encoded = (command: Command): Uint8Array => {
    try {
      return commands.encode(command);
    } catch (cause) {
      throw new NotApplied(`the command can't be encoded: ${causeOf(cause)}`, { cause });
    }
  };
  return { dispatch, dispatch$: (command, how) => defer(() => dispatch(command, how)), close };
}

function bound<Request, Answer>(calls: {
  ask(request: Request): Promise<Answer>;
  close(): void;
}): { readonly ask: (request: Request) => Promise<Answer>; readonly close: () => void } {
  return { ask: (request) => calls.ask(request), close: () => calls.close() };
}
