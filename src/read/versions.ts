/**
 * What a machine and its software are: `/etc/openwrt_release` (`DISTRIB_...='...'`), `/etc/os-release`,
 * `ubus call system board`, and what tools print of themselves. The kernel's release has a reader of its own.
 */

import type { VersionFact } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section, type StatementBase } from './section.js';

/** Longest text of a board's answer that is kept. */
const MAX_TEXT = 200;
const TOOLS: readonly RegExp[] = [
  /^(nft)ables v(\d[\w.]{1,20}) \(.{1,60}\)$/,
  /^ip utility, (iproute2)-(\S{1,30}?)(?:,.*)?$/,
  /^(tcpdump) version (\d[\w.]{1,20})(?: .*)?$/,
  /^(libpcap) version (\d[\w.]{1,20})(?: .*)?$/,
  /^(hostapd|dnsmasq|Dnsmasq) (?:v|version )\s?(\d[\w.-]{1,30})(?: .*)?$/,
];

export function versionsReader(): LineReader {
  let release: { base: StatementBase; values: Map<string, string> } | undefined;
  const close = (section: Section): void => {
    const closing = release;
    release = undefined;
    if (closing) emitRelease(closing.base, closing.values, section);
  };
  return {
    id: 'versions',
    line(line, section) {
      const variable =
        /^DISTRIB_(ID|RELEASE|REVISION|TARGET|ARCH|DESCRIPTION|CODENAME|TAINTS)=(['"]?)(.{0,200})\2$/.exec(line);
      if (variable) {
        release ??= { base: stateBase(section), values: new Map() };
        release.values.set(variable[1] ?? '', variable[3] ?? '');
        return true;
      }
      const tool = TOOLS.map((pattern) => pattern.exec(line)).find((match) => match !== null);
      if (!tool) return false;
      close(section);
      const [, name = '', version = ''] = tool;
      section.emit({ kind: 'version', ...stateBase(section), subject: 'tool', name: name.toLowerCase(), version });
      return true;
    },
    finish: close,
  };
}

function emitRelease(base: StatementBase, values: ReadonlyMap<string, string>, section: Section): void {
  const name = values.get('ID');
  const version = values.get('RELEASE');
  if (!name || !version) return;
  emitDistribution(base, name, version, values.get('REVISION'), values.get('TARGET'), section);
}

function emitDistribution(
  base: StatementBase,
  name: string,
  version: string,
  revision: string | undefined,
  target: string | undefined,
  section: Section,
): void {
  const fact: Mutable<VersionFact> = { kind: 'version', ...base, subject: 'distribution', name, version };
  if (revision) fact.revision = revision;
  if (target) fact.target = target;
  section.emit(fact);
}

/** The answer of `ubus call system board` (procd system.c). */
export function decodeBoardJson(value: unknown, line: number, section: Section): void {
  const board = membersOf(value);
  const release = membersOf(board.get('release'));
  const model = textOf(board.get('model'));
  const name = textOf(board.get('board_name'));
  const kernel = textOf(board.get('kernel'));
  if (model === undefined || name === undefined || kernel === undefined) return;
  const base = { ...stateBase(section), origin: { input: section.input, line } };
  section.emit({ kind: 'version', ...base, subject: 'board', name: model, version: name });
  if (/^\d{1,3}\.\d{1,4}[\w.+\-~]{0,64}$/.test(kernel)) section.emit({ kind: 'kernel', ...base, release: kernel });
  const distribution = textOf(release.get('distribution'));
  const version = textOf(release.get('version'));
  if (distribution === undefined || version === undefined) return;
  emitDistribution(
    base,
    distribution,
    version,
    textOf(release.get('revision')),
    textOf(release.get('target')),
    section,
  );
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_TEXT ? value : undefined;
}
