/** MACs of network load balancing clusters of Windows: 02:bf or 03:bf and the cluster's address, 01:00:5e:7f with IGMP. */

import type { Ip, Mac } from '../bytes/address.js';

export type ClusterMode = 'unicast' | 'multicast' | 'IGMP multicast';

/** The mode of a cluster MAC, whatever its address. */
export function clusterModeOf(mac: Mac): ClusterMode | undefined {
  const high = Math.floor(mac / 0x1_0000_0000);
  if (high === 0x02bf) return 'unicast';
  if (high === 0x03bf) return 'multicast';
  return Math.floor(mac / 0x1_0000) === 0x0100_5e7f ? 'IGMP multicast' : undefined;
}

/** Whether a MAC is that of a load balancing cluster. */
export function isClusterMac(mac: Mac): boolean {
  return clusterModeOf(mac) !== undefined;
}

/** Whether a MAC is that of the cluster with this address: it holds the address, or in IGMP mode its last two bytes. */
export function isClusterOf(mac: Mac, ip: Ip): boolean {
  const mode = clusterModeOf(mac);
  if (mode === undefined || ip > 0xffff_ffff) return false;
  return mode === 'IGMP multicast' ? mac % 0x1_0000 === ip % 0x1_0000 : mac % 0x1_0000_0000 === ip;
}
