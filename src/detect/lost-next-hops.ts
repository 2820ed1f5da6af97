/**
 * Next hops that the tables lost: a rule or route was deleted, no table leads to the gateway any more, and packets of old
 * flows go on to it. Flows that look their route up follow at once; a cached path does not.
 */

import { formatMac, type Ip, type Mac } from '../bytes/address.js';
import type { Witness } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import { isOnLinkFor, type Host } from '../reconstruct/hosts.js';
import { lostGateways, type LostGateway } from '../reconstruct/next-hop-history.js';
import { parsePrefix, prefixContains } from '../reconstruct/prefix.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { ERA } from './era.js';
import { DELIVERED, type Stretch } from './ruling.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import type { SeenAt } from './next-hop-fault.js';
import type { Ownership } from './ownership.js';
import { overrule } from './stretches.js';
import type { Overlay } from './verdicts.js';
import { frameOrigin, type Surroundings } from './witnesses.js';

/** Packets of a flow must go on to the lost gateway for longer than this: what was under way is no cached path. */
const LINGER = 1e9;
const MAX_RIGHT = 50;

interface Loss {
  readonly host: Host;
  readonly gone: LostGateway;
  readonly gateway: Mac;
  /** From when on the tables are known not to lead there. */
  from: number;
  readonly right: SeenAt[];
}

export class LostNextHops implements Overlay {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  readonly concerned = new Map<Mac, Loss>();

  constructor(r: Reconstruction, around: Surroundings, ownerships: ReadonlyMap<number, Ownership>) {
    this.r = r;
    this.around = around;
    this.ownerships = ownerships;
    for (const host of around.hosts) {
      if (host.macs.size === 0) continue;
      for (const gone of lostGateways(host, r.epoch)) this.note(host, gone);
    }
    if (this.concerned.size > 0) this.compare();
  }

  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[] {
    const loss = this.concerned.get(mac);
    if (!loss || !this.isOffLink(loss.host, view)) return stretches;
    const isOld = runsOfLeg(this.r, view.leg).some(
      (run) => run.mac === mac && !run.mixed && run.first < loss.from && run.last > loss.from + LINGER,
    );
    const expected = this.waysTo(loss, view.dstIp);
    if (!isOld || expected.length === 0) return stretches;
    const { gone } = loss;
    const origin = { input: this.around.inputName(gone.origin.input), line: gone.origin.line };
    const [shown] = loss.right;
    const witness: Witness = {
      kind: 'route-change',
      ip: this.r.addresses.format(view.dstIp),
      mac: formatMac(expected[0] ?? 0),
      time: this.r.epoch.text(loss.from),
      origin: shown && !gone.isExact ? frameOrigin(this.r, this.around, shown.tap, shown.frame) : origin,
    };
    const result = [...stretches];
    if (gone.after < loss.from && Number.isFinite(gone.after)) {
      const [ip, time] = [this.r.addresses.format(view.dstIp), this.r.epoch.text(gone.after)];
      const heard: Witness = { kind: 'route-entry', ip, mac: formatMac(mac), time };
      const doubt = { until: loss.from, class: 'wrong-next-hop', heard } as const;
      overrule(result, gone.after + 1, loss.from, { ...DELIVERED, doubt });
    }
    overrule(result, loss.from, gone.until, {
      since: loss.from,
      verdict: 'misdelivered',
      class: 'wrong-next-hop',
      expected,
      because: [witness],
      fault: {
        kind: 'lost',
        gateway: mac,
        right: loss.right,
        shown: loss.from,
        change: { what: gone.what, time: loss.from, origin },
      },
    });
    return result;
  }

  /** A gateway by its MAC, if this is its only address that is or was a gateway. */
  private note(host: Host, gone: LostGateway): void {
    const ip = this.r.addresses.parse(gone.via);
    if (ip === undefined) return;
    for (const mac of this.macsOf(ip)) {
      const others = [...host.gateways].filter((other) => other !== ip && this.macsOf(other).includes(mac));
      if (others.length > 0 || this.concerned.has(mac)) continue;
      this.concerned.set(mac, { host, gone, gateway: mac, from: gone.from, right: [] });
    }
  }

  private macsOf(ip: Ip): Mac[] {
    const macs = new Set<Mac>();
    this.around.networks.taps.forEach((_, network) => {
      const ownership = this.ownerships.get(addressKey(network, ip));
      for (const { macs: own } of ownership?.tenures ?? []) for (const mac of own) macs.add(mac);
      for (const { mac } of ownership?.weak ?? []) macs.add(mac);
    });
    return [...macs];
  }

  /**
   * Looks at what the host does: packets of new flows to the gateway show that the tables still lead there, whatever the
   * dumps say; connections that went on by another way show when they did not any more.
   */
  private compare(): void {
    const before = new Map<Loss, Set<string>>();
    const contradicted = new Set<Loss>();
    const each = (visit: (loss: Loss, view: LegView, isToGateway: boolean) => void): void => {
      for (let leg = 0; leg < this.r.legs.count; leg++) {
        const view = viewLeg(this.r, leg);
        for (const loss of this.concerned.values()) {
          if (!loss.host.macs.has(view.transmitter) || !this.isOffLink(loss.host, view)) continue;
          visit(
            loss,
            view,
            runsOfLeg(this.r, leg).some((run) => run.mac === loss.gateway),
          );
        }
      }
    };
    each((loss, view, isToGateway) => {
      if (!isToGateway) return;
      const runs = runsOfLeg(this.r, view.leg).filter((run) => run.mac === loss.gateway);
      const first = runs[0]?.first ?? NaN;
      if (first > loss.from + LINGER && first < loss.gone.until) contradicted.add(loss);
      if (Math.abs(first - loss.from) > ERA) contradicted.add(loss);
      if (first < loss.from) before.set(loss, (before.get(loss) ?? new Set()).add(connectionOf(view)));
    });
    each((loss, view, isToGateway) => {
      if (isToGateway || !before.get(loss)?.has(connectionOf(view))) return;
      const ways = this.waysTo(loss, view.dstIp);
      for (const run of runsOfLeg(this.r, view.leg)) {
        const isMeanwhile = run.first > loss.gone.after && run.first < loss.gone.until;
        if (!ways.includes(run.mac) || run.mixed || !isMeanwhile) continue;
        if (loss.right.length < MAX_RIGHT) loss.right.push({ tap: view.tap, frame: run.firstFrame, time: run.first });
      }
    });
    for (const [mac, loss] of this.concerned) {
      loss.right.sort((a, b) => a.time - b.time);
      const [first] = loss.right;
      if (!loss.gone.isExact && first && first.time < loss.from) loss.from = first.time;
      if (contradicted.has(loss) || (loss.gone.isUnsure && !first)) this.concerned.delete(mac);
    }
  }

  private isOffLink(host: Host, view: LegView): boolean {
    const network = this.around.networks.of[view.tap] ?? 0;
    return !isOnLinkFor(host, view.dstIp) && !this.ownerships.has(addressKey(network, view.dstIp));
  }

  /** MACs of the gateways that are left for an address, those of the longest prefix. */
  private waysTo({ gone }: Loss, dstIp: Ip): Mac[] {
    const fitting = gone.ways.flatMap(({ prefix: text, via }) => {
      const prefix = parsePrefix(text, this.r.addresses);
      const ip = this.r.addresses.parse(via);
      return prefix && ip !== undefined && prefixContains(prefix, dstIp) ? [{ length: prefix.length, ip }] : [];
    });
    const longest = Math.max(...fitting.map(({ length }) => length));
    const macs = fitting.filter(({ length }) => length === longest).flatMap(({ ip }) => this.macsOf(ip));
    return [...new Set(macs)].sort((a, b) => a - b);
  }
}

/** What address translation mostly leaves alone: another way out changes the source address. */
function connectionOf({ protocol, dstIp, srcPort, dstPort }: LegView): string {
  return `${protocol} ${dstIp} ${srcPort} ${dstPort}`;
}
