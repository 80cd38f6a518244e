/**
 * Makes replicas forget: sends more commands with ids than they remember, and results with more
 * bytes, all the time, and some of them again. One that is remembered is answered as before, one
 * that is forgotten is applied again: there is no third.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../simulation/random.js';
import type { Sample } from './ask.js';
import { ask } from './ask.js';
import type { ClientWorld } from './client.js';
import { isForgotten, mayBeForgotten, remembered } from './forgetting.mjs';

const fillMs = 20_000;
const mostSamples = 1000;
const samplesOfFill = 50;

/** Sent again at once. */
const repeats = 5;

/** So much before the place where ids are forgotten, and behind it. */
const edge = { commands: 1000, bytes: 2 << 20 };

export class Filler {
  private isOver = false;
  private fills = 0;
  private samples: readonly Sample[] = [];
  private readonly counts = { filled: 0, remembered: 0, forgotten: 0 };

  constructor(
    private readonly random: Random,
    private readonly world: ClientWorld,
    /** Do snapshots come so rarely that what is remembered may be large? */
    private readonly isLarge: boolean,
  ) {}

  async work(): Promise<void> {
    await Promise.all([this.fill(), this.sendAgain()]);
  }

  stop(): void {
    this.isOver = true;
  }

  /** What came of it. */
  get line(): string {
    const { filled, remembered: known, forgotten } = this.counts;
    const { bytes } = this.world.chain.floor.newest;
    const again = `${known} remembered, ${forgotten} forgotten`;
    return `${filled} fills of ${Math.round(bytes / 1e6)} MB; of those sent again ${again}`;
  }

  private async fill(): Promise<void> {
    while (!this.isOver) {
      const { chain } = this.world;
      const { floor } = chain;
      const { version, bytes } = floor.newest;
      const isFull = version > remembered.commands || bytes > remembered.bytes;
      const count = isFull ? this.random.between(200, 3000) : remembered.commands / 2;
      const isHeavy = this.isLarge && this.random.chance(0.5);
      const size = isHeavy ? this.random.between(3000, 9000) : this.random.below(50);
      this.fills += 1;
      const body = { name: `f${this.fills}`, count, size, every: Math.ceil(count / samplesOfFill) };
      const answer = await ask(this.address, 'fill', body, fillMs);
      const samples = answer.outcome === 'done' ? (answer.samples ?? []) : [];
      for (const sample of samples) chain.write(sample, sample.command.id, floor);
      this.counts.filled += samples.length * body.every;
      this.samples = [...samples, ...this.samples].slice(0, mostSamples);
      await sleep(this.random.between(200, isFull ? 4000 : 400));
    }
  }

  private async sendAgain(): Promise<void> {
    while (!this.isOver) {
      const chosen = Array.from({ length: repeats }, () => this.choose());
      await Promise.all([...new Set(chosen)].map(async (sample) => this.repeat(sample)));
      await sleep(this.random.between(20, 200));
    }
  }

  /** In half of all cases one that is about to be forgotten, or just was. */
  private choose(): Sample | undefined {
    const { newest } = this.world.chain.floor;
    const isNear = ({ version, bytes }: Sample): boolean =>
      Math.abs(newest.version - version - remembered.commands) < edge.commands ||
      Math.abs(newest.bytes - bytes - remembered.bytes) < edge.bytes;
    const near = this.random.chance(0.5) ? this.samples.filter(isNear) : [];
    return this.random.pick(near.length > 0 ? near : this.samples);
  }

  private async repeat(sample: Sample | undefined): Promise<void> {
    if (sample === undefined) return;
    const { chain, fault } = this.world;
    const { command } = sample;
    const { id, size } = command;
    const { newest } = chain.floor;
    const answer = await ask(this.address, 'dispatch', { command, requestId: id });
    if (answer.outcome === 'failed') fault(`${id} has failed: ${answer.text}`);
    if (answer.outcome !== 'done') return;
    chain.see(answer, id);
    const { version, digest, bytes } = answer;
    if (version === sample.version) {
      this.counts.remembered += 1;
      if (isForgotten(sample, newest)) {
        fault(`${id} of version ${version} is remembered still at ${JSON.stringify(newest)}`);
      }
      return;
    }
    this.counts.forgotten += 1;
    const before = { version: version - 1, bytes: bytes - size };
    if (!mayBeForgotten(sample, before)) {
      fault(`${id} made version ${sample.version}, and again ${version}`);
    }
    const again = { command, version, digest, bytes };
    this.samples = this.samples.map((each) => (each === sample ? again : each));
  }

  private get address(): string {
    return this.random.pick(this.world.nodes()) ?? '';
  }
}
