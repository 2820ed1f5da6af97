/** OpenWrt's settings: values of what is read of networks and of the firewall's offload stay, all others go. */

/** Options that name devices, addresses, tables and marks. */
const KEPT: ReadonlySet<string> = new Set(
  (
    'flow_offloading flow_offloading_hw type ports ifname vid macaddr vlan_filtering device proto ip4table ip6table vlan ' +
    'in out src dest mark lookup priority invert interface target gateway netmask metric table onlink ipaddr ip6addr'
  ).split(' '),
);

export class UciCleaner {
  private type = '';

  /** @returns the line, without its value where that is private */
  clean(line: string): string {
    const head = /^config (['"]?)([\w-]{1,64})\1/.exec(line);
    if (head) {
      this.type = head[2] ?? '';
      return this.type === 'host' || this.type === 'domain' ? `config ${this.type}` : line;
    }
    if (line.startsWith('package ')) return line;
    const option = /^((?:option|list)\s+(['"]?)([\w-]{1,64})\2\s+)/.exec(line);
    if (option) {
      const isName = option[3] === 'name' && this.type === 'device';
      return isName || KEPT.has(option[3] ?? '') ? line : `${option[1]}'redacted'`;
    }
    const shown = /^((\w{1,32})\.([^.=]{1,80})(?:\.([\w-]{1,64}))?=)/.exec(line);
    if (!shown) return '';
    const isRead = shown[2] === 'network' || shown[2] === 'firewall';
    if (shown[4] === undefined) return isRead ? line : '';
    if (!isRead) return '';
    const isName = shown[4] === 'name' && shown[2] === 'network';
    return isName || KEPT.has(shown[4]) ? line : `${shown[1]}'redacted'`;
  }
}
