import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/model.js';
import { plainWrong } from '../support/engine.js';
import { monitorTime, Wire, type Station } from '../support/wire.js';
import { type Captures, FAR, forward, judge, newHost, oldHost, other, router, speak, third } from './scene.js';

/** What looks odd on the wire and is in order: nothing of it may be called misdelivered. */
interface Scenario {
  readonly what: string;
  readonly build: () => Captures;
  readonly texts?: Record<string, string>;
  readonly verdict?: Verdict;
}

function one(build: (wire: Wire) => void): Captures {
  const wire = new Wire();
  build(wire);
  return { 'lan.pcap': wire };
}

function at(station: Station, mac: string): Station {
  return { mac, ip: station.ip };
}

function outbound(wire: Wire, by: Station, to: string, from: number, until: number, step = 0.5): void {
  for (let time = from; time < until; time += step) {
    wire.udp(time, { from: by.mac, to, src: by.ip, dst: FAR, srcPort: 5000, dstPort: 4000 });
  }
}

const vrrp = '00:00:5e:00:01:05';
const second: Station = { mac: '94:83:c4:00:00:02', ip: '192.168.7.3' };

const scenarios: Scenario[] = [
  {
    what: 'a VRRP address, its virtual MAC and two routers behind it',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        const vip = at(router, vrrp);
        wire.gratuitous(0, vip);
        wire.meet(0.1, other, vip);
        outbound(wire, other, vrrp, 1, 10);
        speak(wire, other, vip, { from: 1, until: 10 });
        wire.request(1, { mac: router.mac, ip: '192.168.7.2' }, other.ip);
        wire.reply(1.001, other, { mac: router.mac, ip: '192.168.7.2' });
        forward(wire, other, { from: 2, until: 10 });
        wire.gratuitous(10, vip);
        forward(wire, other, { from: 10.5, until: 20, by: second });
        speak(wire, other, vip, { from: 10.2, until: 20 });
        outbound(wire, other, vrrp, 11, 20);
      }),
  },
  {
    what: 'an HSRP address that answers with its burned-in MAC and with the virtual one',
    build: () =>
      one((wire) => {
        const virtual = at(router, '00:00:0c:07:ac:0a');
        wire.gratuitous(0, router);
        wire.meet(0.1, other, router);
        speak(wire, other, router, { from: 1, until: 5 });
        forward(wire, other, { from: 1, until: 5 });
        wire.gratuitous(5, virtual);
        speak(wire, other, router, { from: 5.2, until: 10 });
        speak(wire, third, virtual, { from: 5.2, until: 10 });
      }),
  },
  {
    what: 'GLBP: two forwarders answer for one address, each to another host',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        const [first, last] = [at(router, '00:07:b4:00:01:01'), at(router, '00:07:b4:00:01:02')];
        wire.meet(0, other, first);
        wire.meet(5, third, last);
        for (const [host, forwarder] of [
          [other, first],
          [third, last],
        ] as const) {
          speak(wire, host, forwarder, { from: 6, until: 10 });
          outbound(wire, host, forwarder.mac, 6, 10);
        }
        wire.meet(60, other, first);
        speak(wire, other, first, { from: 61, until: 65 });
        speak(wire, third, last, { from: 61, until: 65 });
      }),
  },
  {
    what: 'an address that moves by gratuitous ARP, and everyone follows',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 10.05 });
        wire.gratuitous(10, newHost, 2);
        wire.udp(10.06, { from: router.mac, to: oldHost.mac, src: FAR, dst: oldHost.ip, hopLimit: 60 });
        forward(wire, newHost, { from: 10.07, until: 20 });
      }),
  },
  {
    what: 'an address that flaps between two hosts',
    build: () =>
      one((wire) => {
        for (let time = 0; time < 60; time += 10) {
          const [owner, former] = time % 20 === 0 ? [oldHost, newHost] : [newHost, oldHost];
          wire.gratuitous(time, owner);
          forward(wire, owner, { from: time + 0.2, until: time + 10 });
          forward(wire, former, { from: time + 0.3, until: time + 10, srcPort: 4001 });
        }
      }),
  },
  {
    what: 'two hosts that claim one address',
    build: () =>
      one((wire) => {
        for (let time = 0; time < 100; time += 20) {
          wire.request(time, router, oldHost.ip);
          wire.reply(time + 0.001, oldHost, router);
          wire.reply(time + 0.002, newHost, router);
          forward(wire, oldHost, { from: time + 1, until: time + 10 });
          forward(wire, newHost, { from: time + 10, until: time + 19 });
        }
      }),
  },
  {
    what: 'a host with two cards that answers one request from both',
    build: () =>
      one((wire) => {
        wire.request(0, router, oldHost.ip);
        wire.reply(0.001, oldHost, router);
        wire.reply(0.0012, newHost, router);
        forward(wire, oldHost, { from: 1, until: 20 });
      }),
  },
  {
    what: 'a host with two cards that answers from one and sends from the other',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        for (let time = 1; time < 20; time++) {
          wire.udp(time, { from: newHost.mac, to: router.mac, src: newHost.ip, dst: FAR });
          forward(wire, oldHost, { from: time + 0.1, until: time + 0.2 });
        }
        wire.meet(30, router, oldHost);
        forward(wire, oldHost, { from: 31, until: 40 });
      }),
  },
  {
    what: 'proxy ARP beside the host itself',
    build: () =>
      one((wire) => {
        wire.meet(0, other, router);
        for (const ip of ['192.168.7.40', '192.168.7.41', '192.168.7.42'])
          wire.meet(0.1, other, { mac: router.mac, ip });
        speak(wire, other, at(oldHost, router.mac), { from: 1, until: 5 });
        wire.meet(5, router, oldHost);
        forward(wire, oldHost, { from: 5.1, until: 10, src: other.ip, hopLimit: 63 });
        speak(wire, other, at(oldHost, router.mac), { from: 5.2, until: 10 });
        wire.request(20, other, oldHost.ip);
        wire.reply(20.001, oldHost, other);
        wire.reply(20.002, at(oldHost, router.mac), other);
        speak(wire, other, oldHost, { from: 21, until: 25 });
        speak(wire, other, at(oldHost, router.mac), { from: 21, until: 25, srcPort: 4001 });
      }),
  },
  {
    what: 'one answer of a proxy and one of the host to the same request',
    build: () =>
      one((wire) => {
        wire.request(0, other, oldHost.ip);
        wire.reply(0.001, oldHost, other);
        wire.reply(0.003, at(oldHost, router.mac), other);
        speak(wire, other, oldHost, { from: 1, until: 10 });
      }),
  },
  {
    what: 'one MAC with many addresses',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        for (let i = 10; i < 60; i++) {
          const host = { mac: oldHost.mac, ip: `192.168.7.${i}` };
          wire.meet(i / 100, router, host);
          forward(wire, host, { from: 1, until: 3 });
        }
      }),
  },
  {
    what: 'a DHCP server that gives an address away before its new host uses it',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 10 });
        wire.dhcp(10, 2, router, newHost);
        wire.dhcp(10.1, 5, router, newHost);
        forward(wire, oldHost, { from: 10.2, until: 12.4 });
        wire.gratuitous(12.5, newHost);
        forward(wire, newHost, { from: 12.6, until: 20 });
      }),
  },
  {
    what: 'a repeater: the DHCP client has another MAC than the one that answers',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        wire.dhcp(0, 5, router, newHost, 'ff:ff:ff:ff:ff:ff');
        wire.meet(1, router, oldHost);
        forward(wire, oldHost, { from: 2, until: 10 });
        wire.dhcp(30, 5, router, newHost, oldHost.mac);
        forward(wire, oldHost, { from: 31, until: 40 });
      }),
  },
  {
    what: 'a repeater whose answers no capture holds',
    build: () =>
      one((wire) => {
        wire.dhcp(0, 5, router, newHost, 'ff:ff:ff:ff:ff:ff');
        wire.meet(1, router, { mac: oldHost.mac, ip: '192.168.7.99' });
        forward(wire, oldHost, { from: 2, until: 10 });
      }),
  },
  {
    what: 'an ARP probe for an address in use',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        for (let time = 5; time < 8; time++) wire.probe(time, newHost);
        forward(wire, oldHost, { from: 1, until: 20 });
      }),
  },
  {
    what: 'a duplicate address test of IPv6',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        const gateway = { mac: router.mac, ip: 'fd00:7::1' };
        const owner = { mac: oldHost.mac, ip: 'fd00:7::40' };
        wire.solicit(0, gateway, owner.ip);
        wire.advertise(0.001, owner, gateway);
        wire.solicit(5, { mac: newHost.mac, ip: '::' }, owner.ip);
        forward(wire, owner, { from: 6, until: 20, src: '2001:db8::9' });
      }),
  },
  {
    what: 'hairpin NAT, with and without a translated source',
    build: () =>
      one((wire) => {
        wire.meet(0, other, router);
        wire.meet(0.1, router, third);
        for (let time = 1; time < 10; time++) {
          wire.udp(time, { from: other.mac, to: router.mac, src: other.ip, dst: '203.0.113.2', dstPort: 80 });
          forward(wire, third, { from: time + 0.1, until: time + 0.2, src: router.ip, hopLimit: 63 });
          wire.udp(time + 0.2, { from: third.mac, to: router.mac, src: third.ip, dst: router.ip });
          forward(wire, third, { from: time + 0.3, until: time + 0.4, src: other.ip, hopLimit: 63, srcPort: 4001 });
          wire.meet(time + 0.4, third, other);
          speak(wire, third, other, { from: time + 0.5, until: time + 0.6 });
        }
      }),
  },
  {
    what: 'bonding that answers different hosts with different MACs',
    build: () =>
      one((wire) => {
        for (let time = 0; time < 200; time += 60) {
          wire.meet(time, other, oldHost);
          wire.meet(time + 1, third, newHost);
          speak(wire, other, oldHost, { from: time + 2, until: time + 50, step: 5 });
          speak(wire, third, newHost, { from: time + 2, until: time + 50, step: 5 });
          speak(wire, oldHost, other, { from: time + 3, until: time + 50, step: 5 });
          speak(wire, newHost, third, { from: time + 3, until: time + 50, step: 5 });
        }
      }),
  },
  {
    what: 'a network load balancer with a multicast MAC',
    build: () =>
      one((wire) => {
        const cluster = at(oldHost, '03:bf:c0:a8:07:28');
        wire.request(0, router, cluster.ip);
        wire.reply(0.001, cluster, router, newHost.mac);
        forward(wire, cluster, { from: 1, until: 5 });
        speak(wire, newHost, other, { from: 1, until: 5 });
      }),
  },
  {
    what: 'a network load balancer that hides its MAC when it sends',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        const cluster = at(oldHost, '02:bf:c0:a8:07:28');
        wire.request(0, router, cluster.ip);
        wire.reply(0.001, cluster, router, '02:01:c0:a8:07:28');
        wire.meet(0.5, router, other);
        speak(wire, at(oldHost, '02:01:c0:a8:07:28'), other, { from: 1, until: 9, hopLimit: 128 });
        forward(wire, cluster, { from: 1.1, until: 10 });
      }),
  },
  {
    what: 'direct server return: a balancer hands packets for its own address to servers',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        wire.meet(0.1, oldHost, other);
        for (let time = 1; time < 30; time++) {
          forward(wire, oldHost, { from: time, until: time + 0.1 });
          wire.udp(time + 0.1, { from: oldHost.mac, to: other.mac, src: FAR, dst: oldHost.ip, hopLimit: 60 });
          wire.udp(time + 0.2, { from: other.mac, to: router.mac, src: oldHost.ip, dst: FAR });
        }
        wire.meet(30, router, oldHost);
        forward(wire, oldHost, { from: 31, until: 40 });
      }),
  },
  {
    what: 'broadcasts to the network',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        for (const dst of ['192.168.7.255', '255.255.255.255', '224.0.0.251', '192.168.7.127']) {
          wire.udp(1, {
            from: oldHost.mac,
            to: dst.startsWith('224') ? '01:00:5e:00:00:fb' : 'ff:ff:ff:ff:ff:ff',
            src: oldHost.ip,
            dst,
          });
        }
      }),
  },
  {
    what: 'multicast that Wi-Fi sends as unicast',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        wire.udp(1, { from: router.mac, to: oldHost.mac, src: router.ip, dst: '239.1.1.1' });
      }),
  },
  {
    what: 'a mirror port that shows packets before and after the router',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        const far: Station = { mac: 'a4:bb:6d:00:00:99', ip: '10.1.1.2' };
        wire.meet(0, far, { mac: router.mac, ip: '10.1.1.1' });
        wire.meet(0.1, router, oldHost);
        for (let time = 1; time < 10; time++) {
          for (let copy = 0; copy < 2; copy++) {
            speak(wire, far, at(oldHost, router.mac), { from: time + copy / 1e6, until: time + 0.1 });
            forward(wire, oldHost, { from: time + 0.1 + copy / 1e6, until: time + 0.2, src: far.ip, hopLimit: 63 });
          }
        }
      }),
  },
  {
    what: 'two routers in a row on one mirror port',
    build: () =>
      one((wire) => {
        wire.meet(0, router, second);
        wire.meet(0.1, second, oldHost);
        for (let time = 1; time < 10; time++) {
          forward(wire, at(oldHost, second.mac), { from: time, until: time + 0.1 });
          forward(wire, oldHost, { from: time + 0.1, until: time + 0.2, by: second, hopLimit: 59 });
        }
      }),
  },
  {
    what: 'a host that hands what is on its own network to the router, until it is redirected',
    build: () =>
      one((wire) => {
        wire.meet(0, other, router);
        wire.meet(0.1, router, third);
        for (let time = 1; time < 5; time++) {
          speak(wire, other, at(third, router.mac), { from: time, until: time + 0.1 });
          forward(wire, third, { from: time + 0.1, until: time + 0.2, src: other.ip, hopLimit: 63 });
        }
        wire.meet(5, other, third);
        speak(wire, other, third, { from: 5.1, until: 10 });
        speak(wire, other, at(third, router.mac), { from: 10, until: 12, srcPort: 4001 });
      }),
  },
  {
    what: 'a router that does not count the hop limit down when it turns packets around',
    build: () =>
      one((wire) => {
        wire.meet(0, other, router);
        wire.meet(0.05, router, third);
        wire.meet(0.1, router, other);
        forward(wire, other, { from: 0.5, until: 1 });
        for (let time = 1; time < 10; time++) {
          speak(wire, other, at(third, router.mac), { from: time, until: time + 0.1 });
          forward(wire, third, { from: time + 0.1, until: time + 0.2, src: other.ip, hopLimit: 64 });
          speak(wire, third, at(other, router.mac), { from: time + 0.2, until: time + 0.3 });
          forward(wire, other, { from: time + 0.3, until: time + 0.4, src: third.ip, hopLimit: 64 });
        }
        wire.meet(12, third, other);
        speak(wire, third, other, { from: 13, until: 15 });
      }),
  },
  {
    what: 'out through one router, back through another',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        wire.meet(0, other, router);
        wire.meet(0.1, second, other);
        outbound(wire, other, router.mac, 1, 10);
        forward(wire, other, { from: 1, until: 10, by: second });
      }),
  },
  {
    what: 'private VLANs: a gateway answers for every host, and asks them itself',
    build: () =>
      one((wire) => {
        wire.meet(0, other, router);
        for (let time = 0; time < 130; time += 60) {
          wire.meet(time + 0.5, other, at(third, router.mac));
          wire.meet(time + 0.6, router, third);
          speak(wire, other, at(third, router.mac), { from: time + 1, until: time + 50, step: 5 });
          forward(wire, third, { from: time + 1.1, until: time + 50, step: 5, src: other.ip, hopLimit: 63 });
        }
      }),
  },
  {
    what: 'a router with the same MAC on both sides',
    verdict: 'delivered',
    build: () => {
      const [lan, wan] = [new Wire(), new Wire()];
      const provider: Station = { mac: '00:1b:21:00:00:01', ip: '203.0.113.1' };
      lan.meet(0, other, router);
      lan.meet(0.1, router, other);
      wan.meet(0, { mac: router.mac, ip: '203.0.113.2' }, provider);
      wan.meet(0.1, provider, { mac: router.mac, ip: '203.0.113.2' });
      wan.meet(0.2, provider, { mac: router.mac, ip: router.ip });
      outbound(lan, other, router.mac, 1, 10);
      forward(lan, other, { from: 1, until: 10 });
      for (let time = 1; time < 10; time++) {
        wan.udp(time, { from: router.mac, to: provider.mac, src: other.ip, dst: FAR, hopLimit: 63 });
        wan.udp(time + 0.1, { from: provider.mac, to: router.mac, src: FAR, dst: other.ip, hopLimit: 61 });
      }
      return { 'lan.pcap': lan, 'wan.pcap': wan };
    },
  },
  {
    what: 'captures of two virtual machines, each behind a gateway of the same address and MAC',
    build: () => {
      const gateway: Station = { mac: '52:54:00:12:35:02', ip: '10.0.2.2' };
      const captures = [new Wire(), new Wire()];
      captures.forEach((wire, i) => {
        const guest: Station = { mac: `08:00:27:00:00:0${i + 1}`, ip: '10.0.2.15' };
        wire.meet(i * 3, guest, gateway);
        wire.meet(i * 3 + 1, gateway, guest);
        outbound(wire, guest, gateway.mac, i * 3 + 2, 20);
        forward(wire, guest, { from: i * 3 + 2.1, until: 20, by: gateway });
      });
      return { 'first.pcap': captures[0] ?? new Wire(), 'second.pcap': captures[1] ?? new Wire() };
    },
  },
  {
    what: 'two captures of one take-over whose clocks differ',
    build: () => {
      const [ahead, behind] = [new Wire(1_700_000_000), new Wire(1_700_000_000 - 5)];
      for (const wire of [ahead, behind]) {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 10 });
        wire.gratuitous(10, newHost);
        forward(wire, newHost, { from: 10.05, until: 20 });
      }
      return { 'a.pcap': ahead, 'b.pcap': behind };
    },
  },
  {
    what: 'a clock that is set back during the capture',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 40 });
        wire.gratuitous(12, newHost);
        forward(wire, newHost, { from: 12.1, until: 60 });
      }),
  },
  ...[-5, 2].map((hours): Scenario => ({
    what: `a table monitor in a time zone ${hours} hours away`,
    texts: {
      'monitor.log': [
        `${monitorTime(hours * 3600)} ${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE\n`,
        `${monitorTime(hours * 3600 + 10)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE\n`,
        `${monitorTime(hours * 3600 + 20)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE\n`,
      ].join(''),
    },
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 10 });
        wire.gratuitous(10, newHost);
        forward(wire, newHost, { from: 10.05, until: 20 });
        wire.meet(20, router, newHost);
        forward(wire, newHost, { from: 20.1, until: 30 });
      }),
  })),
  {
    what: 'an undated neighbour table that was written after the address had moved',
    texts: {
      'ip-neigh.txt': `${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE\n192.168.7.41 dev br-lan lladdr ${oldHost.mac} REACHABLE\n`,
    },
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 10 });
      }),
  },
  {
    what: 'a lease file that names another MAC than the one that answers',
    texts: { 'dhcp.leases': `1700003600 ${newHost.mac} ${newHost.ip} laptop *\n` },
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 10 });
      }),
  },
  {
    what: 'a host that moves to another access point and answers through a repeater',
    verdict: 'delivered',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 9 });
        wire.request(10, newHost, router.ip);
        wire.reply(10.001, router, newHost);
        forward(wire, newHost, { from: 10.01, until: 20 });
      }),
  },
  {
    what: 'a sleeping host whose address a proxy keeps',
    build: () =>
      one((wire) => {
        wire.meet(0, other, oldHost);
        speak(wire, other, oldHost, { from: 1, until: 9 });
        wire.gratuitous(10, newHost, 2);
        speak(wire, other, newHost, { from: 10.01, until: 20 });
        wire.gratuitous(20, oldHost, 2);
        speak(wire, other, oldHost, { from: 20.01, until: 30 });
      }),
  },
  {
    what: 'a take-over that the sender follows at its own next question',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 9 });
        wire.udp(10, { from: newHost.mac, to: other.mac, src: newHost.ip, dst: other.ip });
        forward(wire, oldHost, { from: 10.1, until: 20 });
        wire.meet(20, router, newHost);
        forward(wire, newHost, { from: 20.01, until: 30 });
      }),
  },
  {
    what: 'proxy neighbour discovery and the host both advertise',
    build: () =>
      one((wire) => {
        const asker = { mac: other.mac, ip: 'fd00:7::20' };
        const owner = { mac: oldHost.mac, ip: 'fd00:7::40' };
        wire.solicit(0, asker, owner.ip);
        wire.advertise(0.001, owner, asker);
        wire.advertise(0.3, { mac: router.mac, ip: owner.ip }, asker);
        speak(wire, asker, owner, { from: 1, until: 10 });
      }),
  },
  {
    what: 'an advertisement without the override flag, which changes no table',
    build: () =>
      one((wire) => {
        const asker = { mac: router.mac, ip: 'fd00:7::1' };
        const owner = { mac: oldHost.mac, ip: 'fd00:7::40' };
        wire.solicit(0, asker, owner.ip);
        wire.advertise(0.001, owner, asker);
        wire.advertise(10, { mac: newHost.mac, ip: owner.ip }, undefined, false);
        forward(wire, owner, { from: 1, until: 20, src: '2001:db8::9' });
      }),
  },
  {
    what: 'a host that uses a router by an address nobody asked for, while the shared address moves on',
    build: () =>
      one((wire) => {
        const [vipA, vipB] = [at(router, router.mac), at(router, second.mac)];
        wire.meet(0, other, vipA);
        outbound(wire, other, router.mac, 1, 10);
        outbound(wire, third, router.mac, 1, 10);
        forward(wire, third, { from: 1, until: 10 });
        wire.gratuitous(10, vipB);
        outbound(wire, other, second.mac, 10.2, 20);
        outbound(wire, third, router.mac, 10.2, 20);
        forward(wire, third, { from: 10.2, until: 20 });
      }),
  },
  {
    what: 'direct server return with two servers, of which one stops to answer',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        const visit = (time: number, server: Station, isAnswered: boolean): void => {
          forward(wire, oldHost, { from: time, until: time + 0.1, srcPort: 4000 + time });
          const toServer = { from: oldHost.mac, to: server.mac, src: FAR, dst: oldHost.ip, hopLimit: 60 };
          wire.udp(time + 0.1, { ...toServer, srcPort: 4000 + time });
          if (isAnswered) wire.udp(time + 0.2, { from: server.mac, to: router.mac, src: oldHost.ip, dst: FAR });
        };
        visit(1, other, true);
        visit(5, third, true);
        visit(9, other, false);
      }),
  },
  {
    what: 'a bridged virtual machine whose MAC the Wi-Fi card replaces, seen on both sides',
    build: () => {
      const [inside, air] = [new Wire(), new Wire()];
      for (const time of [0, 40]) {
        inside.request(time, router, oldHost.ip);
        inside.reply(time + 0.002, oldHost, router);
        air.request(time + 0.0005, router, oldHost.ip);
        air.reply(time + 0.003, newHost, router);
        for (let at = time + 1; at < time + 30; at++) {
          forward(air, newHost, { from: at, until: at + 0.1 });
          forward(inside, oldHost, { from: at + 0.001, until: at + 0.1 });
        }
      }
      return { 'vmnet.pcap': inside, 'wlan0.pcap': air };
    },
  },
  {
    what: 'the end of one answer and the start of the next one from a proxy of a cloud, which hides all MACs',
    build: () =>
      one((wire) => {
        const proxy = '12:34:56:78:9a:bc';
        for (const time of [0, 30, 60]) {
          wire.meet(time, other, at(third, proxy));
          speak(wire, other, at(third, proxy), { from: time + 1, until: time + 25 });
          speak(wire, third, other, { from: time + 1.1, until: time + 25 });
        }
      }),
  },
  {
    what: 'a host whose IPv4 address another one takes over, and who keeps an IPv6 address that no message tells of',
    build: () =>
      one((wire) => {
        wire.meet(0, router, oldHost);
        forward(wire, oldHost, { from: 1, until: 20 });
        const sixth = { mac: oldHost.mac, ip: '2001:db8::40' };
        forward(wire, sixth, { from: 1, until: 20, src: '2001:db8:9::9' });
        wire.meet(21, router, newHost);
        forward(wire, newHost, { from: 22, until: 40 });
        forward(wire, sixth, { from: 22, until: 40, src: '2001:db8:9::9' });
      }),
  },
];

describe('what looks odd and is in order', () => {
  it.each(scenarios)('$what', async ({ build, texts, verdict }) => {
    const analysis = await judge(build(), texts);
    expect(plainWrong(analysis)).toEqual([]);
    if (verdict) expect(analysis.verdict).toBe(verdict);
    else expect(analysis.verdict).not.toBe('misdelivered');
  });
});
