import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis, Flow, Misdelivery } from '../../src/model.js';
import { parseAnalysis } from '../../src/read/analysis.js';
import { renderHtml } from '../../src/render/html.js';
import { MAX_REPORT_BYTES } from '../../src/render/html/limits.js';
import { embeddedJson, escapeHtml, markup } from '../../src/render/html/markup.js';
import { renderJson } from '../../src/render/json.js';
import { analyze, folderPieces } from '../support/engine.js';
import { fullAnalysis } from '../support/full-analysis.js';
import { HOSTILE_NAMES, hostileAnalysis, INVISIBLE } from '../support/hostile.js';

const root = new URL('../../captures/', import.meta.url).pathname;

async function caseOf(name: string): Promise<Analysis> {
  return analyze(folderPieces(`${root}${name}`, (file) => !/README|expected/.test(file)));
}

describe('the report of a case, without its script', () => {
  it('says what is wrong, why, and who says so', async () => {
    const text = textOf(renderHtml(await caseOf('stale-mac')));
    expect(text).toContain('138 of 2,022 judged frames went to the right IP address and the wrong MAC.');
    expect(text).toContain(
      'Frames for 192.168.1.240 went to 52:54:00:7d:02:40 instead of 02:42:c0:a8:01:f0 for 34.2 s',
    );
    expect(text).toContain('proven The offloaded flow kept the MAC of a host that is gone');
    expect(text).toContain('1,884 delivered');
    expect(text).toContain('55 not judged');
    expect(text).toContain('lan3.pcap sha256');
    expect(text).toMatch(/D1 Was other traffic.*✓ yes/);
    expect(text).toContain('conntrack -D -p udp -s 198.51.100.10');
    expect(text).toContain('gratuitous ARP at 13:27:19.383091, lan3.pcap frame 284');
    expect(text).toContain('285-295, 300-320, 323-366');
  });

  it('draws the time-line and the path', async () => {
    const html = renderHtml(await caseOf('stale-mac'));
    expect(html).toMatch(/<svg[^>]*role="img"[^>]*><title id="timeline-name">/);
    for (const label of ['Who has 192.168.1.240', 'F1 frames on lan3', 'F1 offloaded']) expect(html).toContain(label);
    expect(html).toContain('observed: 138 wrong');
  });

  it('says of a healthy case that all is well', async () => {
    const text = textOf(renderHtml(await caseOf('healthy-takeover')));
    expect(text).toMatch(/✓ Delivered All [\d,]+ judged frames went to the right MAC\./);
  });

  it('has tables with captions and scopes only', async () => {
    for (const name of ['stale-mac', 'policy-routing', 'healthy-takeover']) {
      const html = renderHtml(await caseOf(name)).replaceAll(/<script[^]*?<\/script>/g, '');
      for (const [table] of html.matchAll(/<table[^]*?<\/table>/g)) {
        expect(table).toMatch(/<caption/);
        expect(table).toMatch(/<th scope="col"/);
      }
    }
  });
});

describe('the policy of the page', () => {
  const html = renderHtml(fullAnalysis);

  it('names the script and the style sheet that are there, and allows nothing else', () => {
    const script = /<script>([^]*?)<\/script>/.exec(html)?.[1] ?? '';
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? '';
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    expect(policy).toBe(
      `default-src 'none'; script-src '${sha256(script)}'; style-src '${sha256(style)}'; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    expect(script.length).toBeGreaterThan(0);
  });

  it('has no style attribute, no handler, no address to load anything from', () => {
    const body = html.replace(/<script>[^]*?<\/script>/, '');
    expect(body).not.toMatch(/<[^>]*\s(style|on\w+)=/);
    expect(body).not.toMatch(/<(img|link|iframe|object|embed|form|base)\b/);
    expect(body).not.toMatch(/\s(src|action|srcset|data)=/);
    for (const [, href = ''] of body.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^#[\w-]+$/);
  });

  it('keeps the shell below 180 KB', () => {
    const data = /<script type="application\/json"[^]*?<\/script>/.exec(html)?.[0] ?? '';
    expect(html.length - data.length).toBeLessThan(180_000);
  });
});

describe('text of strangers', () => {
  it.each(HOSTILE_NAMES)('%j appears as text, whatever it stands in', (name) => {
    const html = renderHtml(hostileAnalysis(name));
    const clean = renderHtml(hostileAnalysis('name'));
    expect(tagsOf(html)).toEqual(tagsOf(clean));
    expect(textOf(html)).not.toMatch(INVISIBLE);
    expect(JSON.parse(dataOf(html))).toBeTypeOf('object');
  });

  it('is escaped in every place of a template', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !/\p{Cs}/u.test(text)),
        (text) => {
          const html = markup`<p title="${text}">${[text, markup`<b>${text}</b>`]}</p>`.text;
          expect(html.match(/[<>"]/g)).toHaveLength(10);
          expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
          const json = embeddedJson({ text }).text;
          expect(json).not.toMatch(/[<>&\u2028\u2029]/);
          expect(JSON.parse(json)).toEqual({ text });
        },
      ),
    );
  });
});

describe('a saved analysis of a stranger', () => {
  it('is rendered without an error, and makes no other tags, whatever its words and numbers are', () => {
    const word = fc.oneof(
      fc.constantFrom('constructor', '__proto__', '', '-1', '9'.repeat(30), '<b>', 'null', '1e9', 'misdelivered'),
      fc.string(),
    );
    const number = fc.oneof(fc.constantFrom(0, -1, 1e300, 0.5), fc.integer());
    const known = new Set(tagsOf(renderHtml(fullAnalysis)).map((tag) => tag.replace('/', '')));
    let rendered = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), word, number), { minLength: 1, maxLength: 2 }), (changes) => {
        const saved = parseAnalysis(spoil(renderJson(fullAnalysis), changes));
        if (typeof saved === 'string') return;
        rendered++;
        const html = renderHtml(saved);
        for (const tag of tagsOf(html)) expect(known).toContain(tag.replace('/', ''));
        expect(html).toMatch(/<h1 /);
      }),
      { numRuns: 120 },
    );
    expect(rendered).toBeGreaterThan(10);
  });
});

describe('the same analysis', () => {
  it('gives the same bytes, directly and from its JSON', async () => {
    const analysis = await caseOf('policy-routing');
    const saved = parseAnalysis(renderJson(analysis));
    if (typeof saved === 'string') throw new Error(saved);
    expect(renderHtml(saved)).toBe(renderHtml(analysis));
    expect(renderHtml({ ...saved, eachFrame: () => Promise.resolve() })).toBe(renderHtml(analysis));
  });
});

describe('the size of a report', () => {
  it('stays below 4 MB, and says what it leaves out', () => {
    const html = renderHtml(hugeAnalysis(2100, 60));
    expect(new TextEncoder().encode(html).length).toBeLessThanOrEqual(MAX_REPORT_BYTES);
    expect(textOf(html)).toMatch(/[\d,]+ more in the JSON\./);
  });

  it('stays so when names are long', () => {
    const analysis = hugeAnalysis(300, 200);
    const long = 'x'.repeat(5000);
    const input = analysis.inputs[0];
    if (!input) throw new Error('there is one');
    const inputs = Array.from({ length: 3000 }, (_, i) => ({ ...input, name: `${i}${long}` }));
    const html = renderHtml({ ...analysis, inputs });
    expect(new TextEncoder().encode(html).length).toBeLessThanOrEqual(MAX_REPORT_BYTES);
  });

  it('lists the first 50 and the last 10 frames of a finding', () => {
    const [m] = fullAnalysis.misdeliveries;
    const [frame] = fullAnalysis.misdeliveries[0]?.evidence ?? [];
    if (!m || !frame) throw new Error('there is one');
    const evidence = Array.from({ length: 500 }, (_, i) => ({ ...frame, frame: 1000 + i }));
    const html = renderHtml({ ...fullAnalysis, misdeliveries: [{ ...m, frames: 500, evidence }] });
    const shown = [...html.matchAll(/<th scope="row">(1\d{3})<\/th>/g)].map(([, number]) => Number(number));
    expect(shown).toEqual([...evidence.slice(0, 50), ...evidence.slice(-10)].map((e) => e.frame));
    expect(textOf(html)).toContain('440 more in the JSON.');
  });
});

/** Flows with as many mappings each as the analysis lists, all of them wrong. */
function hugeAnalysis(flows: number, mappings: number): Analysis {
  const [flow] = fullAnalysis.flows;
  const [mapping] = fullAnalysis.flows[0]?.mappings ?? [];
  const [m] = fullAnalysis.misdeliveries;
  if (!flow || !mapping || !m) throw new Error('there is one');
  const many: Flow[] = Array.from({ length: flows }, (_, i) => ({
    ...flow,
    id: `F${i + 1}`,
    mappings: Array.from({ length: mappings }, (_, j) => ({
      ...mapping,
      id: `F${i + 1}.${j}`,
      device: `device-${j}`,
      firstTime: (BigInt(mapping.firstTime) + BigInt(i * 1e6 + j)).toString(),
    })),
  }));
  const misdeliveries: Misdelivery[] = Array.from({ length: 200 }, (_, i) => ({
    ...m,
    id: `M${i + 1}`,
    dstIp: `10.0.0.${i}`,
    flows: many.slice(i * 20, i * 20 + 20).map(({ id }) => id),
  }));
  return { ...fullAnalysis, flows: many, misdeliveries };
}

/** Puts other words and numbers into some places of a JSON. */
function spoil(json: string, changes: readonly (readonly [number, string, number])[]): string {
  const places = [...json.matchAll(/: ("[^"]*"|-?\d+)(?=,?\n)/g)];
  const chosen = new Map(changes.map(([at, word, number]) => [at % places.length, { word, number }]));
  let i = -1;
  return json.replaceAll(/: ("[^"]*"|-?\d+)(?=,?\n)/g, (text, value: string) => {
    const change = chosen.get(++i);
    if (!change) return text;
    return `: ${JSON.stringify(value.startsWith('"') ? change.word : change.number)}`;
  });
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function dataOf(html: string): string {
  return /<script type="application\/json" id="data">([^]*?)<\/script>/.exec(html)?.[1] ?? '';
}

/** Names of all elements, in order; backquotes in a sentence make `code`, which is harmless. */
function tagsOf(html: string): string[] {
  return [...html.matchAll(/<\/?([a-z]\w*)/gi)].map(([tag]) => tag).filter((tag) => !tag.endsWith('code'));
}

/** What is read: no script, style or tag. */
function textOf(html: string): string {
  return html
    .replaceAll(/<(script|style)[^]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replaceAll(/\s+/g, ' ');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
