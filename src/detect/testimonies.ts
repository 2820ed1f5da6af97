/**
 * What witnesses said of one address. It is put in order of time only when somebody asks: most addresses have one owner
 * for good, and nobody wants to know more of them.
 */

import type { Ip, Mac } from '../bytes/address.js';
import type { ClaimRun } from '../reconstruct/claim-runs.js';
import { divideIntoTenures, type Ownership, type Silence, type Tenure, type Testimony } from './ownership.js';

/** Turns what was read into testimonies. */
export interface Witnesses {
  claim(run: ClaimRun): Testimony;
  /** What the packets of makers say of the address that they are from. */
  originated(makers: readonly number[]): Testimony[];
}

export class Testimonies implements Ownership {
  readonly network: number;
  readonly ip: Ip;
  private readonly witnesses: Witnesses;
  private readonly claims: ClaimRun[] = [];
  /** First legs of what was sent from the address by whoever made it. */
  private readonly makers: number[] = [];
  /** Undated or second-hand. */
  private others: Testimony[] | undefined;
  /** The MAC of the first claim or maker; and whether all others named it too, none of them without a date. */
  private mac: Mac | undefined;
  private isAgreed = true;
  private dated: Testimony[] | undefined;
  private divided: readonly Tenure[] | undefined;
  private silences: readonly Silence[] = [];

  constructor(network: number, ip: Ip, witnesses: Witnesses) {
    this.network = network;
    this.ip = ip;
    this.witnesses = witnesses;
  }

  addClaim(run: ClaimRun): void {
    this.note(run.mac, !Number.isNaN(run.first));
    this.claims.push(run);
  }

  get makerCount(): number {
    return this.makers.length;
  }

  /** Whether a MAC claimed the address. */
  isClaimedBy(mac: Mac): boolean {
    return this.claims[0]?.mac === mac || this.claims.some((run) => run.mac === mac);
  }

  /** Whether a MAC claimed the address again, after another one did. */
  get isClaimedAgain(): boolean {
    if (this.isAgreed || this.claims.length < 3) return false;
    const seen = new Set<Mac>();
    let newest: Mac | undefined;
    for (const { mac } of this.datedClaims()) {
      if (mac !== newest && seen.has(mac)) return true;
      seen.add(mac);
      newest = mac;
    }
    return false;
  }

  /** The MACs that sent packets of their own from the address. */
  get speakers(): Mac[] {
    return [...new Set(this.strong.filter(({ kind }) => kind === 'originated').map(({ mac }) => mac))];
  }

  /** When others claimed the address after this MAC had. ns since the analysis epoch. */
  takeOversFrom(mac: Mac): number[] {
    const claims = this.datedClaims();
    return claims.flatMap((run, i) => (run.mac !== mac && claims[i - 1]?.mac === mac ? [run.first] : []));
  }

  private datedClaims(): ClaimRun[] {
    return this.claims.filter(({ first }) => !Number.isNaN(first)).sort((a, b) => a.first - b.first || a.mac - b.mac);
  }

  /**
   * Takes who had given the address up, and when.
   * @param words what was said from the address, cut at these silences; in the stead of what legs show, which know no gaps
   */
  tellSilences(silences: readonly Silence[], words: readonly Testimony[]): void {
    this.dated = [...this.strong.filter(({ kind }) => kind !== 'originated'), ...words];
    this.silences = silences;
    this.divided = undefined;
  }

  addMaker(leg: number, mac: Mac, isDated: boolean): void {
    this.note(mac, isDated);
    this.makers.push(leg);
  }

  private note(mac: Mac, isDated: boolean): void {
    this.mac ??= mac;
    if (mac !== this.mac || !isDated) this.isAgreed = false;
  }

  addWeak(testimony: Testimony): void {
    (this.others ??= []).push(testimony);
  }

  addStrong(testimonies: readonly Testimony[]): void {
    if (testimonies.length === 0) return;
    this.isAgreed = false;
    this.strong.push(...testimonies);
  }

  /** What was said of the address by those who have it, and by tables where they are silent. */
  get strong(): Testimony[] {
    return (this.dated ??= [
      ...this.claims.map((run) => this.witnesses.claim(run)),
      ...(this.makers.length > 0 ? this.witnesses.originated(this.makers) : []),
    ]);
  }

  get owner(): Mac | undefined {
    if (this.isAgreed && this.mac !== undefined) return this.mac;
    const [tenure, ...more] = this.tenures;
    return tenure?.macs.length === 1 && more.length === 0 ? tenure.macs[0] : undefined;
  }

  get tenures(): readonly Tenure[] {
    return (this.divided ??= divideIntoTenures(this.strong, this.silences));
  }

  get weak(): readonly Testimony[] {
    return [...(this.others ?? []), ...this.strong.filter(({ first }) => Number.isNaN(first))];
  }

  /** The MACs that any witness named, those of tenures first. */
  get macs(): readonly Mac[] {
    if (this.isAgreed && this.mac !== undefined) return [this.mac, ...(this.others ?? []).map(({ mac }) => mac)];
    return [...this.tenures.flatMap(({ macs }) => macs), ...this.weak.map(({ mac }) => mac)];
  }
}
