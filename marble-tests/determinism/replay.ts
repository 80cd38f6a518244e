/**
 * A recorded run, once more: the inputs of one node through elections, conflicts, changes of
 * members, snapshots and reads. The same inputs give the same actions, byte for byte, on every
 * machine (law 1). Plain JavaScript only: this runs in a page as well.
 */
import { Subject } from 'rxjs';
import type { Action, Input, RaftConfig } from '../../lib/index.js';
import { raft } from '../../lib/raft.js';

export interface Recorded {
  readonly config: RaftConfig<string>;
  readonly inputs: readonly Input<string>[];
}

export interface Replayed {
  readonly actions: number;
  readonly bytes: number;
  readonly digest: string;
}

/** What the core makes of it: how many actions, and a digest of their JSON. */
export function replay({ config, inputs }: Recorded): Replayed {
  const input$ = new Subject<Input<string>>();
  let text = '';
  let actions = 0;
  const take = (action: Action<string>): void => {
    actions += 1;
    text += `${JSON.stringify(action)}\n`;
  };
  const subscription = input$.pipe(raft(config)).subscribe(take);
  for (const input of inputs) input$.next(revived(input));
  subscription.unsubscribe();
  return { actions, bytes: text.length, digest: digestOf(text) };
}

/** JSON has no undefined: an entry without a command came back as null. */
function revived(input: Input<string>): Input<string> {
  if (input.type !== 'received' || input.message.type !== 'appendEntriesCall') return input;
  const { message } = input;
  const commands = message.entries.commands?.map((each) => each ?? undefined) ?? null;
  return { ...input, message: { ...message, entries: { ...message.entries, commands } } };
}

/** FNV-1a, twice, over UTF-16 units. */
function digestOf(text: string): string {
  let one = 0x811c9dc5;
  let other = 0x01000193;
  for (let at = 0; at < text.length; at += 1) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
    other = Math.imul(other ^ text.charCodeAt(at), 0x85ebca6b);
  }
  return [one, other].map((each) => (each >>> 0).toString(16).padStart(8, '0')).join('');
}
