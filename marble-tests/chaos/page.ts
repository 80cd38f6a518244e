/** A page without a browser: the code of the live page that is not for the eye, at a real node. */
import type { Observable, Subscription } from 'rxjs';
import { BehaviorSubject, merge, share, tap } from 'rxjs';
import { WebSocket } from 'ws';
import type { Members } from '../../adapters/page/lines.js';
import { lines } from '../../adapters/page/lines.js';
import type { Dial, LinkEvent } from '../../adapters/page/link.js';
import { link } from '../../adapters/page/link.js';
import { Model } from '../../adapters/page/model.js';
import { Requests } from '../../adapters/page/requests.js';
import type { ViewedLine, Views } from '../views/checker.js';

export interface PageOptions {
  readonly name: string;
  readonly views: Views;
  readonly members: Members;
  /** Does it go where the leader says, as a page does? Else it stays with these members. */
  readonly follows: boolean;
  /** A frame that nobody was told before, on that line. */
  readonly onNew: (line: string, text: string) => void;
}

/** As often as a page draws. */
const drawMs = 120;

export class Page {
  readonly model = new Model();
  readonly requests: Requests;
  private readonly sockets = new Set<WebSocket>();
  private readonly running: Subscription;
  private readonly drawing: NodeJS.Timeout;

  constructor(private readonly options: PageOptions) {
    const { members, follows } = options;
    const { model } = this;
    const heard = (url: string, protocols: string | string[] | undefined): WebSocket =>
      this.dial(url, protocols);
    // What is returned by a constructor is what `new` gives.
    const made = function (url: string, protocols?: string | string[]) {
      return heard(url, protocols);
    } as unknown as Dial['WebSocketCtor'];
    const dial: Dial = { isSecure: false, ...(made && { WebSocketCtor: made }) };
    const event$ = follows
      ? lines(model, new BehaviorSubject(members), dial)
      : fixedLines(model, members, dial);
    this.requests = new Requests(model, event$);
    this.running = event$.subscribe();
    this.drawing = setInterval(() => {
      model.watch(performance.now());
      model.timeline.prune(performance.now());
    }, drawMs);
  }

  pause(isPaused: boolean): void {
    for (const socket of this.sockets) {
      if (!isPaused) socket.resume();
      else if (socket.readyState === WebSocket.OPEN) socket.pause();
    }
  }

  /** Breaks off whatever is under way. */
  end(): void {
    clearInterval(this.drawing);
    for (const socket of this.sockets) socket.terminate();
    this.running.unsubscribe();
  }

  private dial(url: string, protocols: string | string[] | undefined): WebSocket {
    const { name, views, onNew } = this.options;
    const line: ViewedLine = views.line(`${name}, line`, (text) => onNew(line.name, text));
    const socket = new Said(url, protocols, (text) => {
      line.ask((JSON.parse(text) as { readonly id: number }).id);
    });
    this.sockets.add(socket);
    socket.on('message', (data, isBinary) => {
      if (isBinary) views.fault(`${line.name} was told bytes`);
      line.hear((data as Buffer).toString());
    });
    socket.on('error', ({ message }) => {
      // Before a node lets anybody in, and when it ends, it has no such path (404).
      if (/response: 40[03]/.test(message)) views.fault(`${line.name} was not let in: ${message}`);
    });
    socket.on('close', (code, reason) => {
      this.sockets.delete(socket);
      line.end(code, reason.toString());
    });
    return socket;
  }
}

/** Notes what it sends. */
class Said extends WebSocket {
  constructor(
    url: string,
    protocols: string | string[] | undefined,
    private readonly onSend: (text: string) => void,
  ) {
    super(url, protocols, { perMessageDeflate: false });
  }

  override send(data: string): void {
    this.onSend(data);
    super.send(data);
  }
}

/** A line to each of these, wherever the leader says that its members are. */
function fixedLines(model: Model, members: Members, dial: Dial): Observable<LinkEvent> {
  model.setMembers(members);
  return merge(...Object.entries(members).map(([id, address]) => link(id, address, dial))).pipe(
    tap((event) => model.onLink(event, performance.now())),
    share(),
  );
}

/** Where a page that is loaded from this node finds the nodes, or null. */
export async function membersBy(address: string): Promise<Members | null> {
  try {
    const url = `http://${address}/cluster.json`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(3000) });
    return ((await answer.json()) as { readonly members: Members }).members;
  } catch {
    return null;
  }
}
