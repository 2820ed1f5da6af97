import type { Analysis } from '../../src/model.js';
import { fullAnalysis } from './full-analysis.js';

/** Names as a stranger's capture may hold them. */
export const HOSTILE_NAMES: readonly string[] = [
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>.pcap',
  "\"><b>'x'",
  "=cmd|' /C calc'!A0",
  '+1+1@SUM(A1)',
  '-2+3',
  'a|b|c',
  '`a``b` *c* _d_ ~e~ [f](http://g) ![h](i)',
  '@everyone #1 owner/repo#2 www.example.com https://example.com :ab: GH-7',
  '\u001b[31mred\u001b[0m\u0007',
  'one\ntwo\r\n\r\n# three\u2028four',
  'rtl\u202egnp.exe\u2066x\u2069\u200b\ufeff',
  '$(reboot) `reboot`; reboot & \\',
  "it's",
  '-rf',
  '\ud83d\ude00 \ud83d',
  ' ',
];

/** Strings whose form the program itself gives: what comes from inputs is replaced, these stay. */
const OWN =
  /^(version|verdict|kind|protocol|time|firstTime|lastTime|from|to|earliest|since|source|result|confidence|class|direction|joinedBy|phase|by|after|sha256|duration|longestStall|offset|uncertainty|srcMac|dstMac|srcIp|dstIp|mac|ip|expected|redacted)$/;

/** An analysis in which all else that is text is a hostile name; names that must agree still do. */
export function hostileAnalysis(name: string): Analysis {
  const spoil = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return OWN.test(key) || /^[MFC]\d/.test(value) ? value : name;
    if (Array.isArray(value)) return value.map((item) => spoil(item, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, spoil(inner, member)]));
  };
  const spoilt: unknown = spoil(fullAnalysis, '');
  if (!isLike(spoilt)) throw new Error('the analysis lost its form');
  return spoilt;
}

function isLike(value: unknown): value is Analysis {
  return typeof value === 'object' && value !== null && 'misdeliveries' in value;
}

/** Characters that no output may hold as they are: controls but the line feed, and what hides or turns text. */
export const INVISIBLE = /[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u;
