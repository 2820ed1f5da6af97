/** DHCPv4 as `tcpdump -v` prints it (print-bootp.c): one line per field below the packet. Claims as the decoder's. */

import { canonicalIp, parseIpv4 } from '../bytes/address.js';
import { Claim } from '../records/frame-batch.js';
import { isHostMac, printedMac, type PrintedDhcp, type PrintedFrame } from './tcpdump-row.js';
import { prefixLengthOf } from './tokens.js';

/** `BOOTP/DHCP, Reply, length 300, xid 0x1, Flags [none]`, as the packet's first line says. */
export function beginDhcp(body: string, frame: PrintedFrame): void {
  const kind = /^BOOTP\/DHCP, (Reply|Request)\b/.exec(body)?.[1];
  if (kind === undefined || ![67, 68].includes(frame.srcPort)) return;
  frame.claim = Claim.DHCP_OTHER;
  frame.dhcp = {
    isReply: kind === 'Reply',
    clientIp: undefined,
    yourIp: undefined,
    mac: undefined,
    prefix: -1,
    router: undefined,
  };
}

/** Takes one of the lines below. @returns false when it is no field that is needed */
export function readDhcpLine(text: string, frame: PrintedFrame, dhcp: PrintedDhcp): boolean {
  const field = /^(Your-IP|Client-IP|Client-Ethernet-Address) (\S{1,64})/.exec(text);
  if (field) {
    const value = field[2] ?? '';
    if (field[1] === 'Your-IP') dhcp.yourIp = canonicalIp(value);
    else if (field[1] === 'Client-IP') dhcp.clientIp = canonicalIp(value);
    else dhcp.mac = printedMac(value);
    return true;
  }
  const option =
    /^(DHCP-Message|Subnet-Mask|Default-Gateway) (?:Option )?\(?(?:53|1|3)\)?, length \d{1,3}: (\S{1,64}?)(?:,|$)/.exec(
      text,
    );
  if (!option) return false;
  const value = option[2] ?? '';
  if (option[1] === 'Subnet-Mask') dhcp.prefix = prefixLengthOf(parseIpv4(value) ?? 0) ?? -1;
  else if (option[1] === 'Default-Gateway') dhcp.router = canonicalIp(value);
  else claim(value, frame, dhcp);
  if (frame.claim === Claim.DHCP_ACK) {
    frame.target = dhcp.router;
    frame.claimPrefix = dhcp.prefix;
  }
  return true;
}

function claim(message: string, frame: PrintedFrame, dhcp: PrintedDhcp): void {
  const isAck = message === 'ACK' && dhcp.isReply && frame.dstPort === 68;
  const isRelease = message === 'Release' && !dhcp.isReply && frame.dstPort === 67;
  const ip = isAck ? dhcp.yourIp : isRelease ? dhcp.clientIp : undefined;
  if (ip === undefined || !isHostMac(dhcp.mac)) return;
  frame.claim = isAck ? Claim.DHCP_ACK : Claim.DHCP_RELEASE;
  frame.claimIp = ip;
  frame.claimMac = dhcp.mac;
}
