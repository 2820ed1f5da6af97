import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { forward, judge, newHost, oldHost, other, router } from '../engine/scene.js';
import { monitorTime, Wire } from '../support/wire.js';
import { engineDump, roaming } from './samples.js';

const START = 1_700_000_000;

/** A line as logread prints it: whole seconds. */
function logged(at: number, text: string): string {
  const date = new Date((START + Math.floor(at)) * 1000);
  const [day, number, month] = date.toUTCString().replace(',', '').split(' ');
  const clock = date.toISOString().slice(11, 19);
  return `${day} ${month} ${String(Number(number)).padStart(2)} ${clock} ${date.getUTCFullYear()} ${text}\n`;
}

describe('a station that hostapd saw come', () => {
  const summary = async (log: string): Promise<string> => {
    const { captures, texts } = roaming(true);
    const { findings } = await judge(captures, { ...texts, 'log.txt': log });
    return findings.find(({ cause }) => cause === 'wrong-port')?.summary ?? '';
  };
  const connected = (at: number, mac: string): string =>
    logged(at, `daemon.notice hostapd: phy1-ap0: AP-STA-CONNECTED ${mac} auth_alg=open`);

  it('is told with its move to another port', async () => {
    expect(await summary(connected(10, oldHost.mac))).toMatch(
      /hostapd logged that it connected to phy1-ap0 then \(log.txt line 1\)\.$/,
    );
  });

  it.each([
    ['another station', connected(10, other.mac)],
    ['another time', connected(13, oldHost.mac)],
    ['no log', ''],
  ])('is not told of %s', async (_, log) => {
    const text = await summary(log);
    expect(text).toContain('the offloaded flow went on');
    expect(text).not.toContain('hostapd');
  });
});

describe('a firewall that was loaded anew', () => {
  /** A flow goes on to the old MAC from 10.5 to 20, and to the new one from 22. */
  const healed = (log: string): Promise<Analysis> => {
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    forward(wire, oldHost, { from: 1, until: 10 });
    wire.gratuitous(10, newHost);
    forward(wire, oldHost, { from: 10.5, until: 20 });
    forward(wire, newHost, { from: 10.6, until: 30, srcPort: 4001 });
    forward(wire, newHost, { from: 22, until: 30 });
    const monitor = `${monitorTime(10.002)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE\n`;
    return judge({ 'br-lan.pcap': wire }, { 'monitor.log': monitor, 'log.txt': log });
  };
  const reload = (at: number): string =>
    logged(at, 'user.notice firewall: Reloading firewall due to ifup of wan (eth1)');

  it('ends a case', async () => {
    const { findings } = await healed(reload(20));
    expect(findings[0]?.recovery?.by).toBe('firewall-reload');
    expect(findings[0]?.tests.find(({ id }) => id === 'D10')).toMatchObject({ result: 'yes' });
  });

  it.each([
    ['long before', reload(12)],
    ['after', reload(24)],
    ['never', ''],
  ])('does not, when it was so %s', async (_, log) => {
    const { findings } = await healed(log);
    expect(findings[0]?.recovery?.by).toBe('unknown');
  });
});

describe('logs, settings, engines and versions alone', () => {
  it('make no router of a sender that no dump knows', async () => {
    const build = (): Wire => {
      const wire = new Wire();
      wire.meet(0, router, oldHost);
      forward(wire, oldHost, { from: 1, until: 10 });
      wire.gratuitous(10, newHost);
      wire.meet(10.1, router, newHost);
      forward(wire, oldHost, { from: 10.5, until: 20 });
      forward(wire, newHost, { from: 10.6, until: 20, srcPort: 4001 });
      return wire;
    };
    const alone = await judge({ 'br-lan.pcap': build() });
    const together = await judge(
      { 'br-lan.pcap': build() },
      {
        'log.txt': logged(3, `daemon.info dnsmasq-dhcp[1]: DHCPACK(br-lan) ${oldHost.ip} ${oldHost.mac}`),
        'firewall.txt': "config defaults\n\toption flow_offloading '1'\n",
        'release.txt': "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='24.10.2'\n",
        'ppe.txt': engineDump(5, oldHost.ip, oldHost.mac),
      },
    );
    expect(together.totals).toEqual(alone.totals);
    expect(together.misdeliveries).toEqual(alone.misdeliveries);
    expect(together.findings.map(({ cause, tests }) => [cause, tests])).toEqual(
      alone.findings.map(({ cause, tests }) => [cause, tests]),
    );
    expect(together.observations).toEqual(alone.observations);
    expect(together.inputs.flatMap(({ facts }) => Object.keys(facts ?? {})).sort()).toEqual([
      'clock',
      'hardware-entry',
      'log-event',
      'setting',
      'version',
    ]);
  });
});
