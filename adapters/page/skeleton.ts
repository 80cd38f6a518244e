/** The places of the page, in their order, and the parts around the diagram. */
import type { TemplateResult } from 'lit/html.js';
import { html, render } from 'lit/html.js';
import type { Diagram } from './diagram.js';
import { laneHeightOf } from './diagram.js';
import type { Model } from './model.js';
import { isHeard } from './model.js';

export interface Places {
  readonly headline: HTMLElement;
  readonly tools: HTMLElement;
  readonly lanes: HTMLElement;
  readonly diagram: HTMLElement;
  readonly legend: HTMLElement;
  readonly heading: HTMLElement;
  readonly nodes: HTMLElement;
  readonly curves: HTMLElement;
  readonly tryIt: HTMLElement;
  readonly toolbar: (diagram: Diagram) => TemplateResult;
  readonly gutter: (model: Model) => TemplateResult;
}

const honesty =
  'Each node tells what it has sent and received, by its own clock. The page lays the clocks on ' +
  'one axis by the fastest frame of each node: between two lines, a few milliseconds are no ' +
  'certainty. Messages of one kind that follow each other closely are one marble with their ' +
  'number. What a dead node has seen, or one that is cut off, nobody can tell.';

export function skeleton(root: HTMLElement): Places {
  render(
    html`
      <header>
        <h1>rxraft</h1>
        <p id="headline"></p>
      </header>
      <section class="messages" aria-label="Messages">
        <div class="bar">
          <h2>Messages</h2>
          <details class="honesty">
            <summary>whose time is it?</summary>
            <p>${honesty}</p>
          </details>
          <div id="tools" class="tools"></div>
        </div>
        <div class="stage">
          <div id="lanes" class="lanes"></div>
          <div id="diagram" class="diagram"></div>
        </div>
        <div id="legend" class="legend" role="group" aria-label="Kinds of messages"></div>
      </section>
      <section aria-label="Nodes">
        <div id="heading" class="heading"></div>
        <div id="nodes" class="nodes"></div>
      </section>
      <div class="pair">
        <section aria-label="Try it">
          <h2>Try it</h2>
          <div id="try" class="try"></div>
        </section>
        <section aria-label="The last minute">
          <h2>The last minute</h2>
          <div id="curves" class="curves"></div>
        </section>
      </div>
    `,
    root,
  );
  const place = (id: string): HTMLElement => {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`the page has no place ${id}`);
    return found;
  };
  return {
    headline: place('headline'),
    tools: place('tools'),
    lanes: place('lanes'),
    diagram: place('diagram'),
    legend: place('legend'),
    heading: place('heading'),
    nodes: place('nodes'),
    curves: place('curves'),
    tryIt: place('try'),
    toolbar,
    gutter,
  };
}

function toolbar(diagram: Diagram): TemplateResult {
  const { isPaused } = diagram;
  return html`
    <button type="button" aria-label="Press time together" @click=${() => diagram.zoom(1 / 1.5)}>
      −
    </button>
    <button type="button" aria-label="Stretch time" @click=${() => diagram.zoom(1.5)}>+</button>
    <button
      type="button"
      class="pause"
      aria-pressed=${isPaused ? 'true' : 'false'}
      @click=${() => diagram.pause(!isPaused)}
    >
      ${isPaused ? 'Go on' : 'Pause'}
    </button>
  `;
}

/** The names of the lines, on their height. */
function gutter(model: Model): TemplateResult {
  const height = laneHeightOf(model.nodes.size);
  return html`${model.order.map((id) => {
    const node = model.nodes.get(id);
    const role = node !== undefined && isHeard(node) ? node.status.role : 'away';
    const word = role === 'away' && node?.isSilent === true ? 'silent' : role;
    return html`<div class="lane ${role}" .style=${`height:${height}px`}>
      <b>${id}</b><small>${word}</small>
    </div>`;
  })}`;
}
