import { execFileSync } from 'node:child_process';
import { evidenceOf } from './check.js';

/**
 * What `macscan guard` prints for the evidence of a run, by the ending of the file that it becomes: the text for nft, and
 * the commands that it gives to apply and to undo it.
 */
export function guardFiles(cli: string, folder: string): [string, string][] {
  const text = execFileSync(process.execPath, [cli, 'guard', ...evidenceOf(folder)], { encoding: 'utf8' });
  const apply = text.search(/^# Apply/m);
  const undo = text.search(/^# Undo/m);
  if (apply < 0 || undo < apply) throw new Error(`macscan guard prints nothing to apply for ${folder}:\n${text}`);
  const code = text.slice(undo).search(/^(?!#)/m);
  return [
    ['guard.nft', text],
    ['apply.sh', commandsOf(text.slice(apply, undo))],
    ['undo.sh', commandsOf(text.slice(undo, code < 0 ? undefined : undo + code))],
  ];
}

function commandsOf(text: string): string {
  return [...text.matchAll(/^# {5}(.*)$/gm)].map(([, command = '']) => `${command}\n`).join('');
}
