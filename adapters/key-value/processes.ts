/** The processes of a cluster on this machine, as its page may stop and start them. */
import type { Observable } from 'rxjs';
import { BehaviorSubject, distinctUntilChanged, map } from 'rxjs';
import type { NodeId } from '../../lib/position.js';
import type { ControlRequest, ProcessState } from '../live/control-protocol.js';
import type { ChildEvent } from './child.js';

type States = Readonly<Record<NodeId, ProcessState>>;

export class Processes {
  /** The newest first, and whenever one of them is new. */
  readonly state$: BehaviorSubject<States>;
  private readonly pids = new Map<NodeId, number>();

  constructor(ids: readonly NodeId[]) {
    this.state$ = new BehaviorSubject<States>(
      Object.fromEntries(ids.map((id) => [id, 'ended' as const])),
    );
  }

  /** Should this one run? The newest first. */
  wanted(id: NodeId): Observable<boolean> {
    return this.state$.pipe(
      map((states) => states[id] !== 'stopped'),
      distinctUntilChanged(),
    );
  }

  onEvent(id: NodeId, event: ChildEvent<unknown>): void {
    if (event.type === 'started') {
      this.pids.set(id, event.pid);
      this.set(id, 'running');
    } else if (event.type === 'ended') {
      this.pids.delete(id);
      if (this.state$.value[id] !== 'stopped') this.set(id, 'ended');
    }
  }

  /** What makes no sense where the process stands changes nothing. */
  onRequest({ type, node }: ControlRequest): void {
    const states = this.state$.value;
    const state = Object.hasOwn(states, node) ? states[node] : undefined;
    const isUp = state === 'running' || state === 'frozen';
    if (type === 'stop' && isUp) this.set(node, 'stopped');
    else if (type === 'start' && state === 'stopped') this.set(node, 'ended');
    else if (type === 'freeze' && state === 'running') this.signal(node, 'SIGSTOP', 'frozen');
    else if (type === 'thaw' && state === 'frozen') this.signal(node, 'SIGCONT', 'running');
  }

  /** What stands still could not be asked to stop. */
  thawAll(): void {
    for (const node of Object.keys(this.state$.value)) this.onRequest({ type: 'thaw', node });
  }

  private signal(id: NodeId, signal: NodeJS.Signals, state: ProcessState): void {
    const pid = this.pids.get(id);
    if (pid === undefined) return;
    try {
      process.kill(pid, signal);
      this.set(id, state);
    } catch {
      // It has ended meanwhile, or this system has no such signal: it stays as it is.
    }
  }

  private set(id: NodeId, state: ProcessState): void {
    if (this.state$.value[id] === state) return;
    this.state$.next({ ...this.state$.value, [id]: state });
  }
}
