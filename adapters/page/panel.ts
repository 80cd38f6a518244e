/** What stands around the diagram: the headline, the legend, the form, and what was answered. */
import type { TemplateResult } from 'lit/html.js';
import { html, nothing } from 'lit/html.js';
import type { MessageKind } from '../live/protocol.js';
import { kindNames, kinds } from './kinds.js';
import type { Model } from './model.js';
import type { Outcome, Pace } from './requests.js';

export function headline(model: Model): TemplateResult {
  const { heard, nodes } = model;
  const count = html` · ${heard.length} of ${nodes.size} nodes answer`;
  return html`<span aria-live="polite"
    >${situation(model)}${nodes.size === 0 ? nothing : count}</span
  >`;
}

function situation({ leader, witness, heard, hasQuorum, nodes }: Model): TemplateResult {
  if (nodes.size === 0) return html`Looking for the nodes …`;
  if (heard.length === 0) return html`<em>No node answers</em>, the page goes on trying`;
  if (leader !== null) return html`<b>${leader.id}</b> leads in term <b>${leader.status?.term}</b>`;
  if (witness !== null)
    return html`<em>${witness.leader} does not answer</em>, and ${witness.id} takes it for the
      leader`;
  return hasQuorum
    ? html`<em>Nobody leads</em>`
    : html`<em>Nothing is decided</em>: those that answer are no majority`;
}

/** Each kind is a button that hides it. */
export function legend(
  hidden: ReadonlySet<MessageKind>,
  toggle: (kind: MessageKind) => void,
): TemplateResult {
  return html`${kindNames.map((name) => {
    const { letter, name: words, shape, isRoutine } = kinds[name];
    const isShown = !hidden.has(name);
    return html`<button
      type="button"
      aria-pressed=${isShown ? 'true' : 'false'}
      title=${isShown ? 'shown: press to hide' : 'hidden: press to show'}
      @click=${() => toggle(name)}
    >
      <svg viewBox="-11 -11 22 22" width="20" height="20" aria-hidden="true">
        <g class="marble ${name}${isRoutine ? ' routine' : ''}">
          <path d=${shape}></path>
          <text y=${name === 'voteGranted' ? 4.5 : name === 'voteDenied' ? 1 : 3.2}>${letter}</text>
        </g>
      </svg>
      ${words}
    </button>`;
  })}`;
}

const paces: Readonly<Record<Pace, string>> = {
  off: 'off',
  few: '4 a second',
  some: '50 a second',
  many: '64 at once',
};

export interface Said {
  readonly what: string;
  readonly outcome: Outcome | null;
}

export function tryIt(options: {
  readonly pace: Pace;
  readonly said: readonly Said[];
  readonly submit: (event: SubmitEvent) => void;
  readonly setPace: (pace: Pace) => void;
}): TemplateResult {
  const { pace, said, submit, setPace } = options;
  return html` <form @submit=${submit}>
      <label
        >Key <input name="key" value="color" autocomplete="off" maxlength="200" required
      /></label>
      <label>Value <input name="value" value="blue" autocomplete="off" maxlength="2000" /></label>
      <span class="actions">
        <button type="submit" value="put" class="strong">Put</button>
        <button type="submit" value="get">Read</button>
      </span>
    </form>
    <fieldset class="pace">
      <legend>Keep writing</legend>
      ${(Object.keys(paces) as Pace[]).map(
        (name) =>
          html`<label
            ><input
              type="radio"
              name="pace"
              .checked=${pace === name}
              @change=${() => setPace(name)}
            /><span>${paces[name]}</span></label
          >`,
      )}
    </fieldset>
    <ol class="said" aria-live="polite" aria-label="Answers, the newest first">
      ${said.map(
        ({ what, outcome }) =>
          html`<li class=${outcome?.outcome ?? 'waiting'}>
            <code>${what}</code> <span>${outcome === null ? '…' : wordsOf(outcome)}</span>
          </li>`,
      )}
    </ol>`;
}

function wordsOf({ outcome, text, node, elapsedMs }: Outcome): TemplateResult {
  const how = html`<small>${elapsedMs.toFixed(1)} ms, by way of ${node}</small>`;
  switch (outcome) {
    case 'done':
      return html`done: on the disks of a majority ${how}`;
    case 'value':
      return html`<q>${text}</q> ${how}`;
    case 'missing':
      return html`there is no such key ${how}`;
    case 'refused':
      return html`refused: ${text}`;
    case 'unknown':
      return html`nobody knows whether it was done: ${text}`;
  }
}
