/**
 * A gateway on the LAN hands packets back to the router with the same addresses and ports, so that both passes have one
 * conntrack entry and one flowtable entry (nf_flow_table_core.c: the key holds no MAC). Made on the second pass, the
 * entry leads the client's own packets straight to the provider, outside the tunnel.
 */

import { formatMac } from '../../bytes/address.js';
import { COLLECT_CONNTRACK, deleteEntries } from '../advice.js';
import { faultOf } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { hostName, keepClientOut, sourcesOf } from '../lan-gateway.js';

export const vpnBypass: Cause = {
  id: 'vpn-bypass',
  title: 'Packets of a marked client go past the VPN',
  classes: ['wrong-next-hop'],
  explain(scene, kase, tests) {
    const fault = faultOf(kase);
    if (fault?.kind !== 'bypass') return { fits: 'no', because: 'The packets did not leave a gateway of the LAN out.' };
    if (!tests.showOffload) {
      return {
        fits: 'unknown',
        because: 'Nothing shows that the flow was offloaded.',
        collect: COLLECT_CONNTRACK,
      };
    }
    const clients = sourcesOf(scene, kase);
    const gateway = hostName(scene, fault.gateway);
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `This is a leak: packets of ${clients.join(', ')} for ${scene.r.addresses.format(kase.dstIp)} go by ${gateway} and back through the router, and from the offload on they went straight to ${formatMac(kase.mac)}, past it.`,
      change: [
        ...keepClientOut(clients),
        { what: 'Now: delete the entry; helps until the next offload.', commands: deleteEntries(kase) },
      ],
      collect: [],
    };
  },
};
