/**
 * Where the nodes of a replica are, as an application may keep it: founders by the command line,
 * who comes later by a command in the replicated state, and all of it in a file as well, because a
 * node that starts must reach the others before its state is up to date.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Between two rounds of questions. */
const pauseMs = 300;

export class AddressBook {
  constructor(file, own) {
    this.file = file;
    this.own = own;
    this.nodes = read(file);
    this.askedAt = -Infinity;
  }

  addressOf(id) {
    return this.nodes[id];
  }

  /** What is known already stays: an address is for ever. */
  learn(nodes) {
    const news = Object.entries(nodes).filter(([id]) => !Object.hasOwn(this.nodes, id));
    if (news.length === 0) return;
    this.nodes = { ...this.nodes, ...Object.fromEntries(news) };
    try {
      writeFileSync(`${this.file}.new`, JSON.stringify(this.nodes));
      renameSync(`${this.file}.new`, this.file);
    } catch {
      // A small disk: it is learned again.
    }
  }

  /** Asks them all for what they know, unless they have just been asked. */
  async inquire(addresses) {
    if (performance.now() - this.askedAt < pauseMs) return;
    this.askedAt = performance.now();
    const asked = addresses.filter((address) => address !== this.own);
    await Promise.all(asked.map((address) => this.ask(address)));
  }

  async ask(address) {
    try {
      const signal = AbortSignal.timeout(2000);
      const response = await fetch(`http://${address}/nodes`, { signal });
      this.learn(await response.json());
    } catch {
      // Another one may answer.
    }
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}
