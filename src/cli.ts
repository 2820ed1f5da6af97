/** The command line. Commands are loaded when they run, so that each start pays only for what it needs. */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { CollectOptions } from './commands/collect.js';
import type { CompareOptions } from './commands/compare.js';
import { checkFormat, checkOptions, optionDescription } from './commands/option-use.js';
import { fail, finish } from './commands/process.js';
import type { RedactionOptions } from './commands/redaction.js';
import type { ScanCommandOptions } from './commands/scan.js';
import { packageVersion } from './commands/version.js';

const version = packageVersion();

const program = new Command('macscan')
  .description('Finds the frames that went to the right IP address and the wrong MAC, in captures and router dumps.')
  .version(version, '-V, --version')
  .argument('[evidence...]', 'captures, dumps, folders, tar archives, a saved analysis, or - for standard input')
  .option(
    '-o, --output <file>',
    'write the result to a file, its format told by the ending (.txt, .json, .md, .html, .csv, .findings.csv, .flows.csv, .mappings.csv, .pcapng); - for standard output; repeatable',
    collect,
    [],
  )
  .addOption(
    new Option('-f, --format <name>', 'format on standard output')
      .choices(['text', 'json', 'markdown', 'html', 'csv', 'findings-csv', 'flows-csv', 'mappings-csv', 'pcapng'])
      .default('text'),
  )
  .option('--map <ip=mac>', 'an address and the MAC that has it; repeatable', collect, [])
  .option(
    '--device <interface=name>',
    'name the device of a capture (its input name) or of a pcapng interface (input#number); repeatable',
    collect,
    [],
  )
  .option('--as <name=format>', 'read an input as pcap, pcapng or text whatever it looks like; repeatable', collect, [])
  .option(
    '--from <time>',
    'judge only frames from this time on (2026-11-21T07:52:26.5, or seconds since 1970); UTC unless it says otherwise',
  )
  .option('--to <time>', 'judge only frames up to this time')
  .option(
    '--filter <words>',
    'list only what fits: ip: mac: dev: is: cause: flow: or any text, ! negates; the verdict stays that of everything',
  )
  .option('--only-evidence', 'in .pcapng, write only misdelivered frames and those that witness or explain them', false)
  .option('-n, --no-names', 'do not name the makers of hardware after MACs')
  .addOption(
    new Option(
      '--redact [level]',
      'replace MACs, public addresses and names of hosts in all outputs; --redact=strict: private addresses too',
    ).choices(['default', 'strict']),
  )
  .option('--redact-key <file>', 'the secret that decides the replacements; without it, each run has its own')
  .option('--keep-oui', 'leave the first three bytes of MACs as they are', false)
  .option('--no-exit-code', 'exit 0 whatever the verdict')
  .option('-q, --quiet', 'print the verdict only', false)
  .option('-v, --verbose', 'print everything', false)
  .option('--hash', 'tell the SHA-256 of inputs above 128 MiB too', false)
  .option('--stats', 'print what the run spent on standard error', false)
  .addOption(new Option('--color <when>', 'color the text').choices(['auto', 'always', 'never']).default('auto'))
  .addHelpText('after', helpAfter())
  .showHelpAfterError('(macscan --help lists the options)')
  .configureOutput({ outputError: (line, write) => write(line.replace(/^error: /, 'macscan: ')) })
  .configureHelp({ optionDescription })
  .exitOverride()
  .action(async (evidence: string[], options: ScanCommandOptions) => {
    if (evidence.length === 0) program.help({ error: true });
    checkFormat(program, options.output);
    const { scanCommand } = await import('./commands/scan.js');
    await finish(await scanCommand(evidence, options, version));
  });

program
  .command('frames')
  .description(
    'Print what is decoded of each frame of a capture as tab-separated values, with the field names of tshark.',
  )
  .argument('<capture>', 'a capture, or - for standard input')
  .action(async (capture: string) => {
    checkOptions(program, 'frames', []);
    const { framesCommand } = await import('./commands/frames.js');
    await finish(await framesCommand(capture));
  });

program
  .command('explain')
  .description('Print what a cause is, how it looks, what to do and what to collect; without an id, list all causes.')
  .argument('[cause]', 'its id, such as stale-mac')
  .action(async (cause: string | undefined) => {
    checkOptions(program, 'explain', []);
    const { explainCommand } = await import('./commands/explain.js');
    await finish(await explainCommand(cause));
  });

program
  .command('guard')
  .description(
    'Print the nftables include that keeps this ruleset from offloading what offload gets wrong, with its cost and how to undo it. Nothing is applied.',
  )
  .argument('<evidence...>', 'the ruleset, rules, routes and links of the router; captures are of no use')
  .action(async (evidence: string[]) => {
    checkOptions(program, 'guard', []);
    const { guardCommand } = await import('./commands/guard.js');
    await finish(await guardCommand(evidence));
  });

program
  .command('redact')
  .description(
    'Write a capture, a dump or a saved analysis without what is private: addresses replaced, payload and names left out. Of a folder or an archive, every file, below a new folder.',
  )
  .argument('<input>', 'what to redact, or - for standard input')
  .argument('<output>', 'the file to write (.pcapng, .pcap, or any name for text), or - for standard output')
  .option('--strict', 'replace private addresses too', false)
  .option('--redact-key <file>', 'the secret that decides the replacements; without it, each run has its own')
  .option('--keep-oui', 'leave the first three bytes of MACs as they are', false)
  .action(async (input: string, output: string, options: { strict: boolean }) => {
    checkOptions(program, 'redact', ['redact', 'redactKey', 'keepOui']);
    const { redactCommand } = await import('./commands/redact.js');
    // The options that both have are the program's, wherever they stand.
    const shared = program.opts<RedactionOptions>();
    await finish(await redactCommand(input, output, { ...shared, ...(options.strict ? { redact: 'strict' } : {}) }));
  });

program
  .command('collect')
  .description(
    'Print a shell script that collects on a router (OpenWrt, or any Linux) what macscan needs, and sends it as a tar archive: ssh root@router sh -s < case.sh > case.tar',
  )
  .option('--device <interface>', 'capture this device; repeatable (default: bridges, their ports, WAN)', collect, [])
  .option(
    '--host <ip>',
    'capture only what this address sends and gets, and ARP, neighbour discovery and DHCP; repeatable: name both ends, as NAT changes one',
    collect,
    [],
  )
  .option('--duration <seconds>', 'how long to collect', '60')
  .option('--max-size <MiB>', 'memory of the router that it may take', '32')
  .action(async (options: CollectOptions) => {
    checkOptions(program, 'collect', ['device']);
    const { collectCommand } = await import('./commands/collect.js');
    // The option that both have is the program's, wherever it stands.
    const { device } = program.opts<ScanCommandOptions>();
    await finish(await collectCommand({ ...options, device }, version));
  });

program
  .command('compare')
  .description(
    'Put two cases side by side (offload off and on, before and after a guard, two kernels), with what they show together. Takes -o, -f (text, json, markdown, html), -q and --redact. Exit status: 0 when both could be judged, else 2.',
  )
  .argument('<a>', 'a folder, archive, capture or saved analysis')
  .argument('<b>', 'another one')
  .action(async (a: string, b: string) => {
    checkOptions(program, 'compare', ['output', 'format', 'quiet', 'redact', 'redactKey', 'keepOui']);
    checkFormat(program, program.opts<CompareOptions>().output);
    const { compareCommand } = await import('./commands/compare.js');
    await finish(await compareCommand([a, b], program.opts<CompareOptions>(), version));
  });

program.parseAsync(process.argv.map(withLevel)).catch(fail);

/** A level is written with =, so that the path after a bare --redact is a path. */
function withLevel(word: string): string {
  return word === '--redact' ? '--redact=default' : word;
}

function collect(value: string, before: string[]): string[] {
  if (value === '') throw new InvalidArgumentError('It must not be empty.');
  return [...before, value];
}

function helpAfter(): string {
  return `
Exit status: 0 all judged frames went to the right MAC, 1 misdelivered frames were
found, 2 macscan could not run or nothing could be judged, 130 interrupted.

Examples:
  macscan case/                       a folder of captures and dumps
  macscan br-lan.pcap ip-neigh.txt    files, in any order
  tcpdump -i br-lan -w - | macscan -  a live capture, judged when it ends`;
}
