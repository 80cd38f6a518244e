/** The live page, by its own code: it asks the node that leads by what all have told it. */
import { firstValueFrom } from 'rxjs';
import type { Outcome as Said } from '../../../adapters/page/requests.js';
import type { Page } from '../page.js';
import type { Asked, Door, DoorOptions, Outcome, Way } from './way.js';
import { Turns } from './way.js';

/** Opens a page that is loaded from a node, or null if that is not there. */
export type Opening = (address: string) => Promise<Page | null>;

export const pages = (opened: Opening): Way => ({
  ...{ name: 'page', rows: 2, atOnce: 2, pauseMs: 60, isPlain: true },
  open: (options) => new PageDoor(options, opened),
});

/** A page that finds nobody for so long is loaded anew. */
const reloadMs = 5000;

class PageDoor implements Door {
  private readonly turns: Turns;
  private page: Promise<Page | null> | null = null;
  private answeredAt = 0;

  constructor(
    options: DoorOptions,
    private readonly opened: Opening,
  ) {
    this.turns = new Turns(options);
  }

  async ask(asked: Asked): Promise<Outcome | null> {
    const opened = (this.page ??= this.load());
    const page = await opened;
    if (this.page !== opened) return null;
    const said = page && (await firstValueFrom(page.requests.ask(requestOf(asked))));
    if (said !== null && said.node !== '') {
      this.answeredAt = performance.now();
      return outcomeOf(asked, said);
    }
    const isVain = page === null || performance.now() - this.answeredAt > reloadMs;
    if (isVain && this.page === opened) this.leave();
    return null;
  }

  leave(): void {
    void this.page?.then((page) => page?.end());
    this.page = null;
  }

  private load(): Promise<Page | null> {
    this.answeredAt = performance.now();
    return this.opened(this.turns.next());
  }
}

function requestOf({ op, key, value }: Asked): Parameters<Page['requests']['ask']>[0] {
  return op === 'put' ? { type: 'put', key, value: value ?? '' } : { type: 'get', key };
}

function outcomeOf({ op }: Asked, { outcome, text }: Said): Outcome {
  if (outcome === 'unknown') return { outcome };
  if (outcome === 'refused') return { outcome: 'fail' };
  if (op === 'put' && outcome === 'done') return { outcome: 'ok' };
  if (op === 'get' && outcome === 'value') return { outcome: 'ok', result: text };
  if (op === 'get' && outcome === 'missing') return { outcome: 'ok', result: null };
  throw new Error(`${outcome} is no answer to a ${op}`);
}
