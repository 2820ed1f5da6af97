import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectScript, type CollectOptions } from '../../src/commands/collect.js';
import type { Analysis } from '../../src/model.js';
import { readText } from '../support/read-text.js';
import { hasRouter, MAC, Router, type CollectRun } from '../support/router.js';
import { hasTool } from '../support/tool.js';

const DEFAULTS: CollectOptions = { device: [], host: [], duration: '60', maxSize: '32' };

function script(options: Partial<CollectOptions> = {}): string {
  return collectScript({ ...DEFAULTS, ...options }, '0.0.0');
}

describe('macscan collect', () => {
  it('prints a script with what was asked for', () => {
    const text = script({
      device: ['lan1', 'eth0.10', 'lan1'],
      host: ['192.168.1.240', '2001:DB8::1'],
      duration: '90',
    });
    expect(text).toMatch(/^#!\/bin\/sh\n/);
    expect(text).toContain("\nDEVICES='lan1 eth0.10'\nHOSTS='192.168.1.240 2001:db8::1'\nDURATION=90\nMAX_SIZE=32\n");
    expect(text).toMatch(/\nmain <\/dev\/null\n$/);
  });

  it.each([
    [{ device: ['any'] }, /no destination MAC/],
    [{ device: ["lan1'; reboot; '"] }, /is no name of a device/],
    [{ device: ['-w'] }, /is no name of a device/],
    [{ device: ['..'] }, /is no name of a device/],
    [{ device: ['lan1@eth0'] }, /without the @/],
    [{ device: ['a-name-of-16-char'] }, /is no name of a device/],
    [{ device: Array.from({ length: 33 }, (_, i) => `lan${i}`) }, /32 times at most/],
    [{ host: ['router'] }, /is not an IP address/],
    [{ host: ['10.0.0.1 or tcp'] }, /is not an IP address/],
    [{ host: ['fe80::1%lan1'] }, /is not an IP address/],
    [{ duration: '0' }, /from 1 to 3600/],
    [{ duration: '1e3' }, /from 1 to 3600/],
    [{ duration: '3601' }, /from 1 to 3600/],
    [{ maxSize: '$(reboot)' }, /from 1 to 2048/],
  ])('refuses %j', (options, message) => {
    expect(() => script(options)).toThrow(message);
  });

  it('lets nothing into the script but plain names, addresses and numbers', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', '1', '.', ':', "'", '$', '(', '\n', ' ') }),
    );
    fc.assert(
      fc.property(text, text, text, text, (device, host, duration, maxSize) => {
        let made: string;
        try {
          made = script({ device: [device], host: [host], duration, maxSize });
        } catch {
          return;
        }
        expect(made.split('\n').slice(4, 9).join('\n')).toMatch(
          /^DEVICES='[\w.:-]+'\nHOSTS='[\da-f.:]+'\nDURATION=\d+\nMAX_SIZE=\d+\n$/,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it.runIf(hasTool('busybox'))('is syntax that ash of busybox takes', () => {
    expect(syntax('busybox', ['ash', '-n'])).toEqual('');
  });

  it.runIf(hasTool('dash'))('is syntax that dash takes', () => {
    expect(syntax('dash', ['-n'])).toEqual('');
  });

  it.runIf(hasTool('shellcheck'))('gives shellcheck no reason to complain', () => {
    expect(syntax('shellcheck', ['-s', 'sh', '-'])).toEqual('');
  });

  it('tells what was not collected with the analysis', () => {
    const line = 'macscan collect: conntrack is not installed. | Offload is known to the second.\n';
    const { diagnostics, summary } = readText(line.repeat(2) + line.replace('conntrack', 'tcpdump'));
    expect(summary).toMatchObject({ isEvidence: true, unknownLines: 0 });
    expect(diagnostics.map(({ id, what, action }) => [id, what, action])).toEqual([
      ['not-collected', 'conntrack is not installed.', 'Offload is known to the second.'],
      ['not-collected', 'tcpdump is not installed.', 'Offload is known to the second.'],
    ]);
  });
});

/** What a checker says of the script, and nothing else than that. */
function syntax(tool: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, args, { input: script(), encoding: 'utf8' });
  return `${stdout}${stderr}${status === 0 ? '' : `exit ${status}`}`;
}

const TOOLS = ['ip', 'bridge', 'conntrack', 'nft', 'tcpdump'];

/** What OpenWrt has and this machine has not; with secrets that must stay where they are. */
const FAKES = {
  uci: `case "$3" in
firewall) echo "firewall.@defaults[0]=defaults"; echo "firewall.@defaults[0].flow_offloading='1'"; echo "firewall.@include[0].path='/etc/SECRET'";;
network) echo "network.wan=interface"; echo "network.wan.proto='pppoe'"; echo "network.wan.device='eth1'"
  echo "network.wan.username='SECRET'"; echo "network.wan.password='SECRET'"; echo "network.wg0.private_key='SECRET'"
  echo "network.@wireguard_wg0[0].preshared_key='SECRET'"; echo "network.@rule[0]=rule"; echo "network.@rule[0].mark='0xff'";;
esac`,
  fw4: 'printf \'table inet fw4 {\\n\\tflowtable ft {\\n\\t\\thook ingress priority 0;\\n\\t\\tdevices = { "lan1", "wan" };\\n\\t}\\n}\\n\'',
  logread: `echo 'Sat Nov 21 12:00:00 2026 [1795262400.123] daemon.info dnsmasq-dhcp[1]: DHCPACK(br-lan) 10.0.0.2 02:00:00:00:01:02 client'
echo 'Sat Nov 21 12:00:01 2026 [1795262401.123] daemon.info pppd[1]: PAP password SECRET'`,
  ubus: `echo '{ "kernel": "6.6.86", "hostname": "OpenWrt", "model": "Example AX", "board_name": "example,ax", "release": { "distribution": "OpenWrt", "version": "24.10.2", "revision": "r28739-d9340319c6", "target": "mediatek/filogic" } }'`,
};

describe.runIf(hasRouter())('the script on a router', { timeout: 60_000 }, () => {
  const router = new Router();
  const runs = new Map<string, Promise<CollectRun>>();
  const run = async (name: string): Promise<CollectRun> => {
    const found = await runs.get(name);
    if (!found) throw new Error(`there is no run ${name}`);
    return found;
  };

  // All at once: a run waits most of its time.
  beforeAll(() => {
    router.make();
    const short = script({ duration: '4', maxSize: '8' });
    // Hosts send when all that want to see it listen, and these end when all was sent.
    const filtered = { host: ['10.0.0.4'], device: ['br-lan', 'lan3', 'lan9'] };
    const seeing = [
      { name: 'ash', tools: TOOLS, asked: {} },
      { name: 'filter', tools: TOOLS, asked: filtered },
      { name: 'bare', tools: ['tcpdump'], asked: {} },
    ];
    let waiting = seeing.length;
    let allListen = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      allListen = resolve;
    }).then(() => router.traffic());
    const onReady = (): void => {
      waiting--;
      if (waiting === 0) allListen();
    };
    for (const { name, tools, asked } of seeing) {
      const long = script({ duration: '60', maxSize: '8', ...asked });
      runs.set(name, router.collect(long, { tools, onReady, until }));
    }
    const all = { tools: TOOLS };
    runs.set('dash', router.collect(short, { ...all, shell: 'dash' }));
    runs.set('nothing', router.collect(short, { tools: [], without: ['ip', 'hexdump'] }));
    runs.set('openwrt', router.collect(short, { tools: ['ip'], fakes: FAKES }));
    runs.set('small', router.collect(short, { ...all, tmpfsKiB: 200 }));
    runs.set('full', router.collect(short, { ...all, tmpfsKiB: 1500, onReady: (at) => router.fill(at) }));
    runs.set('tiny', router.collect(short, { ...all, tmpfsKiB: 16 }));
    runs.set('closed', router.collect(script(), { ...all, closeOutput: true }));
    runs.set('early', router.collect(script(), { ...all, kill: 'SIGUSR1' }));
    runs.set('killed', router.collect(script(), { ...all, kill: 'SIGHUP' }));
  });

  afterAll(async () => {
    await Promise.allSettled(runs.values());
    router.remove();
  });

  it.each(['ash', 'dash', 'filter', 'bare', 'nothing', 'openwrt', 'small', 'full'])(
    'leaves nothing behind, and all that it sends is read (%s)',
    async (name) => {
      const { status, stderr, leftovers, analysis } = await run(name);
      expect({ status, leftovers, stderr: status === 0 ? '' : stderr }).toEqual({
        status: 0,
        leftovers: [],
        stderr: '',
      });
      // Where the memory is full, files end within a line.
      if (name === 'full') return;
      expect(analysis.inputs.filter(({ kind, unknownLines = 0 }) => kind === 'unknown' || unknownLines > 0)).toEqual(
        [],
      );
    },
  );

  it.each(['ash', 'dash'])(
    'collects tables, events and one capture for each port, bridge and WAN (%s)',
    async (name) => {
      const { stderr, files, analysis } = await run(name);
      expect(stderr).toContain('on: br-lan wan lan1 lan2 lan3. ');
      const always = 'br-lan wan lan1 lan2 lan3'.split(' ').map((device) => `${device}.pcap`);
      const tables = 'bridge-fdb conntrack-L ip-addr ip-link ip-neigh ip-route ip-rule nft-ruleset versions'.split(' ');
      expect(files).toEqual(expect.arrayContaining([...always, ...tables.map((table) => `${table}.txt`)]));
      expect(files).not.toContain('collect.log');
      expect(analysis.diagnostics).toEqual([]);
      expect(analysis.systems?.[0]).toMatchObject({ offloads: 'no', flowtables: [] });
      expect(analysis.systems?.[0]?.kernel).toMatch(/^\d+\.\d+/);
    },
  );

  it('gives evidence that decides', async () => {
    const { files, analysis } = await run('ash');
    expect(files).toContain('conntrack-E.log');
    expect(wrong(analysis)).toEqual(['br-lan 7', 'lan1 7']);
    expect(analysis.findings.length).toBeGreaterThan(0);
  });

  it('keeps to the devices and hosts that were asked for, and to ARP', async () => {
    const { files, stderr, analysis } = await run('filter');
    expect(files.filter((name) => name.endsWith('.pcap'))).toEqual(['br-lan.pcap', 'lan3.pcap']);
    expect(stderr).toContain('There is no device lan9 that is up.');
    expect(wrong(analysis)).toEqual(['br-lan 7']);
    expect(JSON.stringify(analysis.flows)).not.toContain('10.0.0.3');
    expect(analysis.diagnostics.map(({ id, what }) => [id, what])).toEqual([
      ['not-collected', 'There is no device lan9 that is up.'],
    ]);
  });

  it('makes do with the applets of busybox and tcpdump, and says what that costs', async () => {
    const { stderr, files, text, analysis } = await run('bare');
    for (const tool of ['conntrack', 'nft', 'ip-full', 'ip-bridge']) expect(stderr).toContain(tool);
    expect(files).toEqual(expect.arrayContaining(['conntrack-L.txt', 'ip-neigh.txt', 'bridge-fdb.txt', 'lan3.pcap']));
    expect(text).toContain('cat /proc/net/nf_conntrack');
    expect(text).toContain(`${MAC.client} dev lan1 master br-lan`);
    // Hundredths, though its date has none.
    expect(new Set(text.match(/^# \d+\.\d\d /gm)).size).toBeGreaterThan(5);
    expect(wrong(analysis)).toEqual(['br-lan 7', 'lan1 7']);
    expect(analysis.diagnostics.filter(({ id }) => id === 'not-collected').length).toBeGreaterThanOrEqual(4);
  });

  it('sends what there is without any tool', async () => {
    const { stderr, files, analysis } = await run('nothing');
    expect(stderr).toContain('tcpdump is not installed (opkg install tcpdump-mini). There are no frames');
    expect(files).toEqual(expect.arrayContaining(['arp.txt', 'ifconfig.txt', 'route.txt', 'conntrack-L.txt']));
    expect(analysis.verdict).toBe('not-judged');
  });

  it('takes settings, ruleset, board and log of OpenWrt, and no secret', async () => {
    const { files, text, analysis } = await run('openwrt');
    expect(files).toEqual(
      expect.arrayContaining(['fw4-print.txt', 'logread.txt', 'uci-firewall.txt', 'uci-network.txt']),
    );
    for (const wanted of ["flow_offloading='1'", "device='eth1'", "mark='0xff'", 'DHCPACK'])
      expect(text).toContain(wanted);
    expect(text).not.toContain('SECRET');
    expect(analysis.systems?.[0]).toMatchObject({
      distribution: 'OpenWrt 24.10.2 r28739-d9340319c6 mediatek/filogic',
      board: 'Example AX',
      flowtables: [{ devices: ['lan1', 'wan'] }],
    });
  });

  it('captures nothing where there is no room, and says so', async () => {
    const { stderr, files } = await run('small');
    expect(stderr).toMatch(/There is room for \d+ KiB on the router, not for 8 MiB/);
    expect(stderr).toContain('lan1 was not captured: the router has no memory for it.');
    expect(files.filter((name) => name.endsWith('.pcap'))).toEqual([]);
    const tiny = await run('tiny');
    expect(tiny).toMatchObject({ status: 1, files: [], leftovers: [] });
    expect(tiny.stderr).toContain('nothing was collected');
  });

  it('sends what it has when the memory is full', async () => {
    const { stderr, files } = await run('full');
    expect(stderr).toContain('The tmpfs of the router was full.');
    expect(stderr).toContain('The capture br-lan could not be written: ');
    expect(files).toEqual(expect.arrayContaining(['ip-link.txt', 'ip-route.txt', 'nft-ruleset.txt']));
  });

  it('ends early with what there is when it gets SIGUSR1', async () => {
    const { status, files, leftovers } = await run('early');
    expect({ status, leftovers }).toEqual({ status: 0, leftovers: [] });
    expect(files).toEqual(expect.arrayContaining(['br-lan.pcap', 'lan1.pcap', 'ip-link.txt']));
  });

  it('ends and cleans up soon after nobody listens any more, or it is told to', async () => {
    expect(await run('closed')).toMatchObject({ leftovers: [] });
    expect((await run('closed')).status).not.toBe(0);
    expect(await run('killed')).toMatchObject({ status: 129, leftovers: [] });
  });
});

/** Device and number of the frames for the victim that went to the client. */
function wrong(analysis: Analysis): string[] {
  const found = analysis.misdeliveries.filter((m) => m.class !== 'convergence');
  for (const { srcMac, dstMac, dstIp, expected } of found) {
    expect([srcMac, dstMac, dstIp, ...expected]).toEqual([MAC.router, MAC.client, '10.0.0.4', MAC.victim]);
  }
  return found.map((m) => `${m.device} ${m.frames}`).sort();
}
