/** What stands below the findings: bindings, what the configuration foretells, what was seen, limits, inputs. */

import type { ClockOffset, Diagnostic, Input, System } from '../../model.js';
import {
  clockTime,
  CONFIDENCE_WORDS,
  count,
  counted,
  dateTime,
  diagnosticPlace,
  expectedText,
  span,
  witnessText,
} from '../words.js';
import type { Context } from './context.js';
import { clipped, type Limits } from './limits.js';
import { markup, type Content, type Markup } from './markup.js';
import { commands, moreNote, originsText, prose, table } from './table.js';

export function eventsSection({ analysis, limits, since }: Context): Markup | undefined {
  const events = analysis.events ?? [];
  if (events.length === 0) return undefined;
  const rows = events.map((event): Content[] => [
    clockTime(event.time),
    event.kind,
    clipped(event.what, 600),
    event.device === undefined ? '' : clipped(event.device, 60),
    originsText([event.origin]),
  ]);
  return section(
    'events',
    'Events',
    table(
      {
        caption: 'Events near the findings',
        columns: ['Time (UTC)', 'Kind', 'What', 'Device', 'Where it stands'],
        isCaptionHidden: true,
        name: 'events',
        times: events.map((event) => [since(event.time), undefined]),
      },
      rows,
      limits.rows,
    ),
  );
}

export function bindingsSection({ analysis, limits, since }: Context): Markup | undefined {
  if (analysis.bindings.length === 0) return undefined;
  const rows = analysis.bindings.map((binding): Content[] => [
    markup`<code>${binding.ip}</code>`,
    markup`<code>${binding.mac}</code>${binding.conflict ? markup` <b class="wrong">another MAC claims it too</b>` : undefined}`,
    markup`${binding.network}`,
    binding.from === undefined ? 'undated' : clockTime(binding.from),
    binding.to === undefined ? 'undated' : clockTime(binding.to),
    markup`<ul>${binding.witnesses.slice(0, 3).map((witness) => markup`<li>${clipped(witnessText(witness))}</li>`)}</ul>${binding.witnesses.length > 3 ? markup`<span class="note">and ${count(binding.witnesses.length - 3)} more</span>` : undefined}`,
  ]);
  return section(
    'bindings',
    'Who had which MAC',
    table(
      {
        caption: 'Addresses that findings speak of, and the MACs that had them',
        columns: ['Address', 'MAC', 'Network', 'First witness (UTC)', 'Last witness', 'Witnesses'],
        isCaptionHidden: true,
        name: 'bindings',
        times: analysis.bindings.map((binding) => [since(binding.from), since(binding.to)]),
      },
      rows,
      limits.rows,
    ),
  );
}

export function foreseenSection({ analysis, limits }: Context): Markup | undefined {
  const checks = analysis.ruleset ?? [];
  if (analysis.predictions.length === 0 && checks.length === 0) return undefined;
  const cards = analysis.predictions
    .slice(0, limits.findings)
    .map(
      (prediction) =>
        markup`<article class="card"><h3>${prediction.title}</h3><p><span class="confidence">from the configuration alone</span> <code>${prediction.cause}</code></p><p>${prose(prediction.summary)}</p>${prediction.prove.length > 0 ? markup`<h4>What proves it</h4>${commands(prediction.prove)}` : undefined}${prediction.change.length > 0 ? markup`<h4>What to change</h4><ol class="advice">${prediction.change.map((advice) => markup`<li>${prose(advice.what)}${commands(advice.commands)}</li>`)}</ol>` : undefined}<p class="note">${originsText(prediction.evidence)}</p></article>`,
    );
  const rows = checks.map((check): Content[] => [
    markup`<span class="result ${check.result}">${CHECK_WORDS[check.result]}</span>`,
    prose(check.what),
    originsText(check.evidence),
  ]);
  const list =
    rows.length > 0
      ? table(
          { caption: 'What the ruleset does to flow offload', columns: ['Result', 'What', 'Where it stands'] },
          rows,
          limits.rows,
        )
      : undefined;
  return section(
    'foreseen',
    'Foreseen from the configuration',
    markup`${cards}${moreNote(analysis.predictions.length - limits.findings)}${list}`,
  );
}

const CHECK_WORDS = { fault: '✗ fault', risk: '! risk', fine: '✓ fine' } as const;

export function observationsSection({ analysis, limits }: Context): Markup | undefined {
  const convergence = analysis.misdeliveries.filter((m) => m.class === 'convergence');
  if (analysis.observations.length === 0 && convergence.length === 0) return undefined;
  const rows = analysis.observations.map((seen): Content[] => [
    markup`${seen.title} <code>${seen.cause}</code>`,
    prose(seen.summary),
    seen.time === undefined ? '' : clockTime(seen.time),
    originsText(seen.evidence),
  ]);
  const normal = convergence.map((m): Content[] => [
    markup`Normal after a take-over`,
    `${counted(m.frames, 'frame')} for ${m.dstIp} to ${m.dstMac} before ${m.srcMac} knew of ${expectedText(m)}; counted as delivered`,
    clockTime(m.firstTime),
    clipped(m.input, 100),
  ]);
  return section(
    'observations',
    'Also seen, and normal or not the router’s fault',
    table(
      {
        caption: 'What looks like a misdelivery and is none',
        columns: ['What', 'Details', 'Time (UTC)', 'Where it stands'],
        isCaptionHidden: true,
      },
      [...rows, ...normal],
      limits.rows,
    ),
  );
}

export function notJudgedSection({ analysis, limits }: Context): Markup | undefined {
  if (analysis.notJudged.length === 0) return undefined;
  const rows = analysis.notJudged.map((entry): Content[] => [
    count(entry.frames),
    prose(entry.what),
    clipped(
      entry.inputs
        .slice(0, 5)
        .map((name) => clipped(name, 80))
        .join(', ') + (entry.inputs.length > 5 ? ` and ${entry.inputs.length - 5} more` : ''),
      600,
    ),
    entry.collect === undefined ? '' : markup`<code>${clipped(entry.collect, 2000)}</code>`,
  ]);
  return section(
    'not-judged',
    'Not judged',
    table(
      {
        caption: 'Frames that could not be judged, and why',
        columns: ['Frames', 'Why', 'Captures', 'Record it so next time'],
        isCaptionHidden: true,
      },
      rows,
      limits.rows,
    ),
  );
}

export function inputsSection({ analysis, limits }: Context): Markup {
  const captures = analysis.inputs.filter((input) => input.frames !== undefined);
  const others = analysis.inputs.filter((input) => input.frames === undefined);
  const clocks = analysis.clocks ?? [];
  return section(
    'inputs',
    'Inputs and limits',
    markup`${captures.length > 0 ? inputTable('Captures', captures, limits) : undefined}${others.length > 0 ? markup`<details class="long"><summary>${counted(others.length, 'dump or other file', 'dumps or other files')}</summary>${inputTable('Dumps and other files', others, limits)}</details>` : undefined}${systemsTable(analysis.systems ?? [], limits)}${clocks.length > 0 ? clockTable(clocks, limits) : undefined}${analysis.diagnostics.length > 0 ? diagnosticsTable(analysis.diagnostics, limits) : undefined}`,
  );
}

function inputTable(caption: string, inputs: readonly Input[], limits: Limits): Markup {
  const rows = inputs.map((input): Content[] => [
    markup`<code>${clipped(input.name, 200)}</code>`,
    input.kind,
    input.sha256 === '' ? 'not hashed' : markup`<code>${clipped(input.sha256, 64).slice(0, 12)}</code>`,
    heldText(input),
    input.firstTime === undefined || input.lastTime === undefined
      ? ''
      : `${dateTime(input.firstTime).slice(0, 19)}, ${span(input.firstTime, input.lastTime)}`,
  ]);
  return table({ caption, columns: ['Input', 'Kind', 'SHA-256', 'Holds', 'From (UTC), for'] }, rows, limits.rows);
}

function heldText(input: Input): string {
  const frames = input.frames === undefined ? [] : [counted(input.frames, 'frame')];
  const facts = Object.entries(input.facts ?? {})
    .filter(([, n]) => Number.isFinite(n))
    .map(([kind, n]) => `${count(n)} ${clipped(kind, 40)}`);
  const interfaces = (input.interfaces ?? []).slice(0, 8).map((iface) => {
    const dropped = (iface.dropped ?? 0) > 0 ? `, ${count(iface.dropped ?? 0)} dropped` : '';
    const filter = iface.filter === undefined || iface.filter === '' ? '' : `, filter ${clipped(iface.filter, 100)}`;
    return `${clipped(iface.device, 60)} (${counted(iface.frames, 'frame')}${dropped}${filter})`;
  });
  const unknown = (input.unknownLines ?? 0) > 0 ? [`${counted(input.unknownLines ?? 0, 'line')} not known`] : [];
  return [...frames, ...facts, ...interfaces, ...unknown].join('; ');
}

const OFFLOAD_WORDS = { yes: 'a rule offloads', no: 'no rule offloads', likely: 'likely', unknown: 'unknown' } as const;

/** What machines the dumps are of, and what they offload. */
function systemsTable(systems: readonly System[], limits: Limits): Markup | undefined {
  if (systems.length === 0) return undefined;
  const rows = systems.map((system): Content[] => {
    const about = [system.board, system.distribution, system.kernel].filter((text) => text !== undefined);
    const tables = system.flowtables.map(({ name, devices, hardware }) => {
      return clipped(`${name} { ${devices.join(', ')} }${hardware ? ', in hardware' : ''}`, 200);
    });
    const { connections } = system;
    const guards = system.guards.map(
      ({ rule, effect }) => markup`<li><code>${clipped(rule, 200)}</code>: ${GUARD_WORDS[effect]}</li>`,
    );
    return [
      about.length > 0 ? clipped(about.join(', '), 300) : clipped(system.inputs.join(', '), 100),
      OFFLOAD_WORDS[system.offloads],
      tables.join('; '),
      guards.length > 0 ? markup`<ul>${guards.slice(0, 10)}</ul>` : '',
      connections
        ? `${count(connections.offloaded)} of ${counted(connections.seen, 'connection')}, ${count(connections.hardware)} in hardware`
        : '',
    ];
  });
  const columns = ['Machine', 'Offload', 'Flowtables', 'What keeps traffic out', 'Offloaded'];
  return table({ caption: 'Machines that dumps are of', columns }, rows, limits.rows);
}

const GUARD_WORDS = {
  works: 'works',
  never: 'keeps nothing out',
  all: 'keeps everything out',
  partly: 'works in part',
} as const;

function clockTable(clocks: readonly ClockOffset[], limits: Limits): Markup {
  const rows = clocks.map((clock): Content[] => [
    clipped(clock.input, 100),
    clipped(clock.against, 100),
    `${milliseconds(clock.offset)} ms ± ${milliseconds(clock.uncertainty)} ms`,
    `${counted(clock.pairs, 'pair')} of ${clock.by === 'frames' ? 'the same frames' : 'conntrack entry and packets'}`,
  ]);
  return table(
    { caption: 'How far clocks are apart', columns: ['Clock of', 'Against', 'Is ahead by', 'Found by'] },
    rows,
    limits.rows,
  );
}

function milliseconds(ns: string): string {
  return /^-?\d{1,18}$/.test(ns) ? (Number(ns) / 1e6).toFixed(3) : 'unknown';
}

function diagnosticsTable(diagnostics: readonly Diagnostic[], limits: Limits): Markup {
  const rows = diagnostics.map((d): Content[] => {
    const times = d.count !== undefined && d.count > 1 ? ` (${count(d.count)} times)` : '';
    return [
      d.input === undefined ? 'all' : clipped(d.input, 100),
      diagnosticPlace(d),
      `${clipped(d.what, 600)} ${clipped(d.action, 600)}${times}`,
    ];
  });
  return table(
    { caption: 'Limits of the inputs', columns: ['Input', 'Where', 'What, and what was done'] },
    rows,
    limits.rows,
  );
}

/** How the report is meant, for who sees one for the first time. */
export function guideSection(): Markup {
  return section(
    'guide',
    'How to read this',
    markup`<ul>
<li><b>Misdelivered</b>: the frame's destination IP address was right, and its destination MAC was not one that had the address (or was the way to it) at that moment. Each is held against a named witness: an ARP or neighbour discovery message, a DHCP lease, a neighbour table.</li>
<li><b>Delivered</b> frames went to a MAC that was right. What is sent to the old MAC before the sender could know of a take-over is normal and counts as delivered.</li>
<li><b>Not judged</b> is not “fine”: nobody said who had the address, or the capture does not hold the MAC.</li>
<li>A frame that several captures saw is counted in each. Frame numbers are those of Wireshark, from 1.</li>
<li><b>${CONFIDENCE_WORDS.proven}</b>: a natural experiment shows it (other traffic to the same address went right at the same time). <b>${CONFIDENCE_WORDS.strong}</b>: all that is known fits and the alternatives are ruled out. <b>${CONFIDENCE_WORDS.suspected}</b>: it fits, and evidence is missing.</li>
<li>In the time-line, a run of frames is a bar from its first to its last frame. Its colour and hatch stand for the MAC that it went to; wrong runs are tall and outlined.</li>
</ul>
<p class="note">Made by macscan. The page loads nothing and sends nothing; it holds no payload. All times are UTC.</p>`,
  );
}

function section(id: string, title: string, content: Markup): Markup {
  return markup`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>`;
}
