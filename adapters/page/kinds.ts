/** The kinds of messages, told apart by a letter, a shape and a colour: one of them is enough. */
import type { MessageKind, MessagesSeen } from '../live/protocol.js';

export interface Kind {
  readonly letter: string;
  readonly name: string;
  /** A path around the origin, within 8 units of it. */
  readonly shape: string;
  /** Of many: they are drawn lighter. */
  readonly isRoutine: boolean;
}

function circle(radius: number): string {
  const half = `a${radius},${radius} 0 1,0 `;
  return `M${-radius},0${half}${2 * radius},0${half}${-2 * radius},0z`;
}

function polygon(corners: number, radius: number, turn = 0): string {
  const points = Array.from({ length: corners }, (_, at) => {
    const angle = ((at + turn) / corners) * 2 * Math.PI - Math.PI / 2;
    return `${(radius * Math.cos(angle)).toFixed(2)},${(radius * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${points.join('L')}z`;
}

const kind = (letter: string, name: string, shape: string, isRoutine = false): Kind => ({
  ...{ letter, name, shape, isRoutine },
});

/** In the order of the legend. */
export const kinds: Readonly<Record<MessageKind, Kind>> = {
  append: kind('A', 'append entries', 'M-7,-7h14v14h-14z'),
  acknowledged: kind('K', 'acknowledged', circle(7.5), true),
  heartbeat: kind('H', 'heartbeat', circle(6.5), true),
  voteCall: kind('V', 'asks for votes', polygon(4, 9.5)),
  voteGranted: kind('Y', 'votes yes', 'M0,-9.5L9.5,7h-19z'),
  voteDenied: kind('N', 'votes no', 'M0,9.5L9.5,-7h-19z'),
  refused: kind('X', 'refused: logs differ', polygon(8, 8.5, 0.5)),
  snapshot: kind('S', 'snapshot', polygon(6, 9)),
  removal: kind('E', 'removed', polygon(5, 9)),
};

export const kindNames = Object.keys(kinds) as readonly MessageKind[];

/** What a message is, in words. */
export function sentenceOf(seen: MessagesSeen): string {
  const { kind: name, term, index, entries, count } = seen;
  const times = count > 1 ? `${count} times: ` : '';
  const words: Record<MessageKind, string> = {
    append: `append ${entries === 1 ? 'entry' : `${entries} entries, up to`} ${index}`,
    acknowledged: `on my disk up to ${index}`,
    heartbeat: `heartbeat: I lead; you have ${index}, I take it`,
    voteCall: `vote for me; my log ends at ${index}`,
    voteGranted: 'you have my vote',
    voteDenied: 'no vote for you',
    refused: `refused; my log fits yours at ${index} at the latest`,
    snapshot: `a snapshot of everything up to ${index}`,
    removal: `you are no member any more, since entry ${index}`,
  };
  return `${times}${words[name]} (term ${term})`;
}
