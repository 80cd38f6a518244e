/**
 * What the live page and `start` say to each other, on the path `/control` of the page's own
 * server: JSON, an object in each text frame. The page has to know a secret to be let in.
 */
import type { NodeId } from '../../lib/position.js';

export const controlPath = '/control';

export type ProcessState =
  | 'running'
  /** Ended by itself: it is started again in a moment. */
  | 'ended'
  /** Killed by the page: until it is started again. */
  | 'stopped'
  /** It stands still: its sockets are open, and nobody is at home. */
  | 'frozen';

/** At first, and whenever something of it is new. */
export interface ControlFrame {
  readonly type: 'processes';
  readonly processes: Readonly<Record<NodeId, ProcessState>>;
}

export interface ControlRequest {
  /** `stop` is a kill -9, `freeze` and `thaw` are SIGSTOP and SIGCONT. */
  readonly type: 'stop' | 'start' | 'freeze' | 'thaw';
  readonly node: NodeId;
}
