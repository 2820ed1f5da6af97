import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sharedPath } from './shared.js';

/** A table of tab-separated values: text per column name, one map per line. */
export type Table = ReadonlyMap<string, string>[];

/** The public captures that tshark's view is at hand of, as paths below `corpus/files`. */
export function oracleFiles(): string[] {
  const root = sharedPath('corpus/oracle/');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tsv.gz'))
    .map((name) => name.slice(0, -'.tsv.gz'.length))
    .sort();
}

/** tshark's view of a public capture; lines that are no packets (custom blocks) are left out. */
export function readOracle(file: string): Table {
  const text = gunzipSync(readFileSync(sharedPath('corpus/oracle', `${file}.tsv.gz`))).toString();
  return parseTable(text).filter((line) => line.get('frame.encap_type') !== '');
}

function parseTable(text: string): Table {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return new Map(names.map((name, at) => [name, cells[at] ?? '']));
  });
}

/** A field in the form in which it is compared: what says the same is the same. */
export function normalize(name: string, value: string | undefined): string {
  const text = (value ?? '').trim().toLowerCase();
  if (name === 'frame.interface_id') return text || '0';
  if (name === 'frame.section_number') return text || '1';
  if (name === 'eth.type' && text !== '') return String(Number(text));
  return text;
}
