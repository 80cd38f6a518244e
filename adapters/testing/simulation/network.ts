/**
 * The network as a model: messages cross the codec, so that nothing is shared, and are lost,
 * repeated, delayed, overtaken and cut off as the decisions of the run say.
 */
import type { Observable, OperatorFunction } from 'rxjs';
import { Observable as Stream } from 'rxjs';
import type { NetworkAction } from '../../../lib/action.js';
import type { NetworkInput } from '../../../lib/input.js';
import type { Message } from '../../../lib/message.js';
import { byteCodec, packSnapshot, unpackSnapshot } from '../../codec.js';
import { messageCodec } from '../../message-codec.js';
import { describeMessage, describeSnapshot } from './describe.js';
import { Random } from './random.js';
import { chances, type World } from './world.js';

type Input = NetworkInput<Uint8Array, Uint8Array>;
type Sent = NetworkAction<Uint8Array, Uint8Array>;
type Install = Extract<Sent, { type: 'installSnapshot' }>;

const codec = messageCodec(byteCodec);

/** How a node is reached: not at all while it is down. */
type Inbox = (receive: () => Input) => void;

/** One direction between two nodes. */
interface Link {
  /** As `from>to`. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Its number, for chance. */
  readonly code: number;
  /** How many packets it was given, and when the last one arrives. */
  packets: number;
  lastAt: number;
}

/** What is decided for one packet: when its copies arrive. */
type Arrivals = readonly number[];

export class SimulatedNetwork {
  messages = 0;
  /** Nothing passes, as `from>to`. */
  readonly cut = new Set<string>();
  private readonly inboxes = new Map<string, Inbox>();
  /** Of each node, by whom it sends to. */
  private readonly links = new Map<string, Map<string, Link>>();

  constructor(
    private readonly world: World,
    private readonly ids: readonly string[],
  ) {
    for (const id of ids) this.links.set(id, new Map());
  }

  /** The adapter of one run of a node. `enter` is the way into its event loop. */
  adapter(id: string, enter: (work: () => void) => void): OperatorFunction<Sent, Input> {
    return (action$: Observable<Sent>) =>
      new Stream<Input>((subscriber) => {
        const underway = new Set<string>();
        const inbox: Inbox = (receive) =>
          enter(() => {
            if (!subscriber.closed) subscriber.next(receive());
          });
        this.inboxes.set(id, inbox);
        subscriber.add(() => {
          if (this.inboxes.get(id) === inbox) this.inboxes.delete(id);
        });
        const onSent = (to: string): void => {
          underway.delete(to);
          inbox(() => ({ type: 'snapshotSent', to }));
        };
        subscriber.add(
          action$.subscribe({
            next: (action) => {
              if (action.type !== 'installSnapshot') this.send(id, action);
              else if (!underway.has(action.to)) {
                underway.add(action.to);
                this.install(id, action, () => {
                  if (!subscriber.closed) onSent(action.to);
                });
              }
            },
            error: (error: unknown) => subscriber.error(error),
            complete: () => subscriber.complete(),
          }),
        );
      });
  }

  private send(from: string, action: Exclude<Sent, Install>): void {
    const bytes = codec.encode(action.message);
    if (action.type === 'sendMessage') this.post(this.link(from, action.to), bytes);
    else for (const to of action.to) this.post(this.link(from, to), bytes);
  }

  private link(from: string, to: string): Link {
    return this.links.get(from)?.get(to) ?? this.newLink(from, to);
  }

  private newLink(from: string, to: string): Link {
    const code = this.ids.indexOf(from) * 16 + this.ids.indexOf(to);
    const link = { name: `${from}>${to}`, from, to, code, packets: 0, lastAt: 0 };
    this.links.get(from)?.set(to, link);
    return link;
  }

  private post(link: Link, bytes: Uint8Array): void {
    this.messages += 1;
    for (const arrivesAfter of this.arrivals(link)) {
      this.world.time.after(arrivesAfter, () => this.arrive(link, bytes));
    }
  }

  private arrive({ name, to }: Link, bytes: Uint8Array): void {
    const { history } = this.world;
    const inbox = this.inboxes.get(to);
    if (inbox === undefined || this.cut.has(name)) return;
    inbox(() => {
      const message: Message<Uint8Array> = codec.decode(bytes);
      history.digest.addBytes(bytes);
      history.add(to, markOf[message.type], () => describeMessage(message));
      return { type: 'received', message };
    });
  }

  /**
   * A snapshot takes a few times as long as a message. Arrived or not, its sender hears of the end.
   */
  private install(from: string, { to, term, snapshot }: Install, onSent: () => void): void {
    const { time, history, profile } = this.world;
    const link = this.link(from, to);
    const bytes = packSnapshot(snapshot, byteCodec);
    const arrivals = this.arrivals(link);
    for (const arrivesAfter of arrivals) {
      time.after(3 * arrivesAfter, () => {
        const inbox = this.inboxes.get(to);
        if (inbox === undefined || this.cut.has(link.name)) return;
        inbox(() => {
          history.digest.addBytes(bytes);
          history.add(to, 'S', () => describeSnapshot(from, term, snapshot));
          return {
            type: 'snapshotReceived',
            ...{ from, term, snapshot: unpackSnapshot(bytes, byteCodec) },
          };
        });
      });
    }
    time.after(3 * (arrivals[0] ?? profile.heartbeatMs), onSent);
  }

  private arrivals(link: Link): Arrivals {
    const { world } = this;
    const { profile, decisions, time } = world;
    const { name, code } = link;
    const packet = (link.packets += 1);
    if (this.cut.has(name)) return [];
    if (decisions.healed) return [1];
    const random = Random.of(world.seed, chances.message, code, packet);
    let delayMs = profile.latencyMs + random.next() * profile.jitterMs;
    if (decisions.happens('drop', name, packet, profile.drop, random)) return [];
    const isLate = decisions.happens('delay', name, packet, profile.delay, random);
    const late = random.next() * profile.longMs;
    if (isLate) delayMs += late;
    else if (profile.inOrder) delayMs = Math.max(delayMs, link.lastAt - time.now);
    if (!isLate && time.now + delayMs < link.lastAt) decisions.counts.reorder += 1;
    if (!isLate) link.lastAt = time.now + delayMs;
    const isTwice = decisions.happens('duplicate', name, packet, profile.duplicate, random);
    if (!isTwice) return [delayMs];
    const far = random.chance(0.3) ? profile.longMs : profile.jitterMs;
    return [delayMs, delayMs + random.next() * far];
  }
}

const markOf = {
  requestVoteCall: 'q',
  requestVoteReply: 'v',
  appendEntriesCall: 'e',
  appendEntriesReply: 'a',
  removalNotice: 'n',
} as const satisfies { [T in Message['type']]: string };
