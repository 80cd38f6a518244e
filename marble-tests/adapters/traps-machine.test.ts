/** Traps of the state machine (§5.3). The list of all of them is `docs/TRAPS.md`. */
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { CommandPosition } from '../../adapters/machine.js';
import { machine } from '../../adapters/machine.js';
import type { MachineAction } from '../../lib/action.js';
import { clusterOf } from '../../lib/cluster-config.js';
import type { LogEntry } from '../../lib/entries.js';
import { entriesOf } from '../../lib/entries.js';
import { Log } from '../../lib/log.js';

interface State {
  readonly byKey: Readonly<Record<string, number>>;
  readonly history: number;
}

type Block = readonly string[];

/** Depends on all that a reducer is given, the order of keys and the place of the command too. */
function reducer(state: State, key: string, { term, index, offset }: CommandPosition) {
  const byKey = { ...state.byKey, [key]: (state.byKey[key] ?? 0) + 1 };
  const text = `${JSON.stringify(byKey)} ${term} ${index} ${offset}`;
  let history = state.history;
  for (const each of text) history = (Math.imul(history, 31) + each.charCodeAt(0)) | 0;
  return { state: { byKey, history }, result: history };
}

const initialState: State = { byKey: {}, history: 7 };

/** A replica, and its state at every index at which it was seen. */
class Replica {
  readonly seen = new Map<number, string>();
  private readonly action$ = new Subject<MachineAction<Block, string>>();
  private readonly machine = machine({
    reducer,
    initialState,
    pack: (commands: readonly string[]): Block => commands,
    unpack: (block: Block) => block,
    save: (state: State) => JSON.stringify(state),
    load: (data: string) => JSON.parse(data) as State,
  });

  constructor() {
    this.machine.adapter(this.action$).subscribe();
  }

  tell(action: MachineAction<Block, string>): void {
    this.action$.next(action);
    this.seen.set(this.machine.appliedIndex, JSON.stringify(this.machine.state));
  }

  get saved(): string {
    return JSON.stringify(this.machine.state);
  }
}

const entries = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.constantFrom('x', 'y', '1', '10', '9'), { minLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom('term', 'config') },
);

describe('two replicas of one log', () => {
  it('E15: have one state at each index, however it was sliced, or restored (§5.3)', () => {
    fc.assert(
      fc.property(
        fc.array(entries, { minLength: 4, maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 30, maxLength: 30 }),
        fc.nat(),
        (list, sizes, restart) => {
          let term = 0;
          const log = new Log<Block>(null);
          const whole: LogEntry<Block>[] = list.map((each) => {
            if (each === 'term') return { type: 'term', term: (term += 1) };
            if (each === 'config') return { type: 'config', config: clusterOf(['a']) };
            return { type: 'command', command: Object.freeze(each as string[]) };
          });
          log.appendEntries(entriesOf({ term: 0, index: 0 }, whole), 0);
          const one = new Replica();
          for (let index = 0; index < log.lastIndex; index += 1) {
            one.tell({ type: 'apply', entries: log.slice(index, index + 1) });
          }
          let other = new Replica();
          const restartAt = restart % log.lastIndex;
          for (let from = 0, turn = 0, again = false; from < log.lastIndex; turn += 1) {
            if (from >= restartAt && !again) {
              const { saved: data } = other;
              again = true;
              other = new Replica();
              const position = log.positionAt(from);
              other.tell({
                type: 'restore',
                snapshot: { position, config: clusterOf(['a']), data },
              });
            }
            const to = Math.min(log.lastIndex, from + (sizes[turn] ?? 1));
            other.tell({ type: 'apply', entries: log.slice(from, to) });
            from = to;
            expect(other.saved).toBe(one.seen.get(to));
          }
        },
      ),
      { seed: 15, numRuns: 200 },
    );
  });
});
