/** What of a scenario counts as what, as in the truth of the shared cases. */
export type Kind =
  'wrong_mac' | 'wrong_nexthop' | 'wrong_port' | 'wrong_egress' | 'wrong_vlan' | 'convergence' | 'offlink_arp';

/** Somebody who has an address, from and to events of the run. */
export interface Owner {
  readonly ip: string;
  readonly mac: string;
  readonly who: string;
  /** Port or device of the router. */
  readonly port: string;
  readonly from?: string;
  readonly to?: string;
}

/** Frames that went wrong, as a display filter of tshark within bounds of time. */
export interface Wrong {
  readonly label: string;
  readonly kind: Kind;
  readonly filter: string;
  readonly expectedMac?: string;
  readonly observedMac?: string;
  /**
   * An event of the run, or what the router's own monitors say: `neighbor <ip> <mac> [device]` is when the router learnt
   * who has the address (there), `port <mac> <device>` when its bridge learnt where the MAC is, `rule <selector>` when a
   * rule was deleted, `route <words>` when a route with these words was there. `... after <event>`: the first time after that.
   */
  readonly since?: string;
  readonly until?: string;
  /** Captures that count; all, when missing. */
  readonly captures?: readonly string[];
  /** The experiment failed with fewer frames, or with more. */
  readonly least?: number;
  readonly most?: number;
}

/** One experiment on a router, as shell lines that use `guest/lib.sh`, with what is known of it beforehand. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Makes hosts, cables and addresses. */
  readonly network: readonly string[];
  /** nftables rulesets by host. */
  readonly rulesets: Readonly<Record<string, string>>;
  /** Routes, rules and servers. */
  readonly setup: readonly string[];
  /** Devices of the router, and of others as `host:device`, that are captured. */
  readonly captures: readonly string[];
  /** From the first packet to the last. */
  readonly steps: readonly string[];
  readonly owners: readonly Owner[];
  readonly wrong: readonly Wrong[];
  readonly expect: Expectation;
  readonly usesIpv6?: true;
  /** More rulesets, by the ending of their name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Another scenario: `macscan guard` is asked with what it left, and this one applies and undoes what it prints. */
  readonly guardOf?: string;
}

/** What makes the scenario worth its name. */
export interface Expectation {
  /** The experiment failed if fewer frames go wrong; 0 of a control: none may. */
  readonly wrongFrames: number;
  /** Whether flows are offloaded in it. */
  readonly isOffloaded: boolean;
  /** The cause that macscan must name. */
  readonly cause?: string;
}
