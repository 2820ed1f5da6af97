/** Command lines in pasted text: after a shell prompt, after `+ ` of `set -x`, after a clock, or bare. */

/** The command that printed the lines after it. */
export interface Command {
  readonly text: string;
  /** Without `sudo` and the like, and without the path. */
  readonly program: string;
  readonly words: readonly string[];
  /** It shows only some entries (an address, a state, `| grep`): what it does not show may exist. */
  readonly partial: boolean;
}

const PREFIXES = new Set(['sudo', 'busybox', 'doas', 'time', 'nice', 'exec', 'command']);
/** `TZ=UTC0 ip ...`: a variable for this command alone. */
const ASSIGNMENT = /^[A-Z_]{1,32}=[\w/:+-]{0,64}$/;
/** Programs whose name after a bare `# `, `$ ` or `+ ` makes a command of a line that could be a comment. */
const PROGRAMS = new Set(
  (
    'ip bridge brctl conntrack cat arp nft fw4 tcpdump date watch iptables ip6tables iptables-save uci logread dmesg ' +
    'uname ubus ethtool sysctl ls head tail grep echo while for sleep ping curl ssh tshark ifconfig route uptime lsmod'
  ).split(' '),
);
const LONGEST_PROMPT = 80;

/**
 * Reads a line as a command line.
 * @returns the command; `'prompt'` for a prompt without a command; undefined for any other line
 */
export function parseCommandLine(line: string): Command | 'prompt' | undefined {
  const bare = bareCommand(line);
  if (bare) return bare;
  const mark = promptMark(line);
  if (mark === undefined) return undefined;
  const prompt = line.slice(0, mark).trim();
  const rest = line.slice(mark + 1).trim();
  const certain = /^(?:[\w.\-()]+@[\w.\-]+(?::| |$)|\[[\w.\-]+@)/.test(prompt);
  if (rest === '') return certain ? 'prompt' : undefined;
  const command = parseCommand(rest);
  if (!certain && !(PROGRAMS.has(command.program) && looksLikePath(prompt))) return undefined;
  return command;
}

/** Takes a command line apart; pipes and redirections stay in `text` only. */
export function parseCommand(text: string): Command {
  const words =
    text
      .split(/[|;>&]/, 1)[0]
      ?.trim()
      .split(/\s+/) ?? [];
  while (words.length > 1 && (PREFIXES.has(words[0] ?? '') || ASSIGNMENT.test(words[0] ?? ''))) words.shift();
  const program = (words[0] ?? '').replace(/^.*\//, '');
  return { text, program, words, partial: isPartial(text, program, words) };
}

/** Whether a command prints a file that was written before, not the state of the kernel at the time. */
export function printsSavedFile({ program, words }: Command): boolean {
  if (!SHOWS_FILES.has(program)) return false;
  return words.slice(1).some((word) => !word.startsWith('-') && !/^\/(?:proc|sys|dev)\//.test(word));
}

const SHOWS_FILES = new Set(['cat', 'head', 'tail', 'less', 'more', 'zcat']);

/** The word that follows `name` in a command, as in `ip route show table 100`. */
export function commandArgument(command: Command | undefined, name: string): string | undefined {
  const at = command?.words.indexOf(name) ?? -1;
  return at < 0 ? undefined : command?.words[at + 1];
}

/** The object an `ip` or `bridge` command is about, by its first letters: `neigh`, `route`, `monitor`; undefined for other programs. */
export function ipObject(command: Command | undefined): string | undefined {
  if (command?.program !== 'ip' && command?.program !== 'bridge') return undefined;
  return command.words.slice(1).find((word) => !word.startsWith('-'));
}

function bareCommand(line: string): Command | undefined {
  const isCommand =
    /^(?:sudo )?(?:ip (?:-\S+ )*(?:n|nei\w*|r|ro\w*|ru\w*|a|ad\w*|l|li\w*|mo\w*)(?: |$)|bridge (?:-\S+ )*(?:fdb|mo\w*)|conntrack -[LEDG]|cat \/(?:proc|tmp|sys|etc)\/|arp -|tcpdump -|nft (?:-\S+ )*list )/;
  return line.length < 200 && isCommand.test(line) ? parseCommand(line) : undefined;
}

function promptMark(line: string): number | undefined {
  const end = Math.min(line.length, LONGEST_PROMPT);
  for (let i = 0; i < end; i++) {
    const c = line[i];
    const ends = i + 1 === line.length || line[i + 1] === ' ';
    if (ends && (c === '#' || c === '$' || c === '%' || (c === '+' && i === 0) || (c === '>' && i > 0))) return i;
  }
  return undefined;
}

/** `/ `, `~`, `host:/tmp`, `[root@host ~]` or nothing: not the words of a sentence. */
function looksLikePath(prompt: string): boolean {
  return prompt === '' || /^[\w.\-@:[\]]*[:\s]?[~/]?[\w./\-~]*\]?$/.test(prompt);
}

function isPartial(text: string, program: string, words: readonly string[]): boolean {
  if (/\|\s*(?:grep|egrep|head|tail|awk|sed)\b/.test(text) || program === 'grep') return true;
  if (program === 'conntrack') {
    return words.some((word) =>
      /^(?:-[GDIUpsdrqfugnjmlwz]|--(?:orig|reply|proto|src|dst|mark|zone|status).*)$/.test(word),
    );
  }
  if (program !== 'ip' && program !== 'bridge') return false;
  return words
    .slice(1)
    .some((word) => /^(?:to|nud|dev|proto|match|root|exact|type|get|br|brport)$/.test(word) || /\d\.\d|::/.test(word));
}
