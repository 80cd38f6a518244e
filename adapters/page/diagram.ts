/**
 * The moving marble diagram: a line for each node, on which time passes from right to left.
 *
 * What is drawn changes some times a second; in between the whole drawing is shifted, once a frame,
 * or once a second for those who want less motion.
 */
import { html, render, svg } from 'lit/html.js';
import type { NodeId } from '../../lib/position.js';
import type { MessageKind } from '../live/protocol.js';
import type { Scene } from './diagram-view.js';
import { clockText, definitions, heightOf, laneY, moving } from './diagram-view.js';
import { kinds, sentenceOf } from './kinds.js';
import type { Marble, Timeline } from './timeline.js';

/** What nodes tell arrives a moment later: so far the diagram stays behind, to be complete. */
const delayMs = 450;

const leastScale = 0.02;
const mostScale = 40;
const usualScale = 0.2;

export class Diagram {
  readonly hidden = new Set<MessageKind>();
  order: readonly NodeId[] = [];
  private scale = usualScale;
  private pausedAt: number | null = null;
  private zero = 0;
  private width = 600;
  private selected: number | null = null;
  private readonly tip = document.createElement('p');
  private readonly motion = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(
    private readonly host: HTMLElement,
    private readonly timeline: Timeline,
    private readonly onChange: () => void,
  ) {
    this.tip.className = 'tip';
    this.tip.setAttribute('role', 'status');
    host.append(this.tip);
    host.tabIndex = 0;
    host.setAttribute('role', 'group');
    host.setAttribute(
      'aria-label',
      'Messages between the nodes, as they pass. Arrow keys go from one to the next, and pause; ' +
        'space pauses and goes on; plus and minus stretch time.',
    );
    new ResizeObserver(([entry]) => {
      this.width = Math.max(200, entry?.contentRect.width ?? 600);
    }).observe(host);
    host.addEventListener('pointermove', (event) => this.onPointer(event));
    host.addEventListener('pointerdown', (event) => this.onPointer(event));
    host.addEventListener('pointerleave', () => this.select(null));
    host.addEventListener('keydown', (event) => this.onKey(event));
    const frame = (): void => {
      this.shift();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  get isPaused(): boolean {
    return this.pausedAt !== null;
  }

  pause(isPaused: boolean): void {
    if (isPaused === this.isPaused) return;
    this.pausedAt = isPaused ? this.edge() : null;
    this.onChange();
  }

  /** Stretches time, or presses it together; the right edge stays. */
  zoom(factor: number): void {
    this.scale = Math.min(mostScale, Math.max(leastScale, this.scale * factor));
    this.draw();
  }

  draw(): void {
    const edge = this.edge();
    // Large numbers are coarse in SVG.
    if (Math.abs(edge - this.zero) * this.scale > 50_000) this.zero = edge;
    const { timeline, order, width, scale, zero, hidden, selected } = this;
    const scene: Scene = {
      ...{ timeline, order, width, scale, zero, hidden, selected, edge },
      laneHeight: laneHeightOf(order.length),
    };
    const height = heightOf(scene);
    const heads = order.map((_, lane) => {
      const y = laneY(scene.laneHeight, lane);
      return svg`<path class="head" d="M${width - 7},${y - 4}l6,4l-6,4"></path>`;
    });
    render(
      html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true">
        ${definitions()}
        <g class="moving">${moving(scene)}</g>
        ${heads}
      </svg>`,
      this.host,
      { renderBefore: this.tip },
    );
    this.shift();
  }

  private edge(): number {
    if (this.pausedAt !== null) return this.pausedAt;
    const now = performance.now() - delayMs;
    return this.motion.matches ? Math.floor(now / 1000) * 1000 : now;
  }

  private shift(): void {
    const group = this.host.querySelector('.moving');
    const dx = this.width - 10 - (this.edge() - this.zero) * this.scale;
    group?.setAttribute('transform', `translate(${dx.toFixed(2)},0)`);
    this.placeTip(dx);
  }

  private placeTip(dx: number): void {
    const marble = this.chosen();
    if (marble === undefined) return;
    const x = (marble.at - this.zero) * this.scale + dx;
    if (x < -10) return this.select(null);
    const lane = this.order.indexOf(marble.node);
    const half = this.tip.offsetWidth / 2;
    const left = Math.min(Math.max(x, half), Math.max(half, this.width - half));
    const y = laneY(laneHeightOf(this.order.length), lane);
    // Above its line, unless that is the first one.
    const top = lane === 0 ? y + 20 : y - 20 - this.tip.offsetHeight;
    this.tip.style.transform = `translate(${left - half}px, ${top}px)`;
  }

  private chosen(): Marble | undefined {
    if (this.selected === null) return undefined;
    return this.timeline.marbles.find(({ key }) => key === this.selected);
  }

  private select(marble: Marble | null): void {
    if ((marble?.key ?? null) === this.selected) return;
    this.selected = marble?.key ?? null;
    this.tip.textContent = marble === null ? '' : this.wordsFor(marble);
    this.tip.classList.toggle('shown', marble !== null);
    this.draw();
  }

  private wordsFor({ node, at, nodeAt, seen, arrivals }: Marble): string {
    const { name } = kinds[seen.kind];
    const arrived = [...arrivals].map(([id, arrival]) => {
      if (arrival === null) return `${id} has not reported it`;
      const ms = arrival - at;
      return ms > 0 ? `${id} had it ≈ ${ms.toFixed(1)} ms later` : `${id} had it`;
    });
    return (
      `${node} → ${seen.peers.join(', ')}: ${name}. “${sentenceOf(seen)}”\n` +
      `${clockText(nodeAt, 1)} by ${node}’s clock; ${arrived.join(', ')}`
    );
  }

  private onPointer({ target }: Event): void {
    if (!(target instanceof Element)) return;
    const key = target.closest('[data-key]')?.getAttribute('data-key');
    if (key === undefined || key === null) return;
    const marble = this.timeline.marbles.find((each) => String(each.key) === key);
    if (marble !== undefined) this.select(marble);
  }

  private onKey(event: KeyboardEvent): void {
    const actions: Readonly<Record<string, () => void>> = {
      ' ': () => this.pause(!this.isPaused),
      '+': () => this.zoom(1.5),
      '-': () => this.zoom(1 / 1.5),
      Escape: () => this.select(null),
      ArrowLeft: () => this.step(-1, 0),
      ArrowRight: () => this.step(1, 0),
      ArrowUp: () => this.step(0, -1),
      ArrowDown: () => this.step(0, 1),
    };
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action();
  }

  /** To the next message on this line, or to the nearest on another one. */
  private step(along: number, across: number): void {
    this.pause(true);
    const edge = this.edge();
    const since = edge - this.width / this.scale;
    const from = this.chosen();
    const lane = this.order.indexOf(from?.node ?? this.order[0] ?? '');
    const node = this.order[lane + across] ?? from?.node ?? this.order[0];
    const shown = this.timeline.marbles
      .filter(({ at, seen }) => at >= since && at <= edge && !this.hidden.has(seen.kind))
      .sort((a, b) => a.at - b.at);
    if (from === undefined) return this.select(shown.at(-1) ?? null);
    const all = shown.filter((each) => each.node === node);
    if (across === 0) {
      const at = all.indexOf(from) + along;
      return this.select(all[Math.min(all.length - 1, Math.max(0, at))] ?? null);
    }
    const near = (each: Marble): number => Math.abs(each.at - from.at);
    this.select(all.sort((a, b) => near(a) - near(b))[0] ?? from);
  }
}

export function laneHeightOf(nodes: number): number {
  return nodes <= 3 ? 68 : nodes <= 5 ? 54 : 44;
}
